-- From this version on a copy's tag that is the source's own is written `=`, in
-- attempt, last_copy and planned_copy (there the MD5), and older releases would
-- take it for the tag: they refuse a ledger of this version.

-- Failures whose names look as if something else was meant, for the summary of
-- their month: few, among the many that it need not look at.
CREATE INDEX request_odd ON request (task, settled_at)
WHERE state = 'failed' AND carry = 0 AND reason = 'source_missing'
  AND (name GLOB '#*' OR name GLOB '*/' OR name GLOB '*[ ' || char(9) || ']');
