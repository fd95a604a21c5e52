-- Names that the source did not have and that look as if something else was
-- meant: how many of each look, and one of them.
SELECT count(*), min(name),
       CASE WHEN name GLOB '#*' THEN '#'
            WHEN name GLOB '*/' THEN '/'
            WHEN name GLOB '*[ ' || char(9) || ']' THEN ' ' END AS look
FROM request JOIN task USING (task)
WHERE task.id = ?1 AND state = 'failed' AND carry = 0 AND reason = 'source_missing'
  AND strftime('%Y-%m', settled_at / 1000 + settled_offset * 60, 'unixepoch') = ?2
GROUP BY look HAVING look IS NOT NULL
ORDER BY look
