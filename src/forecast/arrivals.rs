//! How many requests come in between one run and the next.

use super::pace::weight;
use super::spread::VALUES;
use super::{PastNight, number, whole};

/// How far beyond what was ever seen half a run counts, on either side.
const BEYOND: f64 = 0.25;

/// How many requests came in before past runs, the fewest first, and what each
/// counts.
#[derive(Debug, Clone)]
pub struct Arrivals(Vec<(u64, f64)>);

impl Arrivals {
    /// What `past` tells, the oldest first: what a run took and the one before it
    /// had not left.
    pub fn learn(past: &[PastNight]) -> Self {
        let pairs = past.iter().zip(past.iter().skip(1));
        let mut arrivals: Vec<(u64, f64)> = pairs
            .rev()
            .enumerate()
            .map(|(after, (before, night))| {
                let came = night.books.taken.saturating_sub(before.books.deferred);
                (came, weight(after))
            })
            .collect();
        arrivals.sort_unstable_by_key(|(came, _)| *came);
        if let (Some(&(least, _)), Some(&(most, _))) = (arrivals.first(), arrivals.last()) {
            arrivals.insert(0, (whole(number(least) * (1.0 - BEYOND)), 0.5));
            arrivals.push((whole(number(most) * (1.0 + BEYOND)), 0.5));
        }
        Self(arrivals)
    }

    /// Equally likely numbers of requests that still come in when so many have
    /// come already, the fewest first.
    pub fn beyond(&self, arrived: u64) -> [u64; VALUES] {
        let weights: f64 = self.0.iter().map(|(_, weight)| weight).sum();
        let (mut reached, mut index, mut sum) = ([0; VALUES], 0, 0.0);
        for &(came, weight) in &self.0 {
            sum += weight;
            // The middles of so many equal parts.
            while let Some(place) = reached.get_mut(index)
                && number(2 * index as u64 + 1) * weights <= sum * number(2 * VALUES as u64)
            {
                *place = came.saturating_sub(arrived);
                index += 1;
            }
        }
        // What rounding left.
        let last = self
            .0
            .last()
            .map_or(0, |(came, _)| came.saturating_sub(arrived));
        reached[index..].fill(last);
        reached
    }
}
