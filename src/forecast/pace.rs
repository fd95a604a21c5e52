//! How fast runs are, and how sure that is.

use super::rates::{Rates, Work};
use super::spread::Spread;
use super::{PastNight, Queue, Unknown, number};
use crate::model::RunBooks;

/// A run counts half as much as one so many runs after it.
const HALF_AS_MUCH: f64 = 10.0;

/// So many runs must be before one that is foretold, to see how far off that is.
const FEWEST_BEFORE: usize = 2;

/// As though so much of a run at work had gone at the past's pace: a quick beginning
/// may have been but names that need nothing.
const AS_USUAL: f64 = 0.1;

/// A past run that tells a pace.
#[derive(Debug, Clone, Copy)]
pub struct Night {
    /// What it did.
    pub work: Work,
    /// How long that took.
    pub seconds: f64,
}

impl Night {
    /// What `past` tells, if it does.
    pub fn told_by(past: &PastNight) -> Option<Self> {
        let duration_ms = past.duration_ms.filter(|_| past.books.settled() > 0)?;
        Some(Self {
            work: Work::of(&past.books),
            seconds: number(duration_ms.max(1)) / 1000.0,
        })
    }
}

/// What there is to do for a name, on average.
#[derive(Debug, Clone, Copy)]
struct Mix {
    copies: f64,
    bytes: f64,
}

impl Mix {
    fn learn<'a>(nights: &(impl Iterator<Item = (&'a Night, f64)> + Clone)) -> Self {
        let weights: f64 = nights.clone().map(|(_, weight)| weight).sum();
        let mean = |of: fn(&Work) -> f64| {
            let parts = nights.clone().map(|(night, weight)| {
                let work = &night.work;
                weight * of(work) / work.names
            });
            parts.sum::<f64>() / weights
        };
        Self {
            copies: mean(|work| work.copies),
            bytes: mean(|work| work.bytes),
        }
    }

    /// What there is to do for a name of the rest of a run.
    ///
    /// What is left as it is is settled first, so the rest is not like what is done:
    /// of the copies of the whole run those that are made are taken away.
    fn of_rest(self, done: Work, taken: f64) -> Self {
        let share = (done.names / taken).clamp(0.0, 1.0);
        let own_counts = share / (share + 1.0);
        let both = |past: f64, own: f64| (1.0 - own_counts) * past + own_counts * own;
        let rest = (taken - done.names).max(1.0);
        let all_copies = taken * both(self.copies, done.copies / done.names);
        let copies = ((all_copies - done.copies) / rest).clamp(0.0, 1.0);
        let past = if self.copies > 0.0 {
            self.bytes / self.copies
        } else {
            0.0
        };
        let own = if done.copies > 0.0 {
            done.bytes / done.copies
        } else {
            past
        };
        Self {
            copies,
            bytes: copies * both(past, own),
        }
    }

    fn of(self, names: f64) -> Work {
        Work {
            names,
            copies: names * self.copies,
            bytes: names * self.bytes,
        }
    }
}

/// How fast runs are, and how sure that is.
#[derive(Debug, Clone)]
pub struct Pace {
    rates: Rates,
    mix: Mix,
    /// How far off a forecast is that knows how many names there are,
    by_names: Spread,
    /// and one that knows copies and bytes too.
    by_work: Spread,
    /// How far off the bytes are that are foretold for so many names.
    bytes: Spread,
}

/// What a run has still to do, and how long that takes.
#[derive(Debug)]
pub struct Rest {
    /// How far off that may be.
    pub spread: Spread,
    /// How far off the bytes may be.
    pub bytes_spread: Spread,
    /// Requests that are settled already.
    pub settled: u64,
    /// Bytes that are copied already.
    pub bytes_so_far: u64,
    rates: Rates,
    /// Seconds still to come that are spent whatever there is.
    fixed: f64,
    mix: Mix,
    /// The work, where it is known.
    known: Option<Work>,
}

