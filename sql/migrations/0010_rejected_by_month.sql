-- Lists that have rejected lines, by the month in which they were last loaded, so
-- that a page of such lines costs the same however many lists have none.
CREATE INDEX list_rejected ON list (
    task, strftime('%Y-%m', loaded_at / 1000 + loaded_offset * 60, 'unixepoch'), list, rejected)
WHERE rejected > 0;
