-- A list at the path that it had when a part of it was loaded; list_load.sql follows.
INSERT INTO list (list, task, path, first_line_sha256, sha256, loaded_bytes, lines, requests,
                  rejected, loaded_at, loaded_offset, zone)
VALUES (:list, :task, :path, '', '', 0, 0, 0, 0, :loaded_at, :loaded_offset, :zone)
ON CONFLICT (list) DO UPDATE SET path = excluded.path, current = 1
