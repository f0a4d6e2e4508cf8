-- Guest links are invites that give access to their channel, and to it alone, until a time; a visit is someone there by
-- one of them.
ALTER TABLE invites ADD COLUMN access_until BIGINT;
CREATE INDEX invites_channel ON invites (channel_id) WHERE access_until IS NOT NULL;
CREATE TABLE visits (
    invite_id    BIGINT NOT NULL,
    user_id      BIGINT NOT NULL,
    workspace_id BIGINT NOT NULL,
    channel_id   BIGINT NOT NULL,
    access_until BIGINT NOT NULL,
    PRIMARY KEY (invite_id, user_id)
);
CREATE INDEX visits_user ON visits (user_id, workspace_id, channel_id);
CREATE INDEX workspace_members_visitors ON workspace_members (workspace_id) WHERE role = 'visitor';
