//! The keys that requests are signed with, and their renewal while requests go on.
//!
//! Keys of which nobody says when they expire stay for good. Others are renewed some
//! minutes before: by one thread, while the others go on with those that are there.
//! Only when there are none that are good does everybody wait for the one.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use super::signer::Signer;
use crate::clock::Clock;
use crate::model::Timestamp;
use crate::secret::{AccessKeys, Secret};

/// So long before they expire keys are renewed, unless they live so short that a
/// quarter of it must do.
const AHEAD_MS: i64 = 5 * 60 * 1000;

/// So long it is until a renewal is tried again that failed.
const AGAIN_MS: i64 = 30 * 1000;

/// Where keys come from that have to be renewed.
pub type Issue = Arc<dyn Fn() -> Result<AccessKeys, NotIssued> + Send + Sync>;

/// Why no keys were issued.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotIssued {
    /// For people; without any secret.
    pub why: String,
    /// Whether it may be otherwise in a moment.
    pub may_pass: bool,
}

/// Where a bucket's keys come from.
#[derive(Clone)]
pub enum KeySupply {
    /// They are these.
    Fixed(AccessKeys),
    /// They are asked for when the first request is signed, and before they expire.
    Issued(Issue),
}

impl fmt::Debug for KeySupply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Fixed(_) => "Fixed(…)",
            Self::Issued(_) => "Issued(…)",
        })
    }
}

/// How often in a row keys are asked for that nobody can go on without.
#[derive(Debug, Clone, Copy)]
pub(super) struct Patience {
    /// Before there were any: a run that cannot begin must say so soon.
    at_first: u32,
    /// In the middle of a night.
    later: u32,
    /// After the first try; it doubles for each further one.
    pause: Duration,
    /// No further try begins after so long.
    limit: Duration,
}

impl Patience {
    /// The usual.
    pub(super) const USUAL: Self = Self {
        at_first: 3,
        later: 5,
        pause: Duration::from_millis(500),
        limit: Duration::from_mins(1),
    };
}

/// Why a request cannot be signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct NoKeys {
    pub(super) why: String,
    /// Whether there were keys before.
    pub(super) had_some: bool,
}

/// The keys of one bucket.
pub(super) struct Keyring {
    region: String,
    clock: Clock,
    patience: Patience,
    issue: Option<Issue>,
    /// Held by the thread that asks for new keys.
    asking: Mutex<()>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    held: Option<Held>,
    /// Those before. What is still under way was signed with them.
    last: Option<Arc<Signer>>,
    failed: Option<Failed>,
}

/// Keys were asked for in vain.
struct Failed {
    why: String,
    /// Until when nobody asks again.
    until: Timestamp,
    /// Whether others were still good, and so it was asked only once.
    could_go_on: bool,
}

struct Held {
    signer: Arc<Signer>,
    /// When they are to be renewed and when they expire; `None`: never.
    ends: Option<(Timestamp, Timestamp)>,
    /// Whether the server took a request that they signed.
    accepted: AtomicBool,
}

impl Keyring {
    pub(super) fn new(supply: KeySupply, region: String, clock: Clock, patience: Patience) -> Self {
        let (keys, issue) = match supply {
            KeySupply::Fixed(keys) => (Some(keys), None),
            KeySupply::Issued(issue) => (None, Some(issue)),
        };
        let keyring = Self {
            region,
            clock,
            patience,
            issue,
            asking: Mutex::default(),
            state: Mutex::default(),
        };
        keys.map(|keys| keyring.hold(keys));
        keyring
    }

    /// What signs now, if nobody has to ask for keys first. Never waits.
    ///
    /// | keys | somebody asks | then |
    /// |--|--|--|
    /// | none, or expired | | `None` |
    /// | to be renewed | no | `None` |
    /// | to be renewed | yes, or in vain just now | these |
    /// | good | | these |
    pub(super) fn at_hand(&self) -> Option<Arc<Signer>> {
        let now = self.clock.now();
        let state = self.state();
        let (signer, is_due) = state.good(now)?;
        let waits = is_due && state.resting(now).is_none() && self.asking.try_lock().is_ok();
        (!waits).then_some(signer)
    }

    /// What signs now. Asks for keys, or waits for whoever does, if there are none
    /// that are good.
    pub(super) fn signer(&self) -> Result<Arc<Signer>, NoKeys> {
        if let Some(signer) = self.at_hand() {
            return Ok(signer);
        }
        let _asking = self.asking.lock().unwrap_or_else(PoisonError::into_inner);
        // Somebody else may have asked meanwhile.
        let now = self.clock.now();
        let (good, had_some, resting) = {
            let state = self.state();
            let resting = state.resting(now);
            let resting = resting.map(|failed| (failed.why.clone(), failed.could_go_on));
            (state.good(now), state.held.is_some(), resting)
        };
        match (good, resting) {
            (Some((signer, false)), _) | (Some((signer, true)), Some(_)) => Ok(signer),
            (None, Some((why, false))) => Err(NoKeys { why, had_some }),
            (good, _) => self.renewed(good.map(|(signer, _)| signer), had_some),
        }
    }

