-- Whom messages mention. A message's own row keeps it as on the wire; who is to be told stands here: a row for
-- each person, and one of user 0 for everyone, or for `people` where only those were meant.
ALTER TABLE messages ADD COLUMN mentions TEXT;
CREATE TABLE mentions (
    channel_id BIGINT NOT NULL,
    seq        BIGINT NOT NULL,
    user_id    BIGINT NOT NULL,
    people     TEXT,
    PRIMARY KEY (channel_id, seq, user_id)
) WITHOUT ROWID;
CREATE INDEX mentions_user ON mentions (channel_id, user_id, seq);
CREATE INDEX users_display_name ON users (display_name);
