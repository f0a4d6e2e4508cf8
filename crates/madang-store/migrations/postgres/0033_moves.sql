-- How an installation came into this database (`madang admin migrate`): from which data folder, by which schema, up to
-- which row of which table its rows are here, and since when all is.
CREATE TABLE moves (
    source    TEXT   NOT NULL PRIMARY KEY,
    schema    BIGINT NOT NULL,
    begun_at  BIGINT NOT NULL,
    at_table  TEXT,
    after_key TEXT,
    ended_at  BIGINT
);
