-- Names that failed in one month for one cause, behind a place, in their order.
SELECT name, request
FROM request INDEXED BY request_failed_by_month
WHERE task = (SELECT task FROM task WHERE id = ?1) AND state = 'failed'
  AND strftime('%Y-%m', settled_at / 1000 + settled_offset * 60, 'unixepoch') = ?2
  AND reason = ?3 AND (name, request) > (?4, ?5)
ORDER BY name, request
