-- Search: the words of each message as our own tokenizer gives them, separated by spaces, and what else one
-- may look for. That all words are there is asked of the index; that they follow each other, of the text.
CREATE TABLE message_words (
    id         BIGINT NOT NULL PRIMARY KEY,
    channel_id BIGINT NOT NULL,
    words      TEXT   COLLATE "C" NOT NULL
);
-- What waits to be put into the index is read by each search: little may wait.
CREATE INDEX message_words_words ON message_words
USING gin (array_to_tsvector(string_to_array(btrim(words), ' '))) WITH (gin_pending_list_limit = 1024);

-- Up to which version a channel is indexed, and by which tokenizer.
CREATE TABLE search_channels (
    channel_id BIGINT NOT NULL PRIMARY KEY,
    version    BIGINT NOT NULL,
    tokenizer  BIGINT NOT NULL
);
