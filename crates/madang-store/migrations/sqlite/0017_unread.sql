-- A read mark moves back when its user says so: read_version counts how often. seen_seq is how far it had been
-- before that, and own_after lists the user's own messages past it then.
ALTER TABLE channel_members ADD COLUMN read_version BIGINT NOT NULL DEFAULT 0;
ALTER TABLE channel_members ADD COLUMN seen_seq BIGINT NOT NULL DEFAULT 0;
ALTER TABLE channel_members ADD COLUMN own_after TEXT;
-- Deleted messages are not unread.
CREATE INDEX messages_deleted ON messages (channel_id, seq) WHERE deleted_at IS NOT NULL;
-- Whether others are told what one has read.
ALTER TABLE users ADD COLUMN share_read_marks BOOLEAN NOT NULL DEFAULT TRUE;
