-- As retry.sql, for one name, of a run or any. The condition that is true anyway
-- leads to its index.
SELECT request, carry, run, name, reason, settled_at, settled_offset, requested_at,
       requested_offset
FROM request INDEXED BY request_settled
WHERE task = ?1 AND name = ?9 AND state <> 'pending' AND state = 'failed'
  AND (carry, run, name, request) > (?3, ?4, ?5, ?6)
  AND (?2 IS NULL OR reason = ?2)
  AND (?8 IS NULL OR run = (SELECT run FROM run WHERE task = ?1 AND number = ?8))
ORDER BY carry, run, name, request
LIMIT ?7;
