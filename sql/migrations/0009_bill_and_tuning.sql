-- What runs ask of both ends, and what operators change of runs at work.

-- Requests by kind, and bytes of bodies, by the day on which they were recorded:
-- committed with the outcomes, so that a run that dies has said so.
CREATE TABLE traffic (
    run           INTEGER NOT NULL REFERENCES run,
    side          TEXT    NOT NULL CHECK (side IN ('source', 'destination')),
    -- In the run's zone.
    day           TEXT    NOT NULL,
    lists         INTEGER NOT NULL,
    heads         INTEGER NOT NULL,
    gets          INTEGER NOT NULL,
    puts          INTEGER NOT NULL,
    parts         INTEGER NOT NULL,
    creates       INTEGER NOT NULL,
    completes     INTEGER NOT NULL,
    aborts        INTEGER NOT NULL,
    deletes       INTEGER NOT NULL,
    read_bytes    INTEGER NOT NULL,
    written_bytes INTEGER NOT NULL,
    PRIMARY KEY (run, side, day)
) STRICT, WITHOUT ROWID;

-- With what a run began: objects and parts in flight at once, and when its time
-- was to be up; NULL: not known, or never.
ALTER TABLE run ADD COLUMN workers INTEGER;
ALTER TABLE run ADD COLUMN until_at INTEGER;
ALTER TABLE run ADD COLUMN until_offset INTEGER;

-- Changes of a run at work, in their order. A value is a number of workers, of
-- bytes a second, or a time; NULL: no limit, or of the old one: not known.
CREATE TABLE tuning (
    tuning        INTEGER PRIMARY KEY,
    run           INTEGER NOT NULL REFERENCES run,
    at            INTEGER NOT NULL,
    offset_minutes INTEGER NOT NULL,
    setting       TEXT    NOT NULL CHECK (setting IN ('workers', 'bandwidth', 'until')),
    old_value     INTEGER,
    new_value     INTEGER,
    -- Of times.
    old_offset    INTEGER,
    new_offset    INTEGER
) STRICT;
CREATE INDEX tuning_by_run ON tuning (run);
