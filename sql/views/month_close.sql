-- What was said of a month when the next month's first run began.
CREATE VIEW month_close AS
SELECT task.id AS task, month, closed_at, month_closed.requested, month_closed.synced,
       month_closed.failed, month_closed.ignored, synced_bytes
FROM month_closed JOIN task USING (task);