    /// Asks for keys. Whoever is still `good` asks once, and goes on in any case.
    fn renewed(&self, good: Option<Arc<Signer>>, had_some: bool) -> Result<Arc<Signer>, NoKeys> {
        let tries = match (&good, had_some) {
            (Some(_), _) => 1,
            (None, true) => self.patience.later,
            (None, false) => self.patience.at_first,
        };
        let why = match self.ask(tries) {
            Ok(keys) => return Ok(self.hold(keys)),
            Err(why) => why,
        };
        self.state().failed = Some(Failed {
            why: why.clone(),
            until: self.clock.now().plus_ms(AGAIN_MS),
            could_go_on: good.is_some(),
        });
        let Some(signer) = good else {
            return Err(NoKeys { why, had_some });
        };
        tracing::warn!("keys are not renewed yet, those before are still good: {why}");
        Ok(signer)
    }

    fn ask(&self, tries: u32) -> Result<AccessKeys, String> {
        let Some(issue) = &self.issue else {
            return Err("none are configured".to_owned());
        };
        let began = Instant::now();
        let mut pause = self.patience.pause;
        let mut left = tries;
        loop {
            left -= 1;
            let NotIssued { why, may_pass } = match issue() {
                Ok(keys) => return Ok(keys),
                Err(refusal) => refusal,
            };
            if !may_pass || left == 0 || began.elapsed() + pause > self.patience.limit {
                return Err(why);
            }
            tracing::warn!("no keys to sign with; they are asked for again: {why}");
            thread::sleep(pause);
            pause *= 2;
        }
    }

    /// The server took a request that `signer` signed.
    pub(super) fn accepted(&self, signer: &Arc<Signer>) {
        if self.issue.is_some()
            && let Some(held) = self.state().held.as_ref().filter(|held| held.is(signer))
        {
            held.accepted.store(true, Ordering::Relaxed);
        }
    }

    /// The server says that the keys of `signer` have expired. Answers whether it is
    /// worth trying with new ones: it is not, if these were never any good.
    pub(super) fn expired(&self, signer: &Arc<Signer>) -> bool {
        if self.issue.is_none() {
            return false;
        }
        let now = self.clock.now();
        let mut state = self.state();
        let Some(held) = &mut state.held else {
            return false;
        };
        if !held.is(signer) {
            return true;
        }
        let is_worth_it = held.accepted.load(Ordering::Relaxed);
        if is_worth_it {
            held.ends = Some((now, now));
            state.failed = None;
        }
        is_worth_it
    }

    /// The ids of the keys in use.
    pub(super) fn ids(&self) -> Vec<String> {
        let signers = self.signers();
        let ids = signers
            .iter()
            .map(|signer| signer.access_key_id().to_owned());
        ids.collect()
    }

    /// What nobody may see of the keys in use.
    pub(super) fn secrets(&self) -> Vec<Secret> {
        let signers = self.signers();
        signers
            .iter()
            .flat_map(|signer| signer.secrets().cloned())
            .collect()
    }

    fn signers(&self) -> Vec<Arc<Signer>> {
        let state = self.state();
        let held = state.held.iter().map(|held| &held.signer);
        held.chain(&state.last).cloned().collect()
    }

    fn hold(&self, keys: AccessKeys) -> Arc<Signer> {
        let now = self.clock.now();
        let ends = keys.expires_at.map(|expires_at| {
            let lifetime_ms = expires_at.ms().saturating_sub(now.ms());
            let ahead_ms = AHEAD_MS.min(lifetime_ms / 4);
            (expires_at.plus_ms(-ahead_ms), expires_at)
        });
        let signer = Arc::new(Signer::new(
            keys.access_key_id,
            keys.secret_access_key,
            keys.session_token,
            self.region.clone(),
        ));
        let mut state = self.state();
        let before = state.held.replace(Held {
            signer: Arc::clone(&signer),
            ends,
            accepted: AtomicBool::new(false),
        });
        state.last = before.map(|before| before.signer);
        state.failed = None;
        signer
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// The keys that are good, and whether they are to be renewed.
    fn good(&self, now: Timestamp) -> Option<(Arc<Signer>, bool)> {
        let held = self.held.as_ref()?;
        let is_due = match held.ends {
            None => false,
            Some((_, expires_at)) if now >= expires_at => return None,
            Some((renew_at, _)) => now >= renew_at,
        };
        Some((Arc::clone(&held.signer), is_due))
    }

    /// What went wrong so shortly ago that nobody asks again yet.
    fn resting(&self, now: Timestamp) -> Option<&Failed> {
        self.failed.as_ref().filter(|failed| now < failed.until)
    }
}

impl Held {
    fn is(&self, signer: &Arc<Signer>) -> bool {
        Arc::ptr_eq(&self.signer, signer)
    }
}

#[cfg(test)]
mod tests;
