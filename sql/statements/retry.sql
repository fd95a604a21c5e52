-- The next failed requests in the order of the index of them: for a cause or any.
-- (?3, ?4, ?5, ?6) is the last one of the batch before.
SELECT request, carry, run, name, reason, settled_at, settled_offset, requested_at,
       requested_offset
FROM request INDEXED BY request_failed
WHERE task = ?1 AND state = 'failed' AND (carry, run, name, request) > (?3, ?4, ?5, ?6)
  AND (?2 IS NULL OR reason = ?2)
ORDER BY carry, run, name, request
LIMIT ?7;
