-- What people asked to take away, and how far it is: waiting, ready, failed, and removed until its bytes are gone.
-- attempts: how often it was begun.
CREATE TABLE exports (
    id         BIGINT NOT NULL PRIMARY KEY,
    user_id    BIGINT NOT NULL,
    state      TEXT   NOT NULL DEFAULT 'waiting',
    attempts   BIGINT NOT NULL DEFAULT 0,
    created_at BIGINT NOT NULL,
    expires_at BIGINT,
    size       BIGINT,
    sha256     TEXT
);
CREATE UNIQUE INDEX exports_user ON exports (user_id) WHERE state <> 'removed';
CREATE INDEX exports_state ON exports (state, created_at);
