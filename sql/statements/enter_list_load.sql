-- One loading of a part of a list. A run at work has the highest number; between
-- runs it is told by the next one.
INSERT INTO list_load (task, list, number, path, first_line_sha256, sha256, loaded_bytes, lines,
                       requests, rejected, first_request, requested_at, requested_offset,
                       loaded_at, loaded_offset, zone)
SELECT :task, :list, coalesce(max(number), 0) + (coalesce(sum(state = 'running'), 0) = 0), :path,
       :first_line_sha256, :sha256, :loaded_bytes, :lines, :requests, :rejected, :first_request,
       :requested_at, :requested_offset, :loaded_at, :loaded_offset, :zone
FROM (SELECT number, state FROM run WHERE task = :task ORDER BY number DESC LIMIT 1)
RETURNING load
