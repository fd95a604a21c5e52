-- Question: which causes have failed requests of the last :days days?
-- Parameters: :days (default 7), :now (default: now), :task (default: all)
-- Try:
--   .parameter set :now "'2026-10-09'"
-- Answer:
--   task    cause           requests  coming_back  example
--   ------  --------------  --------  -----------  -------
--   photos  source_missing  1         0            #c.jpg
SELECT task, cause, count(*) AS requests, sum(carried_over) AS coming_back, min(name) AS example
FROM failed_requests
WHERE task = coalesce(:task, task)
  AND failed_at >= (strftime('%s', coalesce(:now, 'now')) - coalesce(:days, 7) * 86400) * 1000
GROUP BY task, cause
ORDER BY requests DESC, task, cause;
