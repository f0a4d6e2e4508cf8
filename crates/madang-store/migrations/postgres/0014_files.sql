-- Files that were uploaded. A row is made before the first byte is kept and goes after the last one is gone, so
-- that nothing is kept that no row knows: coming (with the size that is expected), ready, removed.
CREATE TABLE files (
    id           BIGINT  NOT NULL PRIMARY KEY,
    uploader_id  BIGINT  NOT NULL,
    state        TEXT    NOT NULL DEFAULT 'coming',
    name         TEXT    NOT NULL,
    media_type   TEXT    NOT NULL DEFAULT '',
    size         BIGINT  NOT NULL,
    sha256       TEXT    NOT NULL DEFAULT '',
    width        BIGINT,
    height       BIGINT,
    thumbnail    BOOLEAN NOT NULL DEFAULT FALSE,
    created_at   BIGINT  NOT NULL,
    message_id   BIGINT,
    channel_id   BIGINT,
    workspace_id BIGINT
);
CREATE INDEX files_uploader ON files (uploader_id, state, size);
CREATE INDEX files_message ON files (message_id) WHERE message_id IS NOT NULL;
CREATE INDEX files_workspace ON files (workspace_id, state, size) WHERE workspace_id IS NOT NULL;
CREATE INDEX files_waiting ON files (created_at) WHERE message_id IS NULL;
CREATE INDEX files_removed ON files (id) WHERE state = 'removed';

-- What a message carries, as on the wire.
ALTER TABLE messages ADD COLUMN files TEXT;
