//! What stands behind the `?` of a request.

use std::ops::RangeInclusive;

use url::form_urlencoded;

use super::answer::Refusal;
use crate::model::Timestamp;

/// The last millisecond of the year 9999: thirteen digits hold little more.
const LAST_MS: i64 = 253_402_300_799_999;

/// The parameters of a request.
pub(super) struct Query(Vec<(String, String)>);

impl Query {
    pub(super) fn parse(query: Option<&str>) -> Self {
        let pairs = form_urlencoded::parse(query.unwrap_or_default().as_bytes());
        Self(pairs.into_owned().collect())
    }

    /// What the parameter says; `None` if it is not there.
    pub(super) fn text(&self, name: &str) -> Result<Option<&str>, Refusal> {
        let mut said = self.0.iter().filter(|(its_name, _)| its_name == name);
        match (said.next(), said.next()) {
            (Some(_), Some(_)) => Err(wrong(name, "stands there more than once.")),
            (Some((_, text)), None) => Ok(Some(text)),
            (None, _) => Ok(None),
        }
    }

    /// What the parameter says; it has to be there.
    pub(super) fn required(&self, name: &str) -> Result<&str, Refusal> {
        self.text(name)?.ok_or_else(|| wrong(name, "is missing."))
    }

    /// The number that the parameter says, or `default`.
    pub(super) fn number(
        &self,
        name: &str,
        range: &RangeInclusive<usize>,
        default: usize,
    ) -> Result<usize, Refusal> {
        let Some(text) = self.text(name)? else {
            return Ok(default);
        };
        let number = digits(text).and_then(|number| usize::try_from(number).ok());
        number
            .filter(|number| range.contains(number))
            .ok_or_else(|| {
                let (least, most) = (range.start(), range.end());
                wrong(name, &format!("is no number from {least} to {most}."))
            })
    }

    /// The time that the parameter says; it has to be there.
    pub(super) fn time(&self, name: &str) -> Result<Timestamp, Refusal> {
        let ms = digits(self.required(name)?).filter(|ms| *ms <= LAST_MS);
        ms.map(Timestamp::from_ms)
            .ok_or_else(|| wrong(name, "is no time in milliseconds since 1970."))
    }
}

/// A number of digits alone.
fn digits(text: &str) -> Option<i64> {
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| text.parse().ok()).flatten()
}

/// The parameter `name` is wrong.
pub(super) fn wrong(name: &str, how: &str) -> Refusal {
    Refusal::Wrong(format!("{name} {how}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused<T: std::fmt::Debug>(said: Result<T, Refusal>) -> String {
        match said {
            Err(Refusal::Wrong(how)) => how,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_number_is_within_its_range_or_refused() {
        let number = |query: &str| Query::parse(Some(query)).number("limit", &(1..=100), 10);
        assert_eq!(number("").unwrap(), 10);
        assert_eq!(number("limit=1").unwrap(), 1);
        assert_eq!(number("offset=7&limit=100").unwrap(), 100);
        for wrong in [
            "0",
            "101",
            "",
            "-1",
            "+1",
            "%2B1",
            "1.0",
            "x",
            "99999999999999999999",
        ] {
            let said = refused(number(&format!("limit={wrong}")));
            assert_eq!(said, "limit is no number from 1 to 100.", "{wrong}");
        }
        let twice = refused(number("limit=1&limit=2"));
        assert_eq!(twice, "limit stands there more than once.");
    }

    #[test]
    fn a_time_is_in_milliseconds_and_has_to_be_there() {
        let time = |query: Option<&str>| Query::parse(query).time("query_time");
        let ms = Timestamp::from_ms(1_609_833_838_031);
        assert_eq!(time(Some("query_time=1609833838031")).unwrap(), ms);
        assert_eq!(refused(time(None)), "query_time is missing.");
        for wrong in [
            "",
            "-1",
            "2026-11",
            "253402300800000",
            "9223372036854775808",
        ] {
            let said = refused(time(Some(&format!("query_time={wrong}"))));
            assert_eq!(said, "query_time is no time in milliseconds since 1970.");
        }
    }
}
