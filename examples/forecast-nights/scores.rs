//! What was foretold beside what came, and how good that was.

use std::fmt::Write as _;
use std::io::{self, Write as _};

use nightferry::forecast::{Forecast, Likely};
use nightferry::ledger::PastRun;
use nightferry::model::Timestamp;

use crate::Result;

/// A forecast of a night to come, which took it to begin at `from`.
pub struct Told {
    pub forecast: Forecast,
    pub from: Timestamp,
}

impl Told {
    /// How long the night was foretold to take.
    pub fn ms(&self) -> Likely<u64> {
        let after = |at: Timestamp| (at.ms() - self.from.ms()).unsigned_abs();
        let Likely { p50, p90 } = self.forecast.done_at;
        Likely {
            p50: after(p50),
            p90: after(p90),
        }
    }
}

/// All that was foretold of a night.
pub struct Foretold {
    /// By `status`, before its names came in.
    pub evening: Option<Told>,
    /// By `run --dry-run`.
    pub known: Told,
    /// By `status`, once a third was settled.
    pub at_work: Option<Forecast>,
}

/// One figure that was foretold night for night.
#[derive(Default)]
struct Score {
    errors: Vec<f64>,
    inside: usize,
}

impl Score {
    /// `whole` is what an error is a share of.
    fn add(&mut self, told: Likely<u64>, came: u64, whole: u64) {
        let error = told.p50.abs_diff(came) as f64 / whole.max(1) as f64;
        self.errors.push(error);
        self.inside += usize::from(came <= told.p90);
    }

    fn summary(&mut self) -> String {
        self.errors.sort_by(f64::total_cmp);
        let median = self.errors.get(self.errors.len() / 2).copied();
        format!(
            "median error of p50 {:3.0} %, inside p90 {} of {}",
            100.0 * median.unwrap_or(0.0),
            self.inside,
            self.errors.len()
        )
    }
}

/// The figures of all nights.
#[derive(Default)]
pub struct Scores {
    names: Score,
    bytes: Score,
    evening: Score,
    known: Score,
    at_work: Score,
    deferred: Score,
}

impl Scores {
    pub fn begin() -> Result<Self> {
        writeln!(
            io::stdout(),
            "night | names: told, came | seconds: evening, dry run, at a third, came | deferred: told, came"
        )?;
        Ok(Self::default())
    }

    pub fn night(&mut self, foretold: &Foretold, came: &PastRun, was_cut: bool) -> Result<()> {
        let ended = came.ended.ok_or("the night has not ended")?.at;
        let ms = (ended.ms() - came.started.at.ms()).unsigned_abs();
        let (known, mut line) = (&foretold.known, format!("{:5}", came.number));
        let seconds =
            |ms: Likely<u64>| format!("{:5.2} ({:5.2})", ms.p50 as f64 / 1e3, ms.p90 as f64 / 1e3);
        let at_work = foretold.at_work.map(|forecast| Likely {
            p50: (forecast.done_at.p50.ms() - came.started.at.ms()).unsigned_abs(),
            p90: (forecast.done_at.p90.ms() - came.started.at.ms()).unsigned_abs(),
        });
        if let Some(evening) = &foretold.evening {
            let names = evening.forecast.names;
            write!(
                line,
                " | {:4} ({:4}) {:4}",
                names.p50, names.p90, came.books.taken
            )?;
            self.names.add(names, came.books.taken, came.books.taken);
            if !was_cut {
                let bytes = came.books.synced_bytes;
                self.bytes.add(evening.forecast.bytes, bytes, bytes);
                self.evening.add(evening.ms(), ms, ms);
            }
            write!(line, " | {}", seconds(evening.ms()))?;
        }
        write!(line, " {}", seconds(known.ms()))?;
        line.push_str(&at_work.map_or_else(|| " ".repeat(14), |ms| format!(" {}", seconds(ms))));
        write!(line, " {:5.2}", ms as f64 / 1e3)?;
        if was_cut {
            let deferred = known.forecast.deferred;
            let (told, most) = (deferred.p50, deferred.p90);
            write!(line, " | {told:4} ({most:4}) {:4}", came.books.deferred)?;
            let taken = came.books.taken;
            self.deferred.add(deferred, came.books.deferred, taken);
        } else {
            self.known.add(known.ms(), ms, ms);
            if let Some(at_work) = at_work {
                self.at_work.add(at_work, ms, ms);
            }
        }
        Ok(writeln!(io::stdout(), "{line}")?)
    }

    pub fn end(mut self) -> Result<()> {
        let mut out = io::stdout();
        writeln!(out)?;
        for (figure, score) in [
            ("names, in the evening", &mut self.names),
            ("bytes, in the evening", &mut self.bytes),
            ("end, in the evening", &mut self.evening),
            ("end, by a dry run", &mut self.known),
            ("end, at a third", &mut self.at_work),
            ("deferred, by a dry run", &mut self.deferred),
        ] {
            writeln!(out, "{figure:23} {}", score.summary())?;
        }
        Ok(())
    }
}
