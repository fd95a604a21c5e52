-- An attempt as far as lists tell it.
INSERT INTO attempt (request, run, attempt, at, offset_minutes, outcome, reason,
                     source_size_bytes, error_code, duration_ms)
SELECT request, ?2, attempts, ?3, ?4, ?5, ?6, ?7, ?8, 0 FROM request WHERE request = ?1
