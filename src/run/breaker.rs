//! When to leave the rest to the next run: one side goes on refusing or failing.
//!
//! A failure that may be the whole side's is held back at first, for it is not
//! known yet whose fault it is. A copy that arrives tells: that side is well,
//! and what was held back has failed by itself. If none arrives for long, the
//! side is asked outright (a probe), and its answer decides:
//!
//! | what comes | a side's streak | what is recorded |
//! |--|--|--|
//! | synced | ends, unless a probe is under way | it, and what was held back |
//! | ignored | goes on: neither end had to give or take bytes | it |
//! | failed, but not by the side (`source_missing`, `integrity`, …) | goes on | it |
//! | failed, and perhaps by the side | grows by one | nothing |
//! | the same, and the side's breaker is open | | nothing: deferred |
//! | the probe ends well | begins anew; until something arrives it must be twice as long | what was held back, as failed |
//! | the probe ends well, but all of it was `destination_full` | opens the breaker | nothing: deferred |
//! | the probe fails by the side | opens the breaker | nothing: deferred |
//!
//! So a bad prefix of 100,000 names costs some eighty probes and opens nothing,
//! and no more than [`MOST_HELD`] failures, and those in flight, are ever held.

use crate::ledger::OpenBreaker;
use crate::model::{Attempt, Failure, FailureCause, ObjectName, Outcome, Side};

/// So many failures without a copy between them, and the side is asked.
const THRESHOLD: usize = 20;

/// No streak has to be longer than this to have the side asked.
const MOST_HELD: usize = 1280;

/// So many are enough to ask once nothing else is left to do. A night of a few
/// names whose destination has just gone away is deferred; two bad objects are
/// two bad objects.
const LEAST: usize = 3;

/// An attempt that failed, and its place in the order of work.
type Placed = (u64, Attempt);

/// The side whose fault `failure` may be as a whole: it refuses what it used to
/// allow, or does not answer as it should. What can only be the fault of one
/// object, and what no side answered, is nobody's.
pub fn suspect(failure: &Failure) -> Option<Side> {
    use FailureCause as Cause;
    match failure.cause {
        // Refusing.
        Cause::SourceDenied => Some(Side::Source),
        Cause::DestinationDenied | Cause::DestinationFull => Some(Side::Destination),
        Cause::CredentialsRefused
        | Cause::AccountBlocked
        | Cause::BucketMissing
        | Cause::PermissionMissing
        | Cause::ClockSkew
        // Failing.
        | Cause::Throttled
        | Cause::ServerError
        | Cause::Network
        | Cause::Timeout
        | Cause::EndpointUnreachable => failure.side,
        // Of one object.
        Cause::SourceMissing
        | Cause::SourceArchived
        | Cause::SourceChanged
        | Cause::Integrity
        | Cause::MetadataRefused
        | Cause::TooLarge
        | Cause::BadRequest
        | Cause::Internal => None,
    }
}

/// Failures of one side since something last arrived.
struct Streak {
    side: Side,
    held: Vec<Placed>,
    threshold: usize,
}

impl Streak {
    const fn new(side: Side) -> Self {
        Self {
            side,
            held: Vec::new(),
            threshold: THRESHOLD,
        }
    }

    fn failures(&self) -> impl Iterator<Item = &Failure> {
        self.held.iter().filter_map(|(_, attempt)| failure(attempt))
    }

    /// A canary fits where no object does.
    fn is_full(&self) -> bool {
        self.failures()
            .all(|failure| failure.cause == FailureCause::DestinationFull)
    }
}

fn failure(attempt: &Attempt) -> Option<&Failure> {
    match &attempt.outcome {
        Outcome::Failed(failure) => Some(failure),
        Outcome::Synced(_) | Outcome::Ignored(_) | Outcome::Excluded(_) => None,
    }
}

/// The breakers of both sides of a run.
pub struct Breaker {
    streaks: [Streak; 2],
    probing: Option<Side>,
    open: Option<OpenBreaker>,
    last_synced: Option<ObjectName>,
}

