-- Lists, whatever their path, that begin with a line and are not longer than a
-- file; an empty one is the beginning of everything and says nothing.
SELECT list, path, sha256, loaded_bytes, lines, fingerprint
FROM list
WHERE task = ?1 AND first_line_sha256 = ?2 AND loaded_bytes BETWEEN 1 AND ?3
ORDER BY loaded_bytes, list;
