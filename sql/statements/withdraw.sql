-- Settles a pending request as taken back; no run did it.
UPDATE request
SET state = 'ignored', reason = 'withdrawn', settled_at = ?2, settled_offset = ?3,
    run = NULL, carry = 0
WHERE request = ?1;
