-- The month's row of month_summary; one in which nothing happened has none
-- there, and is all zero but for what earlier months left pending. Counted back
-- from what is pending now, so that the months before cost nothing.
SELECT ?2 AS month,
       pending_at_end - requested + synced + failed + ignored AS pending_at_start,
       requested, synced, failed, ignored, pending_at_end, synced_bytes
FROM (SELECT coalesce(sum(iif(kind = 'requested', requests, 0)), 0) AS requested,
             coalesce(sum(iif(kind = 'synced', requests, 0)), 0) AS synced,
             coalesce(sum(iif(kind = 'failed', requests, 0)), 0) AS failed,
             coalesce(sum(iif(kind = 'ignored', requests, 0)), 0) AS ignored,
             coalesce(sum(iif(kind = 'synced', bytes, 0)), 0) AS synced_bytes
      FROM day_count
      WHERE task = (SELECT task FROM task WHERE id = ?1)
        AND day BETWEEN ?2 || '-01' AND ?2 || '-31'),
     (SELECT requested - synced - failed - ignored
             - (SELECT coalesce(sum(iif(kind = 'requested', requests, -requests)), 0)
                FROM day_count
                WHERE day_count.task = task.task AND day > ?2 || '-31') AS pending_at_end
      FROM task WHERE id = ?1)
