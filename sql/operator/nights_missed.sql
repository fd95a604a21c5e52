-- Question: on which of the last :days days did no run of a task begin?
-- Parameters: :days (default 30), :now (default: now), :task (default: all)
-- Days before a task's first run do not count.
-- Try:
--   .parameter set :now "'2026-10-09'"
-- Answer:
--   task    day
--   ------  ----------
--   photos  2026-10-08
WITH RECURSIVE
    calendar (day) AS (
        SELECT date(coalesce(:now, 'now'))
        UNION ALL
        SELECT date(day, '-1 day') FROM calendar
        WHERE day > date(coalesce(:now, 'now'), '-' || coalesce(:days, 30) || ' days')
    ),
    nights AS (SELECT DISTINCT task, substr(started_at_local, 1, 10) AS day FROM run_history)
SELECT first.task, calendar.day
FROM (SELECT task, min(day) AS day FROM nights GROUP BY task) AS first
JOIN calendar ON calendar.day > first.day
WHERE first.task = coalesce(:task, first.task)
  AND (first.task, calendar.day) NOT IN (SELECT task, day FROM nights)
ORDER BY first.task, calendar.day;