impl Breaker {
    /// Both closed.
    pub const fn new() -> Self {
        Self {
            streaks: [Streak::new(Side::Source), Streak::new(Side::Destination)],
            probing: None,
            open: None,
            last_synced: None,
        }
    }

    /// Lets an attempt through, or holds it back; answers what may be recorded now.
    pub fn pass(&mut self, place: u64, attempt: Attempt) -> Vec<Placed> {
        let mut passed = Vec::new();
        match &attempt.outcome {
            Outcome::Failed(failure) => {
                if let Some(side) = suspect(failure) {
                    if self.open.as_ref().is_none_or(|open| open.side != side) {
                        self.streak(side).held.push((place, attempt));
                    }
                    return passed;
                }
            }
            Outcome::Synced(_) => {
                self.last_synced = Some(attempt.name.clone());
                let probing = self.probing;
                for streak in &mut self.streaks {
                    if probing != Some(streak.side) {
                        passed.append(&mut streak.held);
                        streak.threshold = THRESHOLD;
                    }
                }
            }
            Outcome::Ignored(_) | Outcome::Excluded(_) => {}
        }
        passed.push((place, attempt));
        passed
    }

    /// The side that is to be probed now; `at_end` if nothing else is left to
    /// do. Whoever asks sends the probe, and says what [`probed`](Self::probed).
    pub fn due(&mut self, at_end: bool) -> Option<Side> {
        if self.probing.is_some() || self.open.is_some() {
            return None;
        }
        let is_due = |streak: &&Streak| {
            let enough = if at_end { LEAST } else { streak.threshold };
            streak.held.len() >= enough
        };
        self.probing = self.streaks.iter().find(is_due).map(|streak| streak.side);
        self.probing
    }

    /// Whether an answer is waited for.
    pub const fn is_probing(&self) -> bool {
        self.probing.is_some()
    }

    /// What the probe of `side` said; answers what may be recorded now.
    pub fn probed(&mut self, side: Side, answer: Result<(), Failure>) -> Vec<Placed> {
        self.probing = None;
        let refused = answer
            .err()
            .filter(|failure| suspect(failure) == Some(side));
        let streak = self.streak(side);
        let last = streak.failures().last();
        if let Some(last) = last.or(refused.as_ref())
            && let Some((_, first)) = streak.held.first()
            && (refused.is_some() || streak.is_full())
        {
            let open = OpenBreaker {
                side,
                cause: last.cause,
                since: first.at,
                failures: streak.held.len() as u64,
                message: last.message.clone(),
            };
            streak.held.clear();
            self.open = Some(open);
            return Vec::new();
        }
        streak.threshold = (streak.threshold * 2).min(MOST_HELD);
        std::mem::take(&mut streak.held)
    }

    /// Why the rest is deferred, if a breaker is open.
    pub const fn open(&self) -> Option<&OpenBreaker> {
        self.open.as_ref()
    }

    /// What is still held at the very end. Too few to say anything of a side
    /// have failed; more, of a run that was `stopped` before it could ask, are
    /// left.
    pub fn rest(&mut self, stopped: bool) -> Vec<Placed> {
        let held = self.streaks.iter_mut().map(|streak| {
            let held = std::mem::take(&mut streak.held);
            let is_left = stopped && held.len() >= LEAST;
            if is_left { Vec::new() } else { held }
        });
        held.flatten().collect()
    }

    /// The names that are held back for `side`.
    pub fn held(&self, side: Side) -> Vec<ObjectName> {
        self.streaks
            .iter()
            .filter(|streak| streak.side == side)
            .flat_map(|streak| streak.held.iter().map(|(_, attempt)| attempt.name.clone()))
            .collect()
    }

    /// The name that arrived last.
    pub const fn last_synced(&self) -> Option<&ObjectName> {
        self.last_synced.as_ref()
    }

    fn streak(&mut self, side: Side) -> &mut Streak {
        let [source, destination] = &mut self.streaks;
        match side {
            Side::Source => source,
            Side::Destination => destination,
        }
    }
}

#[cfg(test)]
mod tests;
