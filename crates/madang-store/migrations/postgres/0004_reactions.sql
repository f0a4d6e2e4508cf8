-- What people put on messages. A message's own row keeps how many of each emoji there are, in the order of
-- their first use, as [[emoji, count], …]; who it was stands in a table of its own.
--
-- This changes a message without editing it: `changed` says that anything did, for the index of what is told
-- to those who come back.
ALTER TABLE messages ADD COLUMN changed BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE messages ADD COLUMN reactions TEXT;
UPDATE messages SET changed = TRUE WHERE edited_at IS NOT NULL OR deleted_at IS NOT NULL;
DROP INDEX messages_changed;
CREATE INDEX messages_changed ON messages (channel_id, version) WHERE changed;

-- `version` is the channel's at the moment of reacting: who came first, stands first.
CREATE TABLE reactions (
    message_id BIGINT NOT NULL,
    user_id    BIGINT NOT NULL,
    emoji      TEXT   NOT NULL,
    version    BIGINT NOT NULL,
    PRIMARY KEY (message_id, user_id, emoji)
);
CREATE INDEX reactions_emoji ON reactions (message_id, emoji, version);
