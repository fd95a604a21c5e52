-- Notes how many of the failures of a run have one of the causes of a JSON array.
UPDATE run SET tolerated = (
    SELECT count(*) FROM attempt
    WHERE attempt.run = run.run AND outcome = 'failed'
      AND reason IN (SELECT value FROM json_each(?2)))
WHERE run = ?1
RETURNING tolerated
