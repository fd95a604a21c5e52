-- As retry.sql, for one name. The condition that is true anyway leads to its index.
SELECT request, carry, settled_at, reason,
       date(settled_at / 1000 + settled_offset * 60, 'unixepoch')
FROM request INDEXED BY request_settled
WHERE task = ?1 AND name = ?8 AND state <> 'pending' AND state = 'failed'
  AND (carry, settled_at, request) > (?4, ?5, ?6)
  AND (?2 IS NULL OR reason = ?2)
  AND (?3 IS NULL OR run = (SELECT run FROM run WHERE task = ?1 AND number = ?3))
ORDER BY carry, settled_at, request
LIMIT ?7;
