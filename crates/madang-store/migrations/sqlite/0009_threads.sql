-- Threads: a channel of its own holds the replies to a message, its root, which stands in the channel
-- parent_id. untold: the root does not show the newest replies yet. thread: what a message has to do with a
-- thread, as on the wire.

ALTER TABLE channels ADD COLUMN parent_id BIGINT;
ALTER TABLE channels ADD COLUMN root_id BIGINT;
ALTER TABLE channels ADD COLUMN deleted_count BIGINT NOT NULL DEFAULT 0;
ALTER TABLE channels ADD COLUMN untold BOOLEAN NOT NULL DEFAULT FALSE;
CREATE UNIQUE INDEX channels_root ON channels (root_id) WHERE root_id IS NOT NULL;
CREATE INDEX channels_parent ON channels (parent_id) WHERE parent_id IS NOT NULL;
CREATE INDEX channels_untold ON channels (id) WHERE untold;
ALTER TABLE messages ADD COLUMN thread TEXT;
