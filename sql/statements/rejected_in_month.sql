-- How many lines were rejected of lists that were last loaded in a month.
SELECT coalesce(sum(rejected), 0)
FROM list INDEXED BY list_rejected
WHERE task = (SELECT task FROM task WHERE id = ?1) AND rejected > 0
  AND strftime('%Y-%m', loaded_at / 1000 + loaded_offset * 60, 'unixepoch') = ?2
