-- The figures of each day of a month on which something was asked for or settled.
SELECT CAST(substr(day, 9) AS INTEGER),
       sum(iif(kind = 'requested', requests, 0)), sum(iif(kind = 'synced', requests, 0)),
       sum(iif(kind = 'failed', requests, 0)), sum(iif(kind = 'ignored', requests, 0)),
       sum(iif(kind = 'synced', bytes, 0))
FROM day_count
WHERE task = (SELECT task FROM task WHERE id = ?1) AND day BETWEEN ?2 || '-01' AND ?2 || '-31'
GROUP BY day ORDER BY day
