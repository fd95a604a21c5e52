-- One loading of a part of a list, as a journal tells it.
INSERT INTO list_load (task, list, number, path, first_line_sha256, sha256, loaded_bytes, lines,
                       requests, rejected, first_request, requested_at, requested_offset,
                       loaded_at, loaded_offset, zone)
VALUES (:task, :list, :number, :path, :first_line_sha256, :sha256, :loaded_bytes, :lines,
        :requests, :rejected, :first_request, :requested_at, :requested_offset,
        :loaded_at, :loaded_offset, :zone)
RETURNING load
