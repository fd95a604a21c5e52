-- A task's tallies against its requests.
SELECT printf('task %s: its tallies say requested %d, synced %d, failed %d, ignored %d, its requests count %d, %d, %d, %d',
              id, requested, synced, failed, ignored, rows_requested, rows_synced, rows_failed, rows_ignored)
FROM task
JOIN (SELECT task.task,
             count(request) AS rows_requested,
             count(*) FILTER (WHERE state = 'synced') AS rows_synced,
             count(*) FILTER (WHERE state = 'failed') AS rows_failed,
             count(*) FILTER (WHERE state = 'ignored') AS rows_ignored
      FROM task LEFT JOIN request USING (task) GROUP BY task.task) USING (task)
WHERE (requested, synced, failed, ignored)
   <> (rows_requested, rows_synced, rows_failed, rows_ignored)
