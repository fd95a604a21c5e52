-- For how many requests the lines stand that the runs of a month have in their failed
-- lists, and what became of these requests since. Still failed are those whose present
-- outcome was reached in the month, or later.
WITH of_month (run, failed) AS (
    SELECT run, failed
    FROM run
    WHERE task = (SELECT task FROM task WHERE id = ?1)
      AND started_at >= (CAST(strftime('%s', ?2 || '-01') AS INTEGER) - 86400) * 1000
      AND started_at < (CAST(strftime('%s', ?2 || '-01', '+1 month') AS INTEGER) + 86400) * 1000
      AND substr(started_at_local, 1, 7) = ?2),
named (request) AS (
    SELECT attempt.request FROM of_month CROSS JOIN attempt ON attempt.run = of_month.run
    WHERE of_month.failed > 0 AND outcome = 'failed'
    UNION
    SELECT begin_failure.request
    FROM of_month CROSS JOIN begin_failure ON begin_failure.run = of_month.run)
SELECT count(*), coalesce(sum(state = 'synced'), 0), coalesce(sum(state = 'ignored'), 0),
       coalesce(sum(state = 'pending'), 0),
       coalesce(sum(state = 'failed' AND settled_month <= ?2), 0),
       coalesce(sum(state = 'failed' AND settled_month > ?2), 0)
FROM (SELECT state,
             strftime('%Y-%m', settled_at / 1000 + settled_offset * 60, 'unixepoch') AS settled_month
      FROM named CROSS JOIN request ON request.request = named.request)
