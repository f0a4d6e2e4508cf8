-- What a channel allows and denies besides the roles, as on the wire; seconds of slow mode; since when it is only
-- kept to be read.
ALTER TABLE channels ADD COLUMN overrides TEXT;
ALTER TABLE channels ADD COLUMN slow_mode BIGINT NOT NULL DEFAULT 0;
ALTER TABLE channels ADD COLUMN archived_at BIGINT;
