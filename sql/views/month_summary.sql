-- The month's figures. pending_at_start + requested = synced + failed + ignored + pending_at_end.
CREATE VIEW month_summary AS
SELECT task, month,
       pending_at_end - requested + synced + failed + ignored AS pending_at_start,
       requested, synced, failed, ignored, pending_at_end, synced_bytes
FROM (SELECT *,
             sum(requested - synced - failed - ignored)
                 OVER (PARTITION BY task ORDER BY month) AS pending_at_end
      FROM (SELECT task.id AS task, substr(day, 1, 7) AS month,
                   sum(iif(kind = 'requested', requests, 0)) AS requested,
                   sum(iif(kind = 'synced', requests, 0)) AS synced,
                   sum(iif(kind = 'failed', requests, 0)) AS failed,
                   sum(iif(kind = 'ignored', requests, 0)) AS ignored,
                   sum(iif(kind = 'synced', bytes, 0)) AS synced_bytes
            FROM day_count JOIN task USING (task)
            GROUP BY task.id, substr(day, 1, 7)));
