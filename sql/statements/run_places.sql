-- What run ?1 settled in each stretch of ?2 ms, counted from midnight on clocks that are
-- ?3 ms ahead of UTC.
SELECT (at + ?3) / ?2 * ?2 - ?3 AS place_at, sum(outcome = 'synced'), sum(outcome = 'failed'),
       sum(outcome = 'ignored'), sum(iif(outcome = 'synced', coalesce(source_size_bytes, 0), 0))
FROM attempt
WHERE run = ?1
GROUP BY place_at ORDER BY place_at
