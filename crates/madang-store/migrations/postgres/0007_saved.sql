-- Messages that someone keeps for later; `id` goes up with the time of saving.
CREATE TABLE saved_messages (
    user_id    BIGINT NOT NULL,
    message_id BIGINT NOT NULL,
    id         BIGINT NOT NULL,
    saved_at   BIGINT NOT NULL,
    PRIMARY KEY (user_id, message_id)
);
CREATE UNIQUE INDEX saved_messages_order ON saved_messages (user_id, id);
