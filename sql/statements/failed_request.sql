-- A failed request, and what was answered when it failed.
SELECT run.number, settled_at, settled_offset, attempts,
       iif(carry = 1 AND left_over >= 0, left_over, NULL), error_code, http_status
FROM (SELECT request.*, first_failed_day + carry_over_days
                 - (?2 + task.offset_minutes * 60) / 86400 AS left_over
      FROM request JOIN task USING (task)) AS request
LEFT JOIN run ON run.run = request.run
LEFT JOIN attempt ON attempt.request = request.request AND attempt.run = request.run
WHERE request.request = ?1
