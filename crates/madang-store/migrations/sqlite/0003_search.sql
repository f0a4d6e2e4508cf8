-- Search: the words of each message as our own tokenizer gives them, separated by spaces, and what else one
-- may look for. They are made of letters and of what is not ASCII, so that the tokenizer `ascii` leaves them
-- as they are. What was written is not kept here again, only the index.
CREATE VIRTUAL TABLE message_words USING fts5 (
    words, content = '', contentless_delete = 1, tokenize = 'ascii', prefix = '1'
);

-- Up to which version a channel is indexed, and by which tokenizer.
CREATE TABLE search_channels (
    channel_id BIGINT NOT NULL PRIMARY KEY,
    version    BIGINT NOT NULL,
    tokenizer  BIGINT NOT NULL
) WITHOUT ROWID;
