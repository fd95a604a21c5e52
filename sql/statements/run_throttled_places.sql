-- How often each end of run ?1 asked for a slower pace in each stretch of ?2 ms, counted
-- from midnight on clocks that are ?3 ms ahead of UTC.
SELECT (minute_at + ?3) / ?2 * ?2 - ?3 AS place_at, sum(iif(side = 'source', times, 0)),
       sum(iif(side = 'destination', times, 0))
FROM throttled_minute
WHERE run = ?1
GROUP BY place_at ORDER BY place_at
