-- Lists with rejected lines that were last loaded in a month, from one key to another,
-- the last first.
SELECT list, path, current, rejected
FROM list INDEXED BY list_rejected
WHERE task = (SELECT task FROM task WHERE id = ?1) AND rejected > 0
  AND strftime('%Y-%m', loaded_at / 1000 + loaded_offset * 60, 'unixepoch') = ?2
  AND list BETWEEN ?3 AND ?4
ORDER BY list DESC
