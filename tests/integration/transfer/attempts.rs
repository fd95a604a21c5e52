//! Which causes are tried again within a run, how often, and how far apart.

use std::time::{Duration, Instant};

use nightferry::model::FailureCause;
use nightferry::transfer::RetryPolicy;

use super::{World, object};
use crate::s3_server::{Fault, FaultAction};

const ATTEMPTS: u32 = 3;

/// Copies one object with `fault` at the operation; answers the cause and how
/// often the operation was asked for.
fn attempts(fault: Fault, policy: RetryPolicy) -> (FailureCause, u32) {
    let operation = fault.operation.unwrap();
    let mut world = World::new();
    world.transfer.retry = policy;
    world.server.put("src", "a", object("some text"));
    let planned = world.planned("a");
    world.server.on(fault);
    let copied = world.copy_as("a", &planned);
    let failure = copied.expect_err("the fault never ends");
    let made = u32::try_from(world.count(operation)).unwrap();
    assert_eq!(world.tally.retries(), made - 1);
    (failure.cause, made)
}

const QUICK: RetryPolicy = RetryPolicy {
    attempts: ATTEMPTS,
    base_ms: 1,
    cap_ms: 2,
};

/// Every cause that a server can bring about, and how. Those that no answer to a
/// copy can be are named with `None`.
fn fault_for(cause: FailureCause) -> Option<Fault> {
    use FailureCause as Cause;
    let get = |status, code| Fault::answer(status, code).operation("GetObject");
    let put = |status, code| Fault::answer(status, code).operation("PutObject");
    Some(match cause {
        Cause::SourceMissing => get(404, "NoSuchKey"),
        Cause::SourceDenied => get(403, "AccessDenied"),
        Cause::SourceArchived => get(403, "InvalidObjectState"),
        Cause::SourceChanged => get(412, "PreconditionFailed"),
        Cause::DestinationDenied => put(403, "AccessDenied"),
        Cause::DestinationFull => put(507, "XMinioStorageFull"),
        Cause::Throttled => put(503, "SlowDown"),
        Cause::ServerError => get(500, "InternalError"),
        Cause::Network => Fault::new(FaultAction::DropConnection).operation("PutObject"),
        Cause::Timeout => put(400, "RequestTimeout"),
        Cause::Integrity => put(400, "BadDigest"),
        Cause::MetadataRefused => put(400, "MetadataTooLarge"),
        Cause::TooLarge => put(400, "EntityTooLarge"),
        Cause::BadRequest => put(400, "InvalidArgument"),
        Cause::CredentialsRefused => put(403, "InvalidAccessKeyId"),
        Cause::AccountBlocked => put(403, "AllAccessDisabled"),
        Cause::BucketMissing => put(404, "NoSuchBucket"),
        Cause::ClockSkew => put(403, "RequestTimeTooSkewed"),
        // A fault of the program's own; and what the preflight makes of others.
        Cause::Internal | Cause::EndpointUnreachable | Cause::PermissionMissing => return None,
    })
}

#[test]
fn each_cause_is_tried_again_as_the_table_says_and_no_more_often() {
    use FailureCause as Cause;
    let within_the_run = [
        Cause::Throttled,
        Cause::ServerError,
        Cause::Network,
        Cause::Timeout,
        Cause::Integrity,
        Cause::SourceChanged,
    ];
    for &cause in Cause::ALL {
        let again = within_the_run.contains(&cause);
        assert_eq!(cause.is_retried_within_run(), again, "{cause}");
        assert!(!again || !cause.is_final(), "{cause}");
        let Some(fault) = fault_for(cause) else {
            continue;
        };
        // A changed source is no better for being read again with the old facts:
        // the voyage looks at it anew.
        let expected = if again && cause != Cause::SourceChanged {
            ATTEMPTS
        } else {
            1
        };
        assert_eq!(attempts(fault, QUICK), (cause, expected), "{cause}");
    }
}

#[test]
fn the_configured_number_of_attempts_is_kept_exactly() {
    for configured in [1, 2, 7] {
        let fault = Fault::answer(503, "SlowDown").operation("PutObject");
        let policy = RetryPolicy {
            attempts: configured,
            ..QUICK
        };
        assert_eq!(
            attempts(fault, policy),
            (FailureCause::Throttled, configured)
        );
    }
}

#[test]
fn a_server_is_not_asked_again_before_it_said() {
    let fault = Fault::new(FaultAction::Answer {
        status: 503,
        code: "SlowDown",
        message: "later",
        headers: vec![("Retry-After".to_owned(), "1".to_owned())],
    });
    let policy = RetryPolicy {
        attempts: 2,
        base_ms: 0,
        cap_ms: 5000,
    };
    let began = Instant::now();
    let (cause, made) = attempts(fault.operation("PutObject"), policy);
    assert_eq!((cause, made), (FailureCause::Throttled, 2));
    assert!(began.elapsed() >= Duration::from_secs(1));
}
