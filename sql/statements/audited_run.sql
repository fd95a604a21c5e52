-- A run as past_runs.sql has it, and what vouches for its lists: the kept hash of its
-- manifest (NULL: none is kept) and whether the destination took it (NULL: it was not to
-- be delivered), how many of its attempts were pruned (all, failed ones), and how many
-- lines its creation_failures list has.
SELECT number, run_id, run_name, run.state, started_at, started_offset, ended_at, ended_offset,
       taken_through IS NOT NULL, taken, run.synced, run.failed, run.ignored,
       coalesce(deferred, taken - run.synced - run.failed - run.ignored), synced_bytes,
       run.rejected, retries, throttled, requests_sent, exit_code, exit_reasons,
       coalesce(begin_message,
                'the ' || breaker_side || ' failed ' || breaker_failures
                    || ' objects in a row: ' || breaker_message),
       tolerated, (SELECT count(*) FROM suspect WHERE suspect.run = run.run),
       wanted, copies, copies_drifted, spot_check.ignored, ignored_drifted, undecided, skipped,
       listed, 'manifests/' || run_name || '.manifest.json',
       coalesce(delivery.sha256, manifest_sha256), delivery.state = 'delivered',
       coalesce(pruned_run.synced + pruned_run.failed + pruned_run.ignored, 0),
       coalesce(pruned_run.failed, 0),
       coalesce((SELECT sum(lines) FROM delivery AS creation
                 WHERE creation.run = run.run
                   AND creation.path GLOB 'failed_object_lists/creation_failures/*'),
                (SELECT count(*) FROM begin_failure WHERE begin_failure.run = run.run))
FROM run
LEFT JOIN delivery ON delivery.task = run.task
                  AND delivery.path = 'manifests/' || run_name || '.manifest.json'
LEFT JOIN pruned_run ON pruned_run.run = run.run
LEFT JOIN spot_check ON spot_check.run = run.run
WHERE run.run = ?1
