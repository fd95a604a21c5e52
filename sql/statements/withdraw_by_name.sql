-- The next pending requests for a name, by id.
SELECT request, requested_at, requested_offset FROM request
WHERE task = ?1 AND name = ?2 AND state = 'pending' AND request > ?3
ORDER BY request
LIMIT ?4;
