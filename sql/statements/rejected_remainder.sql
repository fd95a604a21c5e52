-- The last row of a list with more rejected lines than are kept stands for the others.
UPDATE rejected_line
SET excerpt = 'and ' || printf('%,d', ?2) || ' more'
WHERE list = ?1 AND line = (SELECT max(line) FROM rejected_line WHERE list = ?1);
