-- Input lists of a task are taken as dealt with: no old list is delivered again.
INSERT OR IGNORE INTO delivery (task, path, run, lines, bytes, sha256, state, problem)
SELECT task, path, NULL, lines, loaded_bytes, sha256, 'local',
       'not in the bucket when the ledger was rebuilt'
FROM list WHERE task = ?1 AND current = 1 AND loaded_bytes > 0
