-- Direct messages and groups are channels without a name. people_key is the ids of their people, sorted: of
-- one set of people there is one in a workspace, until someone left it for good. last_at is when the newest
-- message came, for the order of such lists.

ALTER TABLE channels ADD COLUMN people_key TEXT;
ALTER TABLE channels ADD COLUMN last_at BIGINT;
DROP INDEX channels_name;
CREATE UNIQUE INDEX channels_name ON channels (workspace_id, name_key)
WHERE deleted_at IS NULL AND kind IN ('public', 'private');
CREATE UNIQUE INDEX channels_people ON channels (workspace_id, people_key) WHERE people_key IS NOT NULL;
