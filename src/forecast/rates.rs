//! What takes how long, as past runs tell.

use super::number;
use super::pace::Night;
use crate::model::RunBooks;

/// How much the share of time is held back that a kind of work is said to take: what
/// is done whatever there is, and for every name, ten times as much as copies and
/// bytes. So runs that are all alike are taken to grow with what they move.
const HELD_BACK: [f64; 4] = [1.0, 1.0, 0.1, 0.1];

/// So often the four shares are settled one after the other. They hardly move any
/// more after some dozens.
const ROUNDS: usize = 200;

/// What a run does, or is to do.
#[derive(Debug, Clone, Copy)]
pub struct Work {
    /// Requests settled.
    pub names: f64,
    /// Of these, by a copy.
    pub copies: f64,
    /// Bytes of the copies.
    pub bytes: f64,
}

impl Work {
    /// What a run with these books did.
    pub fn of(books: &RunBooks) -> Self {
        Self {
            names: number(books.settled()),
            copies: number(books.synced),
            bytes: number(books.synced_bytes),
        }
    }
}

/// Seconds that each kind of work takes.
#[derive(Debug, Clone, Copy)]
pub struct Rates {
    /// Whatever there is.
    pub fixed: f64,
    name: f64,
    copy: f64,
    byte: f64,
}

impl Rates {
    /// The rates that foretell `nights` best, each with its weight.
    pub fn learn<'a>(nights: impl Iterator<Item = (&'a Night, f64)> + Clone) -> Self {
        // Each kind of work for a second of its run, and the mean of that.
        let dense = |night: &Night| {
            let Work {
                names,
                copies,
                bytes,
            } = night.work;
            [1.0, names, copies, bytes].map(|work| work / night.seconds)
        };
        let mut means = [0.0; 4];
        let mut weights = 0.0;
        for (night, weight) in nights.clone() {
            weights += weight;
            for (mean, dense) in means.iter_mut().zip(dense(night)) {
                *mean += weight * dense;
            }
        }
        let means = means.map(|mean| mean / weights);
        // Shares of the time, of which the squares of (1 - foretold / true) are the
        // least: `products` times shares is `sums`.
        let mut products = [[0.0; 4]; 4];
        let mut sums = [0.0; 4];
        for (night, weight) in nights {
            let mut shares = dense(night);
            for (share, mean) in shares.iter_mut().zip(means) {
                *share = if mean > 0.0 { *share / mean } else { 0.0 };
            }
            for (row, one) in shares.iter().enumerate() {
                sums[row] += weight * one;
                for (column, other) in shares.iter().enumerate() {
                    products[row][column] += weight * one * other;
                }
            }
        }
        let shares = shares(products, sums);
        let rate = |kind: usize| {
            if means[kind] > 0.0 {
                shares[kind] / means[kind]
            } else {
                0.0
            }
        };
        Self {
            fixed: rate(0),
            name: rate(1),
            copy: rate(2),
            byte: rate(3),
        }
    }

    /// Seconds for `work`, beside the fixed ones.
    pub fn seconds(&self, work: Work) -> f64 {
        self.name * work.names + self.copy * work.copies + self.byte * work.bytes
    }
}

/// The four shares, none negative, for which `products` times shares is nearest
/// `sums`: one after the other is set to its best, the others staying.
fn shares(products: [[f64; 4]; 4], sums: [f64; 4]) -> [f64; 4] {
    let mut shares = [0.0; 4];
    for _ in 0..ROUNDS {
        for kind in 0..4 {
            let others: f64 = (0..4)
                .filter(|other| *other != kind)
                .map(|other| products[kind][other] * shares[other])
                .sum();
            let best = (sums[kind] - others) / (products[kind][kind] + HELD_BACK[kind]);
            shares[kind] = best.max(0.0);
        }
    }
    shares
}

#[cfg(test)]
mod tests {
    use super::*;

    fn night(names: f64, copies: f64, bytes: f64, seconds: f64) -> Night {
        Night {
            work: Work {
                names,
                copies,
                bytes,
            },
            seconds,
        }
    }

    fn foretold(rates: &Rates, night: &Night) -> f64 {
        rates.fixed + rates.seconds(night.work)
    }

    #[test]
    fn what_takes_the_time_is_found_where_runs_differ() {
        // Two seconds, a millisecond a name, ten a copy, a second for 100 MB.
        let nights: Vec<Night> = [
            (1_000.0, 900.0, 1e8),
            (9_000.0, 200.0, 4e8),
            (4_000.0, 3_900.0, 2e9),
            (500.0, 10.0, 1e6),
            (20_000.0, 9_000.0, 1e8),
            (3_000.0, 100.0, 6e9),
            (7_000.0, 7_000.0, 1e9),
        ]
        .into_iter()
        .map(|(names, copies, bytes)| {
            let seconds = 2.0 + names / 1e3 + copies / 1e2 + bytes / 1e8;
            night(names, copies, bytes, seconds)
        })
        .collect();
        let rates = Rates::learn(nights.iter().map(|night| (night, 1.0)));
        for night in &nights {
            let off = foretold(&rates, night) / night.seconds;
            assert!((0.85..1.1).contains(&off), "{off} {night:?}");
        }
    }

    #[test]
    fn runs_that_are_alike_are_taken_to_grow_with_their_work() {
        let alike = night(1_000.0, 800.0, 1e8, 100.0);
        let rates = Rates::learn([(&alike, 1.0); 5].into_iter());
        let tenfold = night(10_000.0, 8_000.0, 1e9, 1_000.0);
        let off = foretold(&rates, &tenfold) / tenfold.seconds;
        assert!((0.94..0.98).contains(&off), "{off}");
    }
}
