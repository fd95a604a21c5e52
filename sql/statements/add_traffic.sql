-- Adds what a run asked of one side to what is known of its day.
INSERT INTO traffic (run, side, day, lists, heads, gets, puts, parts, creates, completes, aborts,
                     deletes, read_bytes, written_bytes)
VALUES (:run, :side, :day, :lists, :heads, :gets, :puts, :parts, :creates, :completes, :aborts,
        :deletes, :read_bytes, :written_bytes)
ON CONFLICT DO UPDATE SET
    lists = lists + excluded.lists, heads = heads + excluded.heads, gets = gets + excluded.gets,
    puts = puts + excluded.puts, parts = parts + excluded.parts,
    creates = creates + excluded.creates, completes = completes + excluded.completes,
    aborts = aborts + excluded.aborts, deletes = deletes + excluded.deletes,
    read_bytes = read_bytes + excluded.read_bytes,
    written_bytes = written_bytes + excluded.written_bytes