impl Pace {
    /// What `nights` tell, the oldest first.
    pub fn learn(nights: &[Night]) -> Self {
        let (mut by_names, mut by_work, mut bytes) = (Vec::new(), Vec::new(), Vec::new());
        for last in FEWEST_BEFORE..nights.len() {
            let (night, before) = (&nights[last], weighted(&nights[..last]));
            let (mix, rates) = (Mix::learn(&before), Rates::learn(before));
            let weight = weight(nights.len() - 1 - last);
            let mean = mix.of(night.work.names);
            let off = |work| night.seconds / (rates.fixed + rates.seconds(work));
            by_names.push((off(mean), weight));
            by_work.push((off(night.work), weight));
            bytes.push((night.work.bytes / mean.bytes, weight));
        }
        Self {
            rates: Rates::learn(weighted(nights)),
            mix: Mix::learn(&weighted(nights)),
            by_names: Spread::learn(&by_names),
            by_work: Spread::learn(&by_work),
            bytes: Spread::learn(&bytes),
        }
    }

    /// What there is still to do of `queue`.
    pub fn rest(&self, queue: Queue) -> Result<Rest, Unknown> {
        let to_come = Rest {
            spread: self.by_names,
            bytes_spread: self.bytes,
            settled: 0,
            bytes_so_far: 0,
            rates: self.rates,
            fixed: self.rates.fixed,
            mix: self.mix,
            known: None,
        };
        match queue {
            Queue::Expected { .. } => Ok(to_come),
            Queue::Rehearsed { copies: 1.., .. } if self.mix.copies <= 0.0 => {
                Err(Unknown::NeverCopied)
            }
            Queue::Rehearsed {
                taken,
                copies,
                copy_bytes,
            } => Ok(Rest {
                spread: self.by_work,
                bytes_spread: Spread::EXACT,
                known: Some(Work {
                    names: number(taken),
                    copies: number(copies),
                    bytes: number(copy_bytes),
                }),
                ..to_come
            }),
            Queue::UnderWay { books, elapsed_ms } => {
                Ok(to_come.under_way(&books, number(elapsed_ms) / 1000.0))
            }
        }
    }
}

impl Rest {
    /// The same, of a run that has done so much in so many seconds.
    fn under_way(self, books: &RunBooks, elapsed: f64) -> Self {
        let begun = Self {
            settled: books.settled(),
            bytes_so_far: books.synced_bytes,
            ..self
        };
        if begun.settled == 0 {
            return Self {
                fixed: (begun.fixed - elapsed).max(0.0),
                ..begun
            };
        }
        let done = Work::of(books);
        let behind = begun.rates.fixed + begun.rates.seconds(done);
        let taken = number(books.taken);
        let mix = begun.mix.of_rest(done, taken);
        let whole = behind + begun.rates.seconds(mix.of((taken - done.names).max(0.0)));
        let usual = AS_USUAL * whole;
        let own = (elapsed + usual * begun.spread.factor(0.0)) / (behind + usual);
        Self {
            spread: begun.spread.of_rest(own, behind / whole),
            fixed: 0.0,
            mix,
            ..begun
        }
    }

    /// The work for so many names.
    pub fn work(&self, names: u64) -> Work {
        self.known.unwrap_or_else(|| self.mix.of(number(names)))
    }

    /// Milliseconds for so many names: those that are spent whatever there is, and
    /// those for the names.
    pub fn ms(&self, names: u64) -> (f64, f64) {
        let moving = self.rates.seconds(self.work(names));
        (1000.0 * self.fixed, 1000.0 * moving)
    }
}

/// What a run counts that has so many after it.
pub fn weight(after: usize) -> f64 {
    let after = number(u64::try_from(after).unwrap_or(u64::MAX));
    (-after / HALF_AS_MUCH).exp2()
}

/// Each of `nights` with what it counts, the last of them 1.
fn weighted(nights: &[Night]) -> impl Iterator<Item = (&Night, f64)> + Clone {
    let last = nights.len().saturating_sub(1);
    nights
        .iter()
        .enumerate()
        .map(move |(index, night)| (night, weight(last - index)))
}
