-- Old messages are kept in the file of the archive (see message_archive). No message of a channel that is in there
-- has changed after archived_version.
ALTER TABLE channels ADD COLUMN archived_version BIGINT NOT NULL DEFAULT 0;
