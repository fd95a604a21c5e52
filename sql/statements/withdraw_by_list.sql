-- The next pending requests of the lists that are or were at a path, by id.
-- Without the unary plus the index by name would be walked from its start for each batch.
SELECT request, requested_at, requested_offset FROM request
WHERE +task = ?1 AND +state = 'pending' AND request > ?3
  AND list IN (SELECT list FROM list WHERE task = ?1 AND path = ?2)
ORDER BY request
LIMIT ?4;
