-- Attempts that ignored an object although the tags of both ends say that its bytes
-- differ. Few among many, so the usual attempt pays nothing for them.
CREATE TABLE suspect (
    run     INTEGER NOT NULL REFERENCES run,
    request INTEGER NOT NULL REFERENCES request,
    PRIMARY KEY (run, request)
) STRICT, WITHOUT ROWID;
CREATE INDEX suspect_by_request ON suspect (request);
