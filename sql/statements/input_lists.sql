-- Input lists of a task before one, the last loaded first.
SELECT list, path, current, lines, requests, rejected, loaded_at, loaded_offset
FROM list
WHERE task = (SELECT task FROM task WHERE id = ?1) AND (loaded_at, list) < (?2, ?3)
ORDER BY loaded_at DESC, list DESC
LIMIT ?4
