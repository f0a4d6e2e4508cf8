-- People who have to be silent, or to stay away: of each kind one in a place. channel_id 0 is all of the
-- workspace. A row is in force as long as it is there.
CREATE TABLE sanctions (
    id           BIGINT NOT NULL PRIMARY KEY,
    workspace_id BIGINT NOT NULL,
    channel_id   BIGINT NOT NULL,
    user_id      BIGINT NOT NULL,
    kind         TEXT   NOT NULL,
    reason       TEXT   NOT NULL,
    created_by   BIGINT NOT NULL,
    created_at   BIGINT NOT NULL,
    expires_at   BIGINT
);
CREATE UNIQUE INDEX sanctions_place ON sanctions (user_id, workspace_id, channel_id, kind);
CREATE INDEX sanctions_workspace ON sanctions (workspace_id, id);
CREATE INDEX sanctions_expiry ON sanctions (expires_at) WHERE expires_at IS NOT NULL;

-- Every act of those who keep a workspace or its channels; what changed, as JSON.
CREATE TABLE audit (
    id           BIGINT NOT NULL PRIMARY KEY,
    workspace_id BIGINT NOT NULL,
    actor_id     BIGINT NOT NULL,
    action       TEXT   NOT NULL,
    user_id      BIGINT,
    channel_id   BIGINT,
    message_id   BIGINT,
    before       TEXT,
    after        TEXT,
    created_at   BIGINT NOT NULL
);
CREATE INDEX audit_workspace ON audit (workspace_id, id);

-- Messages that someone wants looked at, as they were.
CREATE TABLE reports (
    id           BIGINT NOT NULL PRIMARY KEY,
    workspace_id BIGINT NOT NULL,
    channel_id   BIGINT NOT NULL,
    message_id   BIGINT NOT NULL,
    author_id    BIGINT NOT NULL,
    content      TEXT   NOT NULL,
    reporter_id  BIGINT NOT NULL,
    reason       TEXT   NOT NULL,
    created_at   BIGINT NOT NULL,
    resolution   TEXT,
    resolved_by  BIGINT,
    resolved_at  BIGINT
);
CREATE UNIQUE INDEX reports_open ON reports (message_id, reporter_id) WHERE resolved_at IS NULL;
CREATE INDEX reports_workspace ON reports (workspace_id, id);
CREATE INDEX reports_reporter ON reports (reporter_id) WHERE resolved_at IS NULL;

-- Codes that bring whoever has them into a workspace; of a code only the hash.
CREATE TABLE invites (
    id           BIGINT NOT NULL PRIMARY KEY,
    workspace_id BIGINT NOT NULL,
    channel_id   BIGINT,
    code_hash    TEXT   NOT NULL UNIQUE,
    created_by   BIGINT NOT NULL,
    created_at   BIGINT NOT NULL,
    expires_at   BIGINT,
    max_uses     BIGINT,
    uses         BIGINT NOT NULL
);
CREATE INDEX invites_workspace ON invites (workspace_id, id);
