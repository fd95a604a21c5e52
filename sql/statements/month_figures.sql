-- The month's row of month_summary. A month in which nothing happened has none
-- there: it is all zero but for what earlier months left pending.
SELECT ?2 AS month,
       iif(month = ?2, pending_at_start, pending_at_end) AS pending_at_start,
       iif(month = ?2, requested, 0), iif(month = ?2, synced, 0), iif(month = ?2, failed, 0),
       iif(month = ?2, ignored, 0), pending_at_end, iif(month = ?2, synced_bytes, 0)
FROM month_summary
WHERE task = ?1 AND month <= ?2
ORDER BY month_summary.month DESC LIMIT 1
