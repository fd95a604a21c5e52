-- A run as its manifest, or a later journal, tells it. Its lists are there.
INSERT INTO run (task, number, run_id, run_name, state, zone, started_at, started_offset,
                 ended_at, ended_offset, taken, synced, failed, ignored, deferred, synced_bytes,
                 rejected, retries, throttled, requests_sent, deferral, resume_name,
                 begin_cause, begin_error_code, destination_prefix, listed)
VALUES (:task, :number, :run_id, :run_name, :state, :zone, :started_at, :started_offset,
        :ended_at, :ended_offset, :taken, :synced, :failed, :ignored, :deferred, :synced_bytes,
        :rejected, :retries, :throttled, :requests_sent, :deferral, :resume_name,
        :begin_cause, :begin_error_code, :destination_prefix, 1)
RETURNING run
