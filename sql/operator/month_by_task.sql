-- Question: what was asked for in one month, and what became of it, task by task?
-- Parameters: :month (YYYY-MM; default: the month of :now), :now (default: now)
-- Try:
--   .parameter set :month "'2026-10'"
-- Answer:
--   task    requested  synced  failed  ignored  pending  gib
--   ------  ---------  ------  ------  -------  -------  -----
--   photos  7          3       1       2        1        0.008
SELECT task, requested, synced, failed, ignored, pending_at_end AS pending,
       round(synced_bytes / 1073741824.0, 3) AS gib
FROM month_summary
WHERE month = coalesce(:month, strftime('%Y-%m', coalesce(:now, 'now')))
ORDER BY task;
