//! How far forecasts have been off, and so how far the next may be.

/// How many equally likely values stand for what may be.
pub const VALUES: usize = 20;

/// The standard normal distribution at 0.525, 0.575, … 0.975: the middles of the
/// upper ten of 20 equally likely parts. The lower ten are the same below zero.
const UPPER: [f64; VALUES / 2] = [
    0.0627, 0.1891, 0.3186, 0.4538, 0.5978, 0.7554, 0.9346, 1.1503, 1.4395, 1.9600,
];

/// By how much a run of which nothing is known is off, as a logarithm: a quarter.
const UNKNOWN_WIDTH: f64 = 0.25;

/// As though so many runs had been off that much,
const UNKNOWN_RUNS: f64 = 2.0;

/// and so many not at all.
const EXACT_RUNS: f64 = 1.0;

/// What is a smaller part of a run evens out no less.
const LEAST_PART: f64 = 0.01;

/// No factor is further from 1 than exp of this.
const FURTHEST: f64 = 12.0;

/// A factor that is known as far as past ones tell: exp(centre + width · t).
#[derive(Debug, Clone, Copy)]
pub struct Spread {
    centre: f64,
    width: f64,
    /// Of Student's t; infinite: the factor is exact.
    freedom: f64,
}

impl Spread {
    /// Exactly 1.
    pub const EXACT: Self = Self {
        centre: 0.0,
        width: 0.0,
        freedom: f64::INFINITY,
    };

    /// What these factors tell, each with its weight.
    pub fn learn(factors: &[(f64, f64)]) -> Self {
        let logs = || {
            let logs = factors
                .iter()
                .map(|(factor, weight)| (factor.ln(), *weight));
            logs.filter(|(log, _)| log.is_finite())
                .map(|(log, weight)| (log.clamp(-FURTHEST, FURTHEST), weight))
        };
        let weights: f64 = logs().map(|(_, weight)| weight).sum();
        let sum: f64 = logs().map(|(log, weight)| weight * log).sum();
        let centre = sum / (weights + EXACT_RUNS);
        let squares: f64 = logs()
            .map(|(log, weight)| weight * (log - centre).powi(2))
            .sum();
        let freedom = UNKNOWN_RUNS + weights;
        let variance = (UNKNOWN_RUNS * UNKNOWN_WIDTH.powi(2) + squares) / freedom;
        Self {
            centre,
            // The centre is not known exactly either.
            width: (variance * (1.0 + 1.0 / (weights + EXACT_RUNS))).sqrt(),
            freedom,
        }
    }

    /// The same for the rest of a run of whose foretold time `share` is behind it, and
    /// whose own factor so far is `own`.
    ///
    /// A factor is half the night's and half the hour's, for the parts of a night
    /// differ. The more is behind, the better the first is known; the second is
    /// drawn anew for the rest, and the shorter that is, the less it evens out. A
    /// night that is off as none was before is taken for another kind of night.
    pub fn of_rest(self, own: f64, share: f64) -> Self {
        let log = own.ln();
        if !log.is_finite() || !share.is_finite() {
            return self;
        }
        let log = log.clamp(-FURTHEST, FURTHEST);
        let share = share.clamp(LEAST_PART, 1.0 - LEAST_PART);
        let usual = self.width.powi(2) * (1.0 + 1.0 / share) / 2.0;
        let off = (log - self.centre).powi(2) / usual;
        let strange = ((self.freedom + off) / (self.freedom + 1.0)).max(1.0);
        let counts = strange * share / (strange * share + 1.0);
        let night = strange * (1.0 - counts) / 2.0;
        let hour = 0.5 / (1.0 - share);
        Self {
            centre: (1.0 - counts) * self.centre + counts * log,
            width: self.width * (night + hour).sqrt(),
            freedom: self.freedom,
        }
    }

    /// The factor where the standard normal distribution is `z`.
    pub fn factor(self, z: f64) -> f64 {
        let log = self.centre + self.width * student(z, self.freedom);
        log.clamp(-FURTHEST, FURTHEST).exp()
    }

    /// Equally likely factors, the smallest first.
    pub fn factors(self) -> impl Iterator<Item = f64> {
        let lower = UPPER.iter().rev().map(|z| -z);
        let values = lower.chain(UPPER.iter().copied());
        values.map(move |z| self.factor(z))
    }
}

/// Student's t where the standard normal distribution is `z`, by the expansion of
/// Cornish and Fisher.
fn student(z: f64, freedom: f64) -> f64 {
    let first = (z.powi(3) + z) / 4.0;
    let second = (5.0 * z.powi(5) + 16.0 * z.powi(3) + 3.0 * z) / 96.0;
    z + first / freedom + second / freedom.powi(2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn student_is_what_tables_say() {
        for (z, freedom, table) in [
            (1.2816, 3.0, 1.638),
            (1.2816, 5.0, 1.476),
            (1.2816, 10.0, 1.372),
            (1.2816, f64::INFINITY, 1.2816),
            (-0.6745, 5.0, -0.727),
        ] {
            assert!((student(z, freedom) - table).abs() < 0.015, "{z} {freedom}");
        }
    }

    #[test]
    fn the_more_runs_were_foretold_well_the_surer_the_next() {
        let width = |runs| Spread::learn(&vec![(1.0, 1.0); runs]).factor(1.2816);
        let (none, few, many) = (width(0), width(3), width(12));
        assert!(none > 1.6 && few < 1.35 && many < 1.15 && many > 1.05);
        assert_eq!(Spread::EXACT.factor(1.96).to_bits(), 1.0_f64.to_bits());
    }

    #[test]
    fn factors_that_are_none_tell_nothing() {
        let known = [(1.1, 1.0), (0.9, 1.0)];
        let odd = [
            (1.1, 1.0),
            (0.0, 1.0),
            (f64::NAN, 1.0),
            (0.9, 1.0),
            (f64::INFINITY, 1.0),
        ];
        let (known, odd) = (Spread::learn(&known), Spread::learn(&odd));
        assert_eq!(known.factor(1.0).to_bits(), odd.factor(1.0).to_bits());
        let told = known.of_rest(f64::INFINITY, 0.5);
        assert_eq!(known.factor(1.0).to_bits(), told.factor(1.0).to_bits());
    }
}
