-- What people are told of. channel_id is the message's channel, home_id the one in which one has to be to see it:
-- of a reply that of the root. author_id wrote or invited. seq is the message's, 0 in an invite.
CREATE TABLE notifications (
    id         BIGINT  NOT NULL PRIMARY KEY,
    user_id    BIGINT  NOT NULL,
    kind       TEXT    NOT NULL,
    channel_id BIGINT  NOT NULL,
    home_id    BIGINT  NOT NULL,
    message_id BIGINT,
    seq        BIGINT  NOT NULL,
    author_id  BIGINT  NOT NULL,
    created_at BIGINT  NOT NULL,
    silent     BOOLEAN NOT NULL,
    is_read    BOOLEAN NOT NULL
);
CREATE UNIQUE INDEX notifications_message ON notifications (message_id, user_id);
CREATE INDEX notifications_user ON notifications (user_id, id);
CREATE INDEX notifications_unread ON notifications (user_id, channel_id, seq) WHERE NOT is_read;
CREATE INDEX notifications_home ON notifications (home_id);

-- How many there are of a user; version goes up with each change of them and of the settings. The settings, as on
-- the wire.
CREATE TABLE notification_users (
    user_id       BIGINT NOT NULL PRIMARY KEY,
    version       BIGINT NOT NULL DEFAULT 0,
    unread        BIGINT NOT NULL DEFAULT 0,
    kept          BIGINT NOT NULL DEFAULT 0,
    keywords      TEXT,
    quiet_hours   TEXT,
    snoozed_until BIGINT
);
CREATE INDEX notification_users_keywords ON notification_users (user_id) WHERE keywords IS NOT NULL;

-- What someone wants of a place, which is a workspace or a channel: ids of both are never the same.
CREATE TABLE notification_places (
    user_id     BIGINT NOT NULL,
    place_id    BIGINT NOT NULL,
    level       TEXT,
    muted_until BIGINT,
    PRIMARY KEY (user_id, place_id)
);
CREATE INDEX notification_places_all ON notification_places (place_id, user_id) WHERE level = 'all';

-- Of jobs with the same key one waits at a time; whoever begins it takes the key away.
ALTER TABLE jobs ADD COLUMN key TEXT;
CREATE UNIQUE INDEX jobs_key ON jobs (key);
