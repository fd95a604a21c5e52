-- How often, and from when to when, each end of a run asked for a slower pace.
SELECT side, sum(times),
       substr(min(strftime('%Y-%m-%dT%H:%M', minute_at / 1000 + started_offset * 60, 'unixepoch')), 12),
       substr(max(strftime('%Y-%m-%dT%H:%M', minute_at / 1000 + started_offset * 60, 'unixepoch')), 12)
FROM throttled_minute JOIN run USING (run) JOIN task USING (task)
WHERE task.id = ?1 AND run.number = ?2
GROUP BY side ORDER BY side
