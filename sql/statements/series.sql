-- What task ?1 has of kind ?2 from ?3 up to ?4, by places of ?5 milliseconds; places
-- without anything are left out.
SELECT slot_at / ?5 * ?5 AS place, sum(requests), sum(bytes)
FROM slot_count
WHERE task = (SELECT task FROM task WHERE id = ?1) AND kind = ?2 AND slot_at >= ?3 AND slot_at < ?4
GROUP BY place HAVING sum(requests) <> 0
ORDER BY place
