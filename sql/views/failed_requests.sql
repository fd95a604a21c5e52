-- Failed requests. carried_over: 1 if a coming run will take it up again, for days_left days.
-- Both values of carry are named, and the run's task, so that an index leads to those of one run.
CREATE VIEW failed_requests AS
SELECT id AS task, request, name, number AS run, failed_at, failed_at_local, attempts, cause,
       carry = 1 AND left_over >= 0 AS carried_over,
       iif(carry = 1, max(left_over, 0), 0) AS days_left,
       error_code, http_status, message
FROM (SELECT task.id, request.request, request.name, run.number, settled_at AS failed_at,
             strftime('%Y-%m-%dT%H:%M:%S', settled_at / 1000 + settled_offset * 60, 'unixepoch')
           || printf('.%03d%s%02d:%02d', settled_at % 1000, iif(settled_offset < 0, '-', '+'),
                     abs(settled_offset) / 60, abs(settled_offset) % 60) AS failed_at_local,
             attempts, request.reason AS cause, carry,
             first_failed_day + carry_over_days
                 - (strftime('%s', 'now') + task.offset_minutes * 60) / 86400 AS left_over,
             error_code, http_status, message
      FROM request
      JOIN task USING (task)
      JOIN run ON run.run = request.run AND run.task = request.task
      LEFT JOIN attempt ON attempt.request = request.request AND attempt.run = request.run
      WHERE request.state = 'failed' AND carry IN (0, 1));
