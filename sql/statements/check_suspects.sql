-- Each suspect against its attempt, which must have ignored an object whose tags differ.
SELECT printf('request %d of %s in run %d stands as suspect, but its attempt cannot be',
              suspect.request, id, number)
FROM suspect
JOIN run USING (run)
JOIN task USING (task)
LEFT JOIN attempt ON attempt.request = suspect.request AND attempt.run = suspect.run
WHERE outcome IS NOT 'ignored'
   OR attempt.reason NOT IN ('newer_at_destination', 'exists')
   OR source_etag = destination_etag
LIMIT 100
