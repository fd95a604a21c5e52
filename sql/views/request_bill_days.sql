-- What the runs of a task asked of each end, by the days on which they did.
CREATE VIEW request_bill_days AS
SELECT task.id AS task, substr(day, 1, 7) AS month, day, side,
       sum(lists) AS lists, sum(heads) AS heads, sum(gets) AS gets, sum(puts) AS puts,
       sum(parts) AS parts, sum(creates) AS creates, sum(completes) AS completes,
       sum(aborts) AS aborts, sum(deletes) AS deletes,
       sum(lists + heads + gets + puts + parts + creates + completes + aborts + deletes) AS requests,
       sum(read_bytes) AS read_bytes, sum(written_bytes) AS written_bytes
FROM traffic JOIN run USING (run) JOIN task USING (task)
GROUP BY task.id, day, side;
