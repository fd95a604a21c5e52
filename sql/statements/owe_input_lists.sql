-- Input lists loaded since the task's last run that came to its end began, as far
-- as they were loaded; those without a line loaded are left out.
INSERT INTO delivery (task, path, run, lines, bytes, sha256, state)
SELECT task, path, NULL, lines, loaded_bytes, sha256, 'owed'
FROM list WHERE task = ?1 AND +current = 1 AND loaded_bytes > 0
  AND loaded_at >= coalesce((SELECT started_at FROM run
                             WHERE task = ?1 AND exit_code IS NOT NULL
                             ORDER BY number DESC LIMIT 1), 0)
ON CONFLICT (task, path) DO UPDATE
SET run = excluded.run, lines = excluded.lines, bytes = excluded.bytes, sha256 = excluded.sha256,
    state = 'owed', problem = NULL
WHERE delivery.sha256 <> excluded.sha256
