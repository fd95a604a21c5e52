-- The ?2 objects of run ?1 that took longest, and longer than ?3 ms.
SELECT name, slow.run, at, offset_minutes, outcome, slow.reason, slow.size_bytes, duration_ms
FROM (SELECT attempt.request, number AS run, at, offset_minutes, outcome, reason,
             source_size_bytes AS size_bytes, duration_ms
      FROM attempt JOIN run USING (run)
      WHERE attempt.run = ?1 AND duration_ms > ?3
      ORDER BY duration_ms DESC, at, attempt.request LIMIT ?2) AS slow
JOIN request ON request.request = slow.request
ORDER BY duration_ms DESC, at, name
