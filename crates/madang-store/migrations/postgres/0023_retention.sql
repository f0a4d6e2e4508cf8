-- How many days messages are kept: of a workspace, none for good; of a channel, none as its workspace says, and 0
-- for good. Messages of a channel below first_seq are gone, or about to go.
ALTER TABLE workspaces ADD COLUMN retention_days BIGINT;
ALTER TABLE channels ADD COLUMN retention_days BIGINT;
ALTER TABLE channels ADD COLUMN first_seq BIGINT NOT NULL DEFAULT 1;
CREATE INDEX saved_messages_message ON saved_messages (message_id);
