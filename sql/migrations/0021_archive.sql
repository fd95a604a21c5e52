-- Objects that the source was asked to bring back from its archive.

CREATE TABLE archive_restore (
    archive_restore INTEGER PRIMARY KEY,
    task            INTEGER NOT NULL REFERENCES task,
    name            TEXT    NOT NULL,
    -- The run that asked, or found that the source was at it already.
    run             INTEGER NOT NULL REFERENCES run,
    asked_at        INTEGER NOT NULL,
    asked_offset    INTEGER NOT NULL,
    -- What was asked for; NULL: another asked, or a run that was killed.
    tier            TEXT    CHECK (tier IN ('Standard', 'Bulk', 'Expedited')),
    days            INTEGER CHECK (days > 0),
    size_bytes      INTEGER,
    -- Whether the name's requests wait for it.
    awaited         INTEGER NOT NULL CHECK (awaited IN (0, 1)),
    -- The last run that left them for it.
    left_by         INTEGER NOT NULL REFERENCES run,
    CHECK ((tier IS NULL) = (days IS NULL))
) STRICT;

-- One is awaited of a name at a time; few among many.
CREATE UNIQUE INDEX archive_restore_awaited ON archive_restore (task, name) WHERE awaited = 1;
CREATE INDEX archive_restore_by_name ON archive_restore (task, name);

-- Of its deferred requests those that await a restore.
ALTER TABLE run ADD COLUMN awaiting INTEGER NOT NULL DEFAULT 0 CHECK (awaiting >= 0);
