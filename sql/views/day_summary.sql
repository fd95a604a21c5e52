-- Requests by the day they were asked for, outcomes by the day they were reached.
CREATE VIEW day_summary AS
SELECT task.id AS task, day,
       sum(iif(kind = 'requested', requests, 0)) AS requested,
       sum(iif(kind = 'synced', requests, 0)) AS synced,
       sum(iif(kind = 'failed', requests, 0)) AS failed,
       sum(iif(kind = 'ignored', requests, 0)) AS ignored,
       sum(iif(kind = 'synced', bytes, 0)) AS synced_bytes
FROM day_count JOIN task USING (task)
GROUP BY task.id, day;
