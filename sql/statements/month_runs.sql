-- The runs of a task that began in a month by the clocks that they had, in that order.
-- No clock is more than a day apart from UTC.
SELECT run
FROM run
WHERE task = (SELECT task FROM task WHERE id = ?1)
  AND started_at >= (CAST(strftime('%s', ?2 || '-01') AS INTEGER) - 86400) * 1000
  AND started_at < (CAST(strftime('%s', ?2 || '-01', '+1 month') AS INTEGER) + 86400) * 1000
  AND substr(started_at_local, 1, 7) = ?2
ORDER BY started_at, run
