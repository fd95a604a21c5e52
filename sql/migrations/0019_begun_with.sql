-- Stands for the headers with which an upload in parts was begun, and which its object
-- will have. NULL: an older release began it, with those of the source alone.
ALTER TABLE upload ADD COLUMN begun_with TEXT;
