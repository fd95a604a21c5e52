-- What task ?1 has of kind ?2 from ?3 up to ?4, by five minutes in their order; those
-- from which all was taken back are left out. Put together by longer places it would
-- be sorted, which costs more than to read it.
SELECT slot_at, requests, bytes
FROM slot_count
WHERE task = (SELECT task FROM task WHERE id = ?1) AND kind = ?2 AND slot_at >= ?3 AND slot_at < ?4
  AND requests <> 0
ORDER BY slot_at
