-- What people say of themselves. `version` is that of the newest change of how they show; those whom nobody saw
-- change have none. The address of a picture is in users.avatar_url, its bytes are a file in the state 'avatar'.
ALTER TABLE users ADD COLUMN about TEXT;
ALTER TABLE users ADD COLUMN time_zone TEXT;
ALTER TABLE users ADD COLUMN version BIGINT NOT NULL DEFAULT 0;
CREATE INDEX users_version ON users (version) WHERE version > 0;

-- How they say they are, and until when.
ALTER TABLE users ADD COLUMN status TEXT NOT NULL DEFAULT 'online';
ALTER TABLE users ADD COLUMN dnd_until BIGINT;
ALTER TABLE users ADD COLUMN custom_status TEXT;
ALTER TABLE users ADD COLUMN emoji TEXT;
ALTER TABLE users ADD COLUMN expires_at BIGINT;
CREATE INDEX users_expires ON users (expires_at) WHERE expires_at IS NOT NULL;

-- The newest version of all profiles: one row.
CREATE TABLE profiles (newest BIGINT NOT NULL);
INSERT INTO profiles (newest) VALUES (0);
