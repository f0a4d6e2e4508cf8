-- What someone writes down for later: drafts, messages to be sent at a time, reminders. `id` of a draft goes up with
-- each writing; job_id is the job that is to send or remind.
CREATE TABLE drafts (
    user_id    BIGINT NOT NULL,
    channel_id BIGINT NOT NULL,
    id         BIGINT NOT NULL,
    content    TEXT   NOT NULL,
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (user_id, channel_id)
);
CREATE UNIQUE INDEX drafts_order ON drafts (user_id, id);

-- sending: it is being sent, and cannot be changed any more. failed: why it was refused then, as on the wire.
CREATE TABLE scheduled_messages (
    id         BIGINT  NOT NULL PRIMARY KEY,
    user_id    BIGINT  NOT NULL,
    channel_id BIGINT  NOT NULL,
    content    TEXT    NOT NULL,
    send_at    BIGINT  NOT NULL,
    job_id     BIGINT  NOT NULL,
    sending    BOOLEAN NOT NULL DEFAULT FALSE,
    failed     TEXT
);
CREATE INDEX scheduled_messages_user ON scheduled_messages (user_id, send_at);

CREATE TABLE reminders (
    id         BIGINT  NOT NULL PRIMARY KEY,
    user_id    BIGINT  NOT NULL,
    message_id BIGINT,
    channel_id BIGINT,
    text       TEXT,
    remind_at  BIGINT  NOT NULL,
    job_id     BIGINT  NOT NULL,
    due        BOOLEAN NOT NULL DEFAULT FALSE
);
CREATE INDEX reminders_user ON reminders (user_id, remind_at);
