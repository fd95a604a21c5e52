-- Notes that a list is now loaded up to :loaded_bytes. The time of loading is
-- that of the last new bytes: a mere renaming does not change it.
UPDATE list
SET first_line_sha256 = :first_line_sha256,
    sha256 = :sha256,
    loaded_at = iif(:loaded_bytes > loaded_bytes, :loaded_at, loaded_at),
    loaded_offset = iif(:loaded_bytes > loaded_bytes, :loaded_offset, loaded_offset),
    zone = iif(:loaded_bytes > loaded_bytes, :zone, zone),
    loaded_bytes = :loaded_bytes,
    lines = :lines,
    requests = requests + :requests,
    rejected = rejected + :rejected,
    fingerprint = :fingerprint
WHERE list = :list
RETURNING rejected;
