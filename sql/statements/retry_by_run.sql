-- As retry.sql, of one run: the unary plus leads to its part of the index, not to
-- the place where the batch before ended.
SELECT request, carry, run, name, reason, settled_at, settled_offset, requested_at,
       requested_offset
FROM request INDEXED BY request_failed
WHERE task = ?1 AND state = 'failed' AND (+carry, run, name, request) > (?3, ?4, ?5, ?6)
  AND (?2 IS NULL OR reason = ?2)
  AND carry IN (0, 1) AND run = (SELECT run FROM run WHERE task = ?1 AND number = ?8)
ORDER BY carry, run, name, request
LIMIT ?7;
