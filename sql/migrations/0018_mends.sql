-- What a check found and was asked to have carried again.

-- One row for each name and asking. destination_etag is the entity tag of what
-- may be replaced, whatever the rule for ignoring says; NULL: nothing was there.
-- run is the one whose outcome answered it; NULL: it is still open.
CREATE TABLE mend (
    mend             INTEGER PRIMARY KEY,
    task             INTEGER NOT NULL REFERENCES task,
    name             TEXT    NOT NULL,
    finding          TEXT    NOT NULL CHECK (finding = 'gone' OR finding = 'changed'
                                             OR finding = 'newer_at_source'
                                             OR finding = 'foreign'),
    found_at         INTEGER NOT NULL,
    found_offset     INTEGER NOT NULL,
    destination_etag TEXT,
    run              INTEGER REFERENCES run
) STRICT;
CREATE UNIQUE INDEX mend_open ON mend (task, name) WHERE run IS NULL;
