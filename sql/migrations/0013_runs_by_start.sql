-- Runs by when they began: a month's are found without a look at the others.
CREATE INDEX run_by_start ON run (task, started_at);
