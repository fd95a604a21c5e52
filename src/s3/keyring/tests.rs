use std::collections::VecDeque;
use std::sync::Barrier;
use std::sync::mpsc::{Sender, channel};

use super::*;

const MINUTE_MS: i64 = 60_000;

/// What is issued next: keys by this id, which expire at this minute, or why not.
type Answer = Result<(&'static str, i64), (&'static str, bool)>;

struct World {
    keyring: Arc<Keyring>,
    clock: Clock,
    answers: Arc<Mutex<VecDeque<Answer>>>,
}

impl World {
    /// Nothing is asked for but what `answers` hold; it is minute 0.
    fn new(answers: &[Answer]) -> Self {
        let clock = Clock::fixed(Timestamp::from_ms(0));
        let answers = Arc::new(Mutex::new(VecDeque::from(answers.to_vec())));
        let next = Arc::clone(&answers);
        let issue: Issue = Arc::new(move || match next.lock().unwrap().pop_front().unwrap() {
            Ok((id, minute)) => Ok(keys(id, Some(minute))),
            Err((why, may_pass)) => Err(NotIssued {
                why: why.to_owned(),
                may_pass,
            }),
        });
        let keyring = Arc::new(keyring(KeySupply::Issued(issue), &clock));
        Self {
            keyring,
            clock,
            answers,
        }
    }

    fn at(&self, minute: i64) {
        self.clock.set(Timestamp::from_ms(minute * MINUTE_MS));
    }

    /// The id of what signs now, or why nothing does.
    fn id(&self) -> Result<String, NoKeys> {
        let signer = self.keyring.signer()?;
        Ok(signer.access_key_id().to_owned())
    }

    fn left(&self) -> usize {
        self.answers.lock().unwrap().len()
    }
}

fn keys(id: &str, minute: Option<i64>) -> AccessKeys {
    AccessKeys {
        access_key_id: id.to_owned(),
        secret_access_key: Secret::new(format!("secret of {id}")),
        session_token: None,
        expires_at: minute.map(|minute| Timestamp::from_ms(minute * MINUTE_MS)),
    }
}

fn keyring(supply: KeySupply, clock: &Clock) -> Keyring {
    let patience = Patience {
        pause: Duration::ZERO,
        ..Patience::USUAL
    };
    Keyring::new(supply, "eu-west-1".into(), clock.clone(), patience)
}

fn no_keys<T>(why: &str, had_some: bool) -> Result<T, NoKeys> {
    let why = why.to_owned();
    Err(NoKeys { why, had_some })
}

#[test]
fn keys_of_which_nobody_says_when_they_expire_stay() {
    let clock = Clock::fixed(Timestamp::from_ms(0));
    let keyring = keyring(KeySupply::Fixed(keys("A", None)), &clock);
    clock.set(Timestamp::from_ms(i64::MAX));
    let signer = keyring.signer().unwrap();
    assert_eq!(signer.access_key_id(), "A");
    keyring.accepted(&signer);
    assert!(!keyring.expired(&signer));
    assert_eq!(keyring.at_hand().unwrap().access_key_id(), "A");
}

#[test]
fn keys_are_asked_for_at_the_first_request_and_five_minutes_before_they_expire() {
    let world = World::new(&[Ok(("A", 60)), Ok(("B", 120)), Ok(("C", 180))]);
    assert!(world.keyring.at_hand().is_none());
    for (minute, id) in [(0, "A"), (54, "A"), (55, "B"), (114, "B"), (121, "C")] {
        world.at(minute);
        assert_eq!(world.id().as_deref(), Ok(id), "{minute}");
        let at_hand = world.keyring.at_hand().unwrap();
        assert_eq!(at_hand.access_key_id(), id);
    }
    // What is under way was signed with those before.
    assert_eq!(world.keyring.ids(), ["C", "B"]);
    let secrets = world.keyring.secrets();
    let secrets: Vec<&str> = secrets.iter().map(Secret::reveal).collect();
    assert_eq!(secrets, ["secret of C", "secret of B"]);
}

#[test]
fn keys_that_live_short_are_renewed_in_the_last_quarter_of_their_life() {
    let world = World::new(&[Ok(("A", 4)), Ok(("B", 60))]);
    for (minute, id) in [(0, "A"), (2, "A"), (3, "B")] {
        world.at(minute);
        assert_eq!(world.id().as_deref(), Ok(id), "{minute}");
    }
}

