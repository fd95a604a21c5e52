-- Each run's books, and its row against its attempts.
SELECT printf('%s run %d: taken %d, synced %d, failed %d, ignored %d, deferred %s; its attempts count %d, %d, %d',
              id, number, taken, run.synced, run.failed, run.ignored, coalesce(deferred, 'unknown'),
              rows_synced, rows_failed, rows_ignored)
FROM run
JOIN task USING (task)
JOIN (SELECT run.run,
             count(*) FILTER (WHERE outcome = 'synced') AS rows_synced,
             count(*) FILTER (WHERE outcome = 'failed') AS rows_failed,
             count(*) FILTER (WHERE outcome = 'ignored') AS rows_ignored
      FROM run LEFT JOIN attempt USING (run) GROUP BY run.run) AS counted ON counted.run = run.run
WHERE (run.synced, run.failed, run.ignored) <> (rows_synced, rows_failed, rows_ignored)
   OR (run.state <> 'running' AND taken <> run.synced + run.failed + run.ignored + deferred)
ORDER BY id, number
LIMIT 100
