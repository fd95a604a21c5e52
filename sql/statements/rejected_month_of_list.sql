-- The month in which a list of a task was last loaded, if that is this one or later.
SELECT strftime('%Y-%m', loaded_at / 1000 + loaded_offset * 60, 'unixepoch') AS month
FROM list
WHERE task = (SELECT task FROM task WHERE id = ?1) AND list = ?2 AND month >= ?3
