-- Each run's books, and its row against its attempts and what was pruned of them.
SELECT printf('%s run %d: taken %d, synced %d, failed %d, ignored %d, deferred %s; its attempts count %d, %d, %d',
              id, number, taken, run.synced, run.failed, run.ignored, coalesce(deferred, 'unknown'),
              rows_synced, rows_failed, rows_ignored)
FROM run
JOIN task USING (task)
JOIN (SELECT run.run,
             count(*) FILTER (WHERE outcome = 'synced') + coalesce(gone.synced, 0) AS rows_synced,
             count(*) FILTER (WHERE outcome = 'failed') + coalesce(gone.failed, 0) AS rows_failed,
             count(*) FILTER (WHERE outcome = 'ignored') + coalesce(gone.ignored, 0) AS rows_ignored
      FROM run LEFT JOIN attempt USING (run) LEFT JOIN pruned_run AS gone ON gone.run = run.run
      GROUP BY run.run) AS counted ON counted.run = run.run
WHERE (run.synced, run.failed, run.ignored) <> (rows_synced, rows_failed, rows_ignored)
   OR (run.state <> 'running' AND taken <> run.synced + run.failed + run.ignored + deferred)
ORDER BY id, number
LIMIT 100
