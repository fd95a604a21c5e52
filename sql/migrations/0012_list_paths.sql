-- Lists by their path, those too that another one followed there: whether a path was
-- ever a list's costs the same however many lists there were.
CREATE INDEX list_by_every_path ON list (task, path);
