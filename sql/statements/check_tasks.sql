-- A task's tallies against its requests and what was pruned of them.
SELECT printf('task %s: its tallies say requested %d, synced %d, failed %d, ignored %d, its requests count %d, %d, %d, %d',
              id, requested, synced, failed, ignored, rows_requested, rows_synced, rows_failed, rows_ignored)
FROM task
JOIN (SELECT task.task,
             count(request) + coalesce(gone_requested, 0) AS rows_requested,
             count(*) FILTER (WHERE state = 'synced') + coalesce(gone_synced, 0) AS rows_synced,
             count(*) FILTER (WHERE state = 'failed') + coalesce(gone_failed, 0) AS rows_failed,
             count(*) FILTER (WHERE state = 'ignored') + coalesce(gone_ignored, 0) AS rows_ignored
      FROM task
      LEFT JOIN request USING (task)
      LEFT JOIN (SELECT task,
                        sum(requests) FILTER (WHERE kind = 'requested') AS gone_requested,
                        sum(requests) FILTER (WHERE kind = 'synced') AS gone_synced,
                        sum(requests) FILTER (WHERE kind = 'failed') AS gone_failed,
                        sum(requests) FILTER (WHERE kind = 'ignored') AS gone_ignored
                 FROM pruned_count GROUP BY task) AS gone ON gone.task = task.task
      GROUP BY task.task) USING (task)
WHERE (requested, synced, failed, ignored)
   <> (rows_requested, rows_synced, rows_failed, rows_ignored)
