//! What a night is like: drawn by chance, but the same for the same seed.

use std::thread;
use std::time::Duration;

use fastrand::Rng;

use crate::s3_server::{Fault, FaultAction, S3Server};

/// Where objects are read.
pub const SOURCE: &str = "source";

/// Where they are written.
pub const DESTINATION: &str = "destination";

/// Names of a night, in the middle.
const NAMES: f64 = 600.0;

/// Bytes of an object, in the middle.
const BYTES: f64 = 6_000.0;

/// Microseconds that the server takes for an answer, in the middle.
const ANSWER_MICROSECONDS: f64 = 20_000.0;

/// One night after another.
pub struct Weather {
    random: Rng,
    made: u64,
    known: Vec<String>,
}

impl Weather {
    pub fn new(seed: u64) -> Self {
        Self {
            random: Rng::with_seed(seed),
            made: 0,
            known: Vec::new(),
        }
    }

    /// Makes the objects of the next night, lets the server be as quick as it is
    /// that night, and says which names come in.
    pub fn night(&mut self, server: &S3Server) -> Vec<String> {
        let answer = ANSWER_MICROSECONDS * self.off_by(0.2);
        let answer = Duration::from_secs_f64(answer / 1e6);
        server.clear_faults();
        server.on(Fault::new(FaultAction::call_back(move |_| {
            thread::sleep(answer);
        })));
        let (names, bytes) = (NAMES * self.off_by(0.4), BYTES * self.off_by(0.3));
        let already_there = 0.1 + 0.3 * self.random.f64();
        let mut asked = Vec::new();
        for _ in 0..names as usize {
            let chance = self.random.f64();
            if chance < already_there && !self.known.is_empty() {
                let again = self.random.usize(..self.known.len());
                asked.push(self.known[again].clone());
                continue;
            }
            self.made += 1;
            let name = format!("2026/{:07}.jpg", self.made);
            // One in a hundred is missing, one in fifty is much larger.
            if chance < 0.99 {
                let large = if self.random.u8(..50) == 0 { 40.0 } else { 1.0 };
                let bytes = bytes * self.off_by(0.8) * large;
                server.put_random(SOURCE, &name, bytes as u64, self.made);
                self.known.push(name.clone());
            }
            asked.push(name);
        }
        asked
    }

    /// A factor around 1 whose logarithm has this width.
    fn off_by(&mut self, width: f64) -> f64 {
        // The sum of twelve is close to normal, with a width of 1.
        let sum: f64 = (0..12).map(|_| self.random.f64()).sum();
        ((sum - 6.0) * width).exp()
    }
}
