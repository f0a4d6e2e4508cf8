-- How an installation came into this database (`madang admin migrate`). That goes into PostgreSQL only: the table stays
-- empty here.
CREATE TABLE moves (
    source    TEXT   NOT NULL PRIMARY KEY,
    schema    BIGINT NOT NULL,
    begun_at  BIGINT NOT NULL,
    at_table  TEXT,
    after_key TEXT,
    ended_at  BIGINT
);
