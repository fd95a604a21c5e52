-- Rejected lines of a list behind one of them, and whether each is the last that is kept.
SELECT line, reason, excerpt, line = (SELECT max(line) FROM rejected_line WHERE list = ?1)
FROM rejected_line
WHERE list = ?1 AND line > ?2
ORDER BY line
