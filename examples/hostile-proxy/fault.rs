//! Which request meets which fault: drawn by a seed, counted as drawn.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use hyper::body::{Body, Incoming};
use hyper::{Method, Request};

/// How large a body whose length is not told is taken to be, in bytes.
const ASSUMED_BYTES: u64 = 1024;

/// How often each fault happens, as a share of all requests.
#[derive(clap::Args)]
pub struct Rates {
    /// Share of requests that are answered 503 `SlowDown`.
    #[arg(long, default_value_t = 0.0)]
    slow_down: f64,
    /// Share of requests whose connection is reset: before or after they were passed on.
    #[arg(long, default_value_t = 0.0)]
    reset: f64,
    /// Share of requests whose answer's body is cut off, half of them with a length that fits.
    #[arg(long, default_value_t = 0.0)]
    truncate: f64,
    /// Share of GETs and PUTs of objects of whose body one byte is altered on the way.
    #[arg(long, default_value_t = 0.0)]
    alter: f64,
    /// Share of requests that stall: before they are passed on, or within the answer's body.
    #[arg(long, default_value_t = 0.0)]
    stall: f64,
    /// For how long they stall.
    #[arg(long, default_value_t = 40.0)]
    stall_seconds: f64,
    /// The same seed draws the same faults for the same order of requests.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

/// What happens to a body at a byte; drawn anywhere, then brought [within](Damage::within) it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Damage {
    /// This byte becomes another.
    Alter(u64),
    /// The connection ends before this byte.
    Cut(u64),
    /// The body ends before this byte, as its length says.
    Shorten(u64),
    /// The body pauses before this byte.
    Stall(u64),
}

/// What happens to a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Nothing.
    None,
    /// It is answered 503 and not passed on.
    SlowDown,
    /// Its connection is reset and it is not passed on.
    ResetBefore,
    /// It is passed on, and its connection reset instead of an answer.
    ResetAfter,
    /// It is passed on late.
    StallBefore,
    /// Its own body is damaged.
    Up(Damage),
    /// Its answer's body is damaged.
    Down(Damage),
}

/// The faults to come and those that were.
pub struct Faults {
    rates: Rates,
    drawn: Mutex<Drawn>,
}

struct Drawn {
    random: fastrand::Rng,
    counts: BTreeMap<&'static str, u64>,
}

impl Faults {
    /// Faults at these rates; an error if they are no shares of one whole.
    pub fn new(rates: Rates) -> Result<Self, String> {
        let shares = [
            rates.slow_down,
            rates.reset,
            rates.truncate,
            rates.alter,
            rates.stall,
        ];
        if shares.iter().any(|share| *share < 0.0) || shares.iter().sum::<f64>() > 1.0 {
            return Err("the rates must not be negative, nor together more than 1".to_owned());
        }
        let mut counts = BTreeMap::new();
        for word in [
            "requests",
            "slow_down",
            "reset",
            "truncate",
            "alter_get",
            "alter_put",
            "stall",
        ] {
            counts.insert(word, 0);
        }
        let random = fastrand::Rng::with_seed(rates.seed);
        Ok(Self {
            rates,
            drawn: Mutex::new(Drawn { random, counts }),
        })
    }

    /// For how long what stalls does so.
    pub fn stall(&self) -> Duration {
        Duration::from_secs_f64(self.rates.stall_seconds)
    }

    /// What happens to `request`.
    pub fn draw(&self, request: &Request<Incoming>) -> Fault {
        let mut drawn = self.drawn.lock().unwrap_or_else(PoisonError::into_inner);
        let (word, fault) = self.choose(&mut drawn.random, request);
        for word in ["requests"].into_iter().chain(word) {
            *drawn.counts.entry(word).or_default() += 1;
        }
        fault
    }

    /// The counts as one JSON object.
    pub fn counts(&self) -> String {
        let drawn = self.drawn.lock().unwrap_or_else(PoisonError::into_inner);
        serde_json::json!(drawn.counts).to_string()
    }

    fn choose(
        &self,
        random: &mut fastrand::Rng,
        request: &Request<Incoming>,
    ) -> (Option<&'static str>, Fault) {
        let (share, at, second_kind) = (random.f64(), random.u64(..), random.bool());
        let Rates {
            slow_down,
            reset,
            truncate,
            alter,
            stall,
            ..
        } = self.rates;
        let mut limit = 0.0;
        let mut falls = |rate: f64| {
            limit += rate;
            share < limit
        };
        if falls(slow_down) {
            (Some("slow_down"), Fault::SlowDown)
        } else if falls(reset) {
            let fault = if second_kind {
                Fault::ResetAfter
            } else {
                Fault::ResetBefore
            };
            (Some("reset"), fault)
        } else if falls(truncate) {
            let damage = if second_kind {
                Damage::Shorten(at)
            } else {
                Damage::Cut(at)
            };
            if request.method() == Method::HEAD {
                return (None, Fault::None);
            }
            (Some("truncate"), Fault::Down(damage))
        } else if falls(alter) {
            alteration(request, at)
        } else if falls(stall) {
            let fault = if second_kind {
                Fault::Down(Damage::Stall(at))
            } else {
                Fault::StallBefore
            };
            (Some("stall"), fault)
        } else {
            (None, Fault::None)
        }
    }
}

/// Alters a body that its receiver can check. The XML of a listing or of an
/// error is not: nobody could notice, but for TLS.
fn alteration(request: &Request<Incoming>, at: u64) -> (Option<&'static str>, Fault) {
    let of_object = request.uri().path().trim_matches('/').contains('/');
    let damage = Damage::Alter(at);
    match *request.method() {
        Method::GET if of_object => (Some("alter_get"), Fault::Down(damage)),
        Method::PUT if of_object && !request.body().is_end_stream() => {
            (Some("alter_put"), Fault::Up(damage))
        }
        _ => (None, Fault::None),
    }
}

impl Damage {
    /// The damage at a byte that a body of `length_bytes` has; a drawn number
    /// knows no length.
    pub fn within(self, length_bytes: Option<u64>) -> Self {
        let length = length_bytes.unwrap_or(ASSUMED_BYTES).max(1);
        match self {
            Self::Alter(at) => Self::Alter(at % length),
            Self::Cut(at) => Self::Cut(at % length),
            Self::Shorten(at) => Self::Shorten(at % length),
            Self::Stall(at) => Self::Stall(at % length),
        }
    }
}
