-- A file owed to the destination bucket; the same content again changes nothing.
INSERT INTO delivery (task, path, run, lines, bytes, sha256, state)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, 'owed')
ON CONFLICT (task, path) DO UPDATE
SET run = excluded.run, lines = excluded.lines, bytes = excluded.bytes, sha256 = excluded.sha256,
    state = 'owed', problem = NULL
WHERE delivery.sha256 <> excluded.sha256
