-- Fewer pages change for each message: the id is the number of the row, so it needs no index of its own;
-- versions of messages that never changed go up with seq, so only the changed ones have an index; and the
-- channel and author are not looked up once more for every row, as the writer moves the channel's numbers
-- on in the same transaction and users are never removed.

CREATE TABLE lean_messages (
    id         INTEGER NOT NULL PRIMARY KEY,
    channel_id BIGINT  NOT NULL,
    seq        BIGINT  NOT NULL,
    version    BIGINT  NOT NULL,
    author_id  BIGINT  NOT NULL,
    content    TEXT    NOT NULL,
    nonce      TEXT,
    created_at BIGINT  NOT NULL,
    edited_at  BIGINT,
    deleted_at BIGINT
);
INSERT INTO lean_messages
SELECT id, channel_id, seq, version, author_id, content, nonce, created_at, edited_at, deleted_at
FROM messages ORDER BY id;
DROP TABLE messages;
ALTER TABLE lean_messages RENAME TO messages;
CREATE UNIQUE INDEX messages_seq ON messages (channel_id, seq);
CREATE INDEX messages_changed ON messages (channel_id, version)
WHERE edited_at IS NOT NULL OR deleted_at IS NOT NULL;
