-- Accounts, workspaces, channels, messages. Times are Unix milliseconds, ids 63-bit integers.

CREATE TABLE users (
    id            BIGINT NOT NULL PRIMARY KEY,
    username      TEXT   NOT NULL,
    username_key  TEXT   NOT NULL UNIQUE,
    display_name  TEXT   NOT NULL,
    email         TEXT,
    avatar_url    TEXT,
    password_hash TEXT,
    external_id   TEXT UNIQUE,
    created_at    BIGINT NOT NULL
);

CREATE TABLE sessions (
    id           BIGINT NOT NULL PRIMARY KEY,
    user_id      BIGINT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    refresh_hash TEXT   NOT NULL,
    user_agent   TEXT   NOT NULL,
    address      TEXT   NOT NULL,
    created_at   BIGINT NOT NULL,
    last_used_at BIGINT NOT NULL,
    expires_at   BIGINT NOT NULL,
    ended_at     BIGINT
);
CREATE INDEX sessions_live ON sessions (user_id, last_used_at) WHERE ended_at IS NULL;
CREATE INDEX sessions_ended ON sessions (ended_at) WHERE ended_at IS NOT NULL;

CREATE TABLE workspaces (
    id                 BIGINT  NOT NULL PRIMARY KEY,
    name               TEXT    NOT NULL,
    open               BOOLEAN NOT NULL,
    allow_guests       BOOLEAN NOT NULL,
    default_channel_id BIGINT  NOT NULL,
    created_at         BIGINT  NOT NULL
);

CREATE TABLE workspace_members (
    workspace_id BIGINT NOT NULL REFERENCES workspaces (id) ON DELETE CASCADE,
    user_id      BIGINT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    role         TEXT   NOT NULL,
    joined_at    BIGINT NOT NULL,
    PRIMARY KEY (workspace_id, user_id)
);
CREATE INDEX workspace_members_user ON workspace_members (user_id);

-- last_seq numbers the messages, version every durable change; info_version is the version of the
-- newest change of the row's own facts (name, topic, kind, deletion).
CREATE TABLE channels (
    id           BIGINT  NOT NULL PRIMARY KEY,
    workspace_id BIGINT  NOT NULL REFERENCES workspaces (id) ON DELETE CASCADE,
    kind         TEXT    NOT NULL,
    name         TEXT    NOT NULL,
    name_key     TEXT    NOT NULL,
    topic        TEXT    NOT NULL,
    is_default   BOOLEAN NOT NULL,
    created_by   BIGINT,
    member_count BIGINT  NOT NULL,
    last_seq     BIGINT  NOT NULL,
    version      BIGINT  NOT NULL,
    info_version BIGINT  NOT NULL,
    created_at   BIGINT  NOT NULL,
    deleted_at   BIGINT
);
CREATE UNIQUE INDEX channels_name ON channels (workspace_id, name_key) WHERE deleted_at IS NULL;

-- Who left keeps a row with left_at, so that a returning client learns of it by version.
CREATE TABLE channel_members (
    channel_id    BIGINT NOT NULL REFERENCES channels (id) ON DELETE CASCADE,
    user_id       BIGINT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    joined_at     BIGINT NOT NULL,
    left_at       BIGINT,
    last_read_seq BIGINT NOT NULL,
    version       BIGINT NOT NULL,
    PRIMARY KEY (channel_id, user_id)
);
CREATE INDEX channel_members_user ON channel_members (user_id) WHERE left_at IS NULL;
CREATE INDEX channel_members_version ON channel_members (channel_id, version);

-- By month: RANGE on the id, which begins with the time. There is no DEFAULT partition; months are
-- made ahead by the server (see partitions.rs).
CREATE TABLE messages (
    id         BIGINT NOT NULL PRIMARY KEY,
    channel_id BIGINT NOT NULL REFERENCES channels (id),
    seq        BIGINT NOT NULL,
    version    BIGINT NOT NULL,
    author_id  BIGINT NOT NULL REFERENCES users (id),
    content    TEXT   NOT NULL,
    nonce      TEXT,
    created_at BIGINT NOT NULL,
    edited_at  BIGINT,
    deleted_at BIGINT
) PARTITION BY RANGE (id);
-- seq is unique by the lock on the channel's row; an index over partitions cannot say so without id.
CREATE INDEX messages_seq ON messages (channel_id, seq);
CREATE INDEX messages_version ON messages (channel_id, version);

-- A nonce is remembered for good, also where messages are partitioned and archived.
CREATE TABLE message_nonces (
    author_id  BIGINT NOT NULL,
    nonce      TEXT   NOT NULL,
    message_id BIGINT NOT NULL,
    PRIMARY KEY (author_id, nonce)
);
