-- What messages said before they were edited, each text since when it stood; and who sees that.
CREATE TABLE edits (
    message_id BIGINT NOT NULL,
    version    BIGINT NOT NULL,
    content    TEXT   NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (message_id, version)
);
ALTER TABLE workspaces ADD COLUMN edit_history TEXT NOT NULL DEFAULT 'everyone';
