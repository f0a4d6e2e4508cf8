-- A workspace's own emoji are files that no message carries, in a state of their own: `emoji`. The version counts
-- their changes, so that whoever comes back knows whether to read them anew.
CREATE UNIQUE INDEX files_emoji ON files (workspace_id, name) WHERE state = 'emoji';
ALTER TABLE workspaces ADD COLUMN emoji_version BIGINT NOT NULL DEFAULT 0;

-- How long a video runs.
ALTER TABLE files ADD COLUMN duration_ms BIGINT;
