-- Work that is done later; `job` says what, as JSON. due_at: not before this time; while it is being done, until
-- when nobody else does it. attempts: how often it was begun. A dead one failed too often.
CREATE TABLE jobs (
    id         BIGINT NOT NULL PRIMARY KEY,
    job        TEXT   NOT NULL,
    due_at     BIGINT NOT NULL,
    attempts   BIGINT NOT NULL DEFAULT 0,
    last_error TEXT,
    dead_at    BIGINT
);
CREATE INDEX jobs_due ON jobs (due_at) WHERE dead_at IS NULL;
CREATE INDEX jobs_dead ON jobs (dead_at) WHERE dead_at IS NOT NULL;
