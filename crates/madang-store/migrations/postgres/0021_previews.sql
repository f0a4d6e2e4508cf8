-- What the links of a message lead to, as on the wire; an empty list once its author wants none, for good. Their
-- pictures are files of the message.
ALTER TABLE messages ADD COLUMN previews TEXT;
