-- A new list of which nothing is loaded yet; list_load.sql follows in the same transaction.
INSERT INTO list (task, path, first_line_sha256, sha256, loaded_bytes, lines, requests, rejected,
                  loaded_at, loaded_offset, zone)
VALUES (:task, :path, '', '', 0, 0, 0, 0, :loaded_at, :loaded_offset, :zone)
RETURNING list;
