-- The last run of the same task before one in which anything was settled.
SELECT before.run, before.number
FROM run JOIN run AS before ON before.task = run.task AND before.number < run.number
WHERE run.run = ?1 AND before.synced + before.failed + before.ignored > 0
ORDER BY before.number DESC
LIMIT 1
