-- What is put before every name at the destination. It stands with whatever says
-- something of an object there, for a task may be given another: then our last copy
-- lies elsewhere, and so does an upload in parts. Nothing was put there before.
ALTER TABLE run ADD COLUMN destination_prefix TEXT NOT NULL DEFAULT '';
ALTER TABLE last_copy ADD COLUMN destination_prefix TEXT NOT NULL DEFAULT '';
ALTER TABLE planned_copy ADD COLUMN destination_prefix TEXT NOT NULL DEFAULT '';
ALTER TABLE upload ADD COLUMN destination_prefix TEXT NOT NULL DEFAULT '';
