-- Requests by the five minutes in which they were asked for, or their present outcome
-- was reached: what day_count has by local day. Whoever changes one changes the other.
CREATE TABLE slot_count (
    task     INTEGER NOT NULL REFERENCES task,
    kind     TEXT    NOT NULL CHECK (kind = 'requested' OR kind = 'synced' OR kind = 'failed'
                                     OR kind = 'ignored'),
    -- When the five minutes began.
    slot_at  INTEGER NOT NULL,
    requests INTEGER NOT NULL,
    bytes    INTEGER NOT NULL,
    PRIMARY KEY (task, kind, slot_at)
) STRICT, WITHOUT ROWID;
INSERT INTO slot_count (task, kind, slot_at, requests, bytes)
SELECT task, kind, slot_at, sum(requests), sum(bytes)
FROM (SELECT task, 'requested' AS kind, requested_at / 300000 * 300000 AS slot_at,
             count(*) AS requests, 0 AS bytes
      FROM request GROUP BY 1, 3
      UNION ALL
      SELECT task, state, settled_at / 300000 * 300000, count(*),
             sum(iif(state = 'synced', coalesce(size_bytes, 0), 0))
      FROM request WHERE state <> 'pending' GROUP BY 1, 2, 3
      UNION ALL
      -- Of what was pruned only the day is known: it counts at noon.
      SELECT task, kind, (CAST(strftime('%s', day, '+12 hours') AS INTEGER)
                          - offset_minutes * 60) / 300 * 300000, pruned_count.requests, bytes
      FROM pruned_count JOIN task USING (task))
GROUP BY 1, 2, 3;
