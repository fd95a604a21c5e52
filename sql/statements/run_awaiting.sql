-- How many requests a run has left because their objects are being restored.
SELECT count(*)
FROM run
JOIN archive_restore AS awaited ON awaited.task = run.task AND awaited.awaited = 1
    AND awaited.left_by = run.run
CROSS JOIN request ON request.task = awaited.task AND request.name = awaited.name
    AND request.state = 'pending' AND request.request <= run.taken_through
WHERE run.run = ?1
