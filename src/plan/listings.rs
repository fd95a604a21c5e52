//! What a run has learned of one bucket's listings.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use super::before::is_listed_as_it_is;
use crate::model::DestinationPrefix;

/// Fewer names than this are asked about one by one: no page is worth it.
const LEAST_NAMES: usize = 32;

/// A page that says something of fewer names was not worth it.
const WORTHWHILE: usize = 16;

/// Nor was one that took longer for each of them than one that is asked about
/// alone: some servers look through the whole bucket for a page. Yet this long it
/// may take at any distance,
const SHORT_FOR_A_NAME: Duration = Duration::from_millis(1);

/// and never longer than this: many HEADs are under way at once meanwhile.
const LONGEST_FOR_A_NAME: Duration = Duration::from_millis(5);

/// For so many names no page is tried after one that was not worth it; for twice
/// as many after the next one.
const FIRST_PAUSE: usize = 256;

/// The longest pause in names.
const LONGEST_PAUSE: usize = 1 << 20;

/// What a run has learned of one bucket's listings: whether they can be relied
/// on, and whether the names it asks for lie close together there. Shared by all
/// that look at the bucket meanwhile.
#[derive(Debug)]
pub struct Listings {
    trusted: AtomicBool,
    density: Mutex<Density>,
    /// How long the bucket takes to answer for one name; measured when it matters.
    answers_within: OnceLock<Duration>,
}

/// How far apart the names lie, as the last pages showed it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Density {
    /// Names for which no page is tried.
    pause: usize,
    next_pause: usize,
}

impl Density {
    const fn new() -> Self {
        Self {
            pause: 0,
            next_pause: FIRST_PAUSE,
        }
    }

    /// Whether a page is to be tried for what comes next, `names` that follow
    /// each other.
    ///
    /// | names | pause | verdict |
    /// |--|--|--|
    /// | fewer than 32 | any | no |
    /// | more | as many or more are left of it | no, and so many less are left |
    /// | more | fewer | yes |
    const fn is_worth_a_try(&mut self, names: usize) -> bool {
        if names < LEAST_NAMES {
            return false;
        }
        let pauses = self.pause >= names;
        self.pause = self.pause.saturating_sub(names);
        !pauses
    }

    /// Learns from a page that said something of so many `names` and took so long
    /// for `each`, if it may take `longest`; answers whether to go on with the next.
    ///
    /// | names | each took | verdict |
    /// |--|--|--|
    /// | fewer than 16 | any time | pause |
    /// | more | longer than `longest` | pause |
    /// | more | less | go on |
    fn learn(&mut self, names: usize, each: Duration, longest: Duration) -> bool {
        if names >= WORTHWHILE && each <= longest {
            *self = Self::new();
            return true;
        }
        self.pause = self.next_pause;
        self.next_pause = (self.next_pause * 2).min(LONGEST_PAUSE);
        false
    }
}

impl Listings {
    /// Nothing is known yet, and the best is assumed.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            trusted: AtomicBool::new(true),
            density: Mutex::new(Density::new()),
            answers_within: OnceLock::new(),
        }
    }

    /// The same of a bucket in which `prefix` is put before every name: no server's
    /// listing is relied on where that alone makes names of which it is not certain
    /// how they are listed.
    #[must_use]
    pub fn under(prefix: &DestinationPrefix) -> Self {
        let listings = Self::new();
        if !is_listed_as_it_is(&prefix.place("name")) {
            listings.distrust();
        }
        listings
    }

    /// Whether they are still relied on.
    #[must_use]
    pub fn are_trusted(&self) -> bool {
        self.trusted.load(Ordering::Relaxed)
    }

    /// From now on everything is asked one by one. Answers whether they were
    /// relied on until now, so that it is said once.
    pub fn distrust(&self) -> bool {
        self.trusted.swap(false, Ordering::Relaxed)
    }

    /// Whether a page is to be tried for `names` that follow each other; if not,
    /// they are asked about one by one.
    #[must_use]
    pub fn are_worth_a_try(&self, names: usize) -> bool {
        self.are_trusted() && self.density().is_worth_a_try(names)
    }

    /// Learns from a page that said something of so many `names`; whether to go on
    /// with the next one. Where that depends on how long it takes to `ask` about a
    /// name alone, one is asked about, once.
    pub(super) fn learn(&self, names: usize, took: Duration, ask: impl FnOnce()) -> bool {
        let each = u32::try_from(names.max(1)).map_or(Duration::ZERO, |names| took / names);
        let range = SHORT_FOR_A_NAME..=LONGEST_FOR_A_NAME;
        let longest = if names >= WORTHWHILE && range.contains(&each) {
            let asking = self.answers_within.get_or_init(|| {
                let began = Instant::now();
                ask();
                began.elapsed()
            });
            *asking.clamp(range.start(), range.end())
        } else {
            *range.start()
        };
        self.density().learn(names, each, longest)
    }

    fn density(&self) -> MutexGuard<'_, Density> {
        self.density.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for Listings {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_names_are_never_worth_a_page() {
        let mut density = Density::new();
        assert!(!density.is_worth_a_try(31));
        assert!(density.is_worth_a_try(32));
    }

    #[test]
    fn pages_that_say_little_are_tried_more_and_more_seldom() {
        let mut density = Density::new();
        let mut tries = 0;
        for _ in 0..1000 {
            if density.is_worth_a_try(1000) {
                tries += 1;
                assert!(!density.learn(15, Duration::ZERO, SHORT_FOR_A_NAME));
            }
        }
        assert_eq!(tries, 12, "of a million names");
        assert!(density.learn(16, SHORT_FOR_A_NAME, SHORT_FOR_A_NAME));
        assert_eq!(density, Density::new());
    }

    #[test]
    fn pages_that_take_longer_than_asking_are_not_followed() {
        let ms = Duration::from_millis;
        for (each_ms, longest_ms, goes_on) in [(2, 1, false), (2, 2, true), (5, 4, false)] {
            let mut density = Density::new();
            let learnt = density.learn(1000, ms(each_ms), ms(longest_ms));
            assert_eq!(learnt, goes_on, "{each_ms} {longest_ms}");
            assert_eq!(density.is_worth_a_try(256), goes_on);
        }
    }

    #[test]
    fn a_name_is_asked_about_only_where_it_matters_and_once() {
        let listings = Listings::new();
        let mut asked = 0;
        let pages = [
            (15, 45),
            (1000, 900),
            (1000, 6_000),
            (1000, 3_000),
            (1000, 3_000),
        ];
        let learnt = pages.map(|(names, took_ms)| {
            // However quickly it is answered.
            listings.learn(names, Duration::from_millis(took_ms), || asked += 1)
        });
        assert_eq!((learnt, asked), ([false, true, false, false, false], 1));
    }

    #[test]
    fn what_is_not_trusted_is_never_tried() {
        let listings = Listings::new();
        assert!(listings.are_worth_a_try(1000));
        assert!(listings.distrust());
        assert!(!listings.distrust());
        assert!(!listings.are_worth_a_try(1000));
    }
}
