-- Fewer rows and pages are touched for each message: the channel and author are not looked up once more
-- for every row, as the writer moves the channel's numbers on in the same transaction and users are never
-- removed; versions of messages that never changed go up with seq, so only the changed ones have an index.
ALTER TABLE messages DROP CONSTRAINT messages_channel_id_fkey;
ALTER TABLE messages DROP CONSTRAINT messages_author_id_fkey;
DROP INDEX messages_version;
CREATE INDEX messages_changed ON messages (channel_id, version)
WHERE edited_at IS NOT NULL OR deleted_at IS NOT NULL;

-- Each message moves its channel's numbers and its author's read mark: room for that on the same page.
ALTER TABLE channels SET (fillfactor = 50);
ALTER TABLE channel_members SET (fillfactor = 70);
