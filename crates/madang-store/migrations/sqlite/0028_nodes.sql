-- The processes that share a database, and the work that one of them does at a time. SQLite has one process, which the
-- lock of its data folder says: both tables stay empty here.
CREATE TABLE nodes (
    number       BIGINT NOT NULL PRIMARY KEY,
    id           BIGINT NOT NULL UNIQUE,
    place        TEXT   NOT NULL,
    address      TEXT   NOT NULL,
    version      TEXT   NOT NULL,
    schema       BIGINT NOT NULL,
    secret       TEXT   NOT NULL,
    bus          TEXT   NOT NULL,
    files        TEXT   NOT NULL,
    started_at   BIGINT NOT NULL,
    clock        BIGINT NOT NULL,
    heard_at     BIGINT NOT NULL,
    ends_at      BIGINT NOT NULL
);

CREATE TABLE leases (
    name         TEXT   NOT NULL PRIMARY KEY,
    node         BIGINT NOT NULL,
    ends_at      BIGINT NOT NULL
);

-- When a member sent last in a channel with slow mode, where several processes have to know.
ALTER TABLE channel_members ADD COLUMN turn_at BIGINT;
