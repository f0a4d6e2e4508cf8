-- Old months of messages become partitions of messages_archive (see message_archive), which therefore has the columns
-- and indexes of messages: who adds one there, adds it here. No message of a channel that is in there has changed
-- after archived_version.
ALTER TABLE channels ADD COLUMN archived_version BIGINT NOT NULL DEFAULT 0;
CREATE TABLE messages_archive (LIKE messages INCLUDING DEFAULTS) PARTITION BY RANGE (id);
ALTER TABLE messages_archive ADD PRIMARY KEY (id);
CREATE INDEX messages_archive_seq ON messages_archive (channel_id, seq);
CREATE INDEX messages_archive_changed ON messages_archive (channel_id, version) WHERE changed;
CREATE INDEX messages_archive_pinned ON messages_archive (channel_id, pinned_at) WHERE pinned_at IS NOT NULL;
