//! How often something is so, seen from some drawn at random.

/// How many of those that were drawn are such as was looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// Such as was looked for.
    pub hits: u64,
    /// All that were drawn.
    pub drawn: u64,
}

/// The standard normal quantile of 97.5 %.
const Z: f64 = 1.959_963_984_540_054;

impl Rate {
    /// Their share, from 0 to 1; `None` if none was drawn.
    #[must_use]
    pub fn share(self) -> Option<f64> {
        (self.drawn > 0).then(|| to_f64(self.hits) / to_f64(self.drawn))
    }

    /// Between which shares that of all lies, 95 times in a hundred: Wilson's score
    /// interval, which holds for few hits too. `None` if none was drawn.
    #[must_use]
    pub fn interval(self) -> Option<(f64, f64)> {
        let (share, drawn) = (self.share()?, to_f64(self.drawn));
        let whole = 1.0 + Z * Z / drawn;
        let middle = share + Z * Z / (2.0 * drawn);
        let half = Z * (share * (1.0 - share) / drawn + Z * Z / (4.0 * drawn * drawn)).sqrt();
        let low = ((middle - half) / whole).max(0.0);
        let high = ((middle + half) / whole).min(1.0);
        Some((
            if self.hits == 0 { 0.0 } else { low },
            if self.hits == self.drawn { 1.0 } else { high },
        ))
    }
}

#[expect(clippy::cast_precision_loss, reason = "a rate is no exact figure")]
const fn to_f64(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn known_intervals() {
        // As statsmodels' proportion_confint(method="wilson") has them.
        for (hits, drawn, low, high) in [
            (0, 100, 0.0, 0.036_994),
            (3, 1000, 0.001_021, 0.008_783),
            (10, 20, 0.299_298, 0.700_702),
            (5, 5, 0.565_518, 1.0),
        ] {
            let interval = Rate { hits, drawn }.interval().unwrap();
            let near = |a: f64, b: f64| (a - b).abs() < 5e-6;
            assert!(
                near(interval.0, low) && near(interval.1, high),
                "{hits} of {drawn}: {interval:?}"
            );
        }
        assert_eq!(Rate { hits: 0, drawn: 0 }.interval(), None);
    }

    proptest! {
        #[test]
        fn the_share_lies_within(drawn in 1_u64..10_000, part in 0.0..=1.0_f64) {
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "no more than drawn")]
            let hits = (to_f64(drawn) * part) as u64;
            let rate = Rate { hits, drawn };
            let (share, (low, high)) = (rate.share().unwrap(), rate.interval().unwrap());
            prop_assert!(0.0 <= low && low <= share && share <= high && high <= 1.0);
        }
    }
}