#[test]
fn while_one_renews_others_go_on_with_what_is_good() {
    let (clock, gate) = (
        Clock::fixed(Timestamp::from_ms(0)),
        Arc::new(Barrier::new(2)),
    );
    let (asked, asks): (Sender<()>, _) = channel();
    let (inner, ids) = (Arc::clone(&gate), Mutex::new(vec!["B", "A"]));
    let issue: Issue = Arc::new(move || {
        let id = ids.lock().unwrap().pop().unwrap();
        if id == "B" {
            asked.send(()).unwrap();
            inner.wait();
        }
        Ok(keys(id, Some(if id == "A" { 60 } else { 120 })))
    });
    let keyring = keyring(KeySupply::Issued(issue), &clock);
    assert_eq!(keyring.signer().unwrap().access_key_id(), "A");
    clock.set(Timestamp::from_ms(56 * MINUTE_MS));
    assert!(keyring.at_hand().is_none(), "somebody is to renew them");
    thread::scope(|scope| {
        let renewing = scope.spawn(|| keyring.signer().unwrap());
        asks.recv().unwrap();
        for _ in 0..3 {
            assert_eq!(keyring.signer().unwrap().access_key_id(), "A");
            assert_eq!(keyring.at_hand().unwrap().access_key_id(), "A");
        }
        gate.wait();
        assert_eq!(renewing.join().unwrap().access_key_id(), "B");
    });
}

#[test]
fn without_good_keys_all_wait_for_the_one_that_asks() {
    let world = World::new(&[Ok(("A", 60)), Ok(("B", 120))]);
    world.id().unwrap();
    world.at(60);
    let ids: Vec<String> = thread::scope(|scope| {
        let threads: Vec<_> = (0..8)
            .map(|_| scope.spawn(|| world.id().unwrap()))
            .collect();
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap())
            .collect()
    });
    assert_eq!(ids, ["B"; 8]);
}

#[test]
fn a_renewal_that_fails_early_costs_nothing_and_is_tried_again_after_half_a_minute() {
    let world = World::new(&[
        Ok(("A", 60)),
        Err(("no", true)),
        Err(("no", true)),
        Ok(("B", 120)),
    ]);
    world.id().unwrap();
    for (minute, left) in [(55, 2), (55, 2), (56, 1), (56, 1)] {
        world.at(minute);
        assert_eq!(world.id().as_deref(), Ok("A"));
        assert_eq!(world.keyring.at_hand().unwrap().access_key_id(), "A");
        assert_eq!(world.left(), left);
    }
    // Failed just before they expire, it is tried again at once when they do.
    world.at(60);
    assert_eq!(world.id().as_deref(), Ok("B"));
}

#[test]
fn without_good_keys_it_is_asked_several_times_and_then_not_at_once_again() {
    let failed = Err(("no", true));
    let world = World::new(&[
        failed,
        failed,
        Ok(("A", 60)),
        failed,
        failed,
        failed,
        failed,
        failed,
    ]);
    assert_eq!(world.id().as_deref(), Ok("A"), "the third time");
    world.at(60);
    assert_eq!(world.id(), no_keys("no", true));
    assert_eq!((world.id(), world.left()), (no_keys("no", true), 0));
    world.answers.lock().unwrap().push_back(Ok(("B", 120)));
    world.at(61);
    assert_eq!(world.id().as_deref(), Ok("B"));
}

#[test]
fn what_will_not_pass_is_asked_once() {
    let world = World::new(&[Err(("never", false)), Ok(("A", 60))]);
    assert_eq!((world.id(), world.left()), (no_keys("never", false), 1));
}

#[test]
fn keys_that_the_server_takes_for_expired_are_renewed_once() {
    let world = World::new(&[Ok(("A", 60)), Ok(("B", 60))]);
    let first = world.keyring.signer().unwrap();
    assert!(!world.keyring.expired(&first), "they were never any good");
    world.keyring.accepted(&first);
    assert!(world.keyring.expired(&first));
    assert!(world.keyring.at_hand().is_none());
    assert_eq!(world.id().as_deref(), Ok("B"));
    // Another request that they signed comes back later.
    assert!(world.keyring.expired(&first));
    assert_eq!(world.id().as_deref(), Ok("B"));
    let second = world.keyring.signer().unwrap();
    assert!(!world.keyring.expired(&second));
    assert_eq!(world.id().as_deref(), Ok("B"));
}
