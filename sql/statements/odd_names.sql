-- Names that the source did not have and that look as if something else was
-- meant: how many of each look, and one of them. The bounds of settled_at are
-- those of the month anywhere on earth, so that an index of such names leads to
-- its failures.
SELECT count(*), min(name),
       CASE WHEN name GLOB '#*' THEN '#'
            WHEN name GLOB '*/' THEN '/'
            WHEN name GLOB '*[ ' || char(9) || ']' THEN ' ' END AS look
FROM request INDEXED BY request_odd
WHERE task = (SELECT task FROM task WHERE id = ?1) AND state = 'failed' AND carry = 0
  AND settled_at >= (strftime('%s', ?2 || '-01') - 86400) * 1000
  AND settled_at < (strftime('%s', ?2 || '-01', '+1 month') + 86400) * 1000
  AND reason = 'source_missing'
  AND (name GLOB '#*' OR name GLOB '*/' OR name GLOB '*[ ' || char(9) || ']')
  AND strftime('%Y-%m', settled_at / 1000 + settled_offset * 60, 'unixepoch') = ?2
GROUP BY look
ORDER BY look
