//! What stands behind the `?` of a request, and in a form.

use std::convert::Infallible;
use std::ops::RangeInclusive;
use std::str::FromStr;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use url::form_urlencoded;

use super::answer::Refusal;
use crate::model::Timestamp;

/// The last millisecond of the year 9999: thirteen digits hold little more.
const LAST_MS: i64 = 253_402_300_799_999;

/// The parameters of a request, or the fields of a form.
pub(super) struct Query(Vec<(String, String)>);

/// A parameter that cannot be used, and how.
#[derive(Debug)]
pub(super) struct Misread(String);

impl Query {
    pub(super) fn parse(query: Option<&str>) -> Self {
        Self::form(query.unwrap_or_default().as_bytes())
    }

    /// Reads what a form sends, which may be anything.
    pub(super) fn form(body: &[u8]) -> Self {
        Self(form_urlencoded::parse(body).into_owned().collect())
    }

    /// What the parameter says; `None` if it is not there.
    pub(super) fn text(&self, name: &str) -> Result<Option<&str>, Misread> {
        let mut said = self.0.iter().filter(|(its_name, _)| its_name == name);
        match (said.next(), said.next()) {
            (Some(_), Some(_)) => Err(Misread::of(name, "stands there more than once.")),
            (Some((_, text)), None) => Ok(Some(text)),
            (None, _) => Ok(None),
        }
    }

    /// What the parameter says; it has to be there.
    pub(super) fn required(&self, name: &str) -> Result<&str, Misread> {
        self.text(name)?
            .ok_or_else(|| Misread::of(name, "is missing."))
    }

    /// The number that the parameter says, or `default`.
    pub(super) fn number(
        &self,
        name: &str,
        range: &RangeInclusive<usize>,
        default: usize,
    ) -> Result<usize, Misread> {
        let Some(text) = self.text(name)? else {
            return Ok(default);
        };
        let number = digits(text).and_then(|number| usize::try_from(number).ok());
        number
            .filter(|number| range.contains(number))
            .ok_or_else(|| {
                let (least, most) = (range.start(), range.end());
                Misread::of(name, &format!("is no number from {least} to {most}."))
            })
    }

    /// The time that the parameter says; it has to be there.
    pub(super) fn time(&self, name: &str) -> Result<Timestamp, Misread> {
        let ms = digits(self.required(name)?).filter(|ms| *ms <= LAST_MS);
        ms.map(Timestamp::from_ms)
            .ok_or_else(|| Misread::of(name, "is no time in milliseconds since 1970."))
    }

    /// What was filled in as `name`; a field that was left empty says nothing.
    pub(super) fn filled(&self, name: &str) -> Option<&str> {
        let mut said = self.0.iter();
        let (_, text) = said.find(|(its_name, _)| its_name == name)?;
        (!text.is_empty()).then_some(text)
    }

    /// As [`filled`](Self::filled); it must be a `T` if it says something.
    pub(super) fn parsed<T: FromStr>(&self, name: &str) -> Result<Option<T>, Misread> {
        let wrong = |_| Misread::of(name, "is none.");
        let text = self.filled(name).map(str::parse);
        text.transpose().map_err(wrong)
    }
}

impl<S: Sync> FromRequestParts<S> for Query {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self::parse(parts.uri.query()))
    }
}

impl Misread {
    fn of(name: &str, how: &str) -> Self {
        Self(format!("{name} {how}"))
    }
}

impl From<Misread> for Refusal {
    fn from(Misread(how): Misread) -> Self {
        Self::Wrong(how)
    }
}

/// A number of digits alone.
fn digits(text: &str) -> Option<i64> {
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| text.parse().ok()).flatten()
}

/// The parameter `name` is wrong.
pub(super) fn wrong(name: &str, how: &str) -> Refusal {
    Misread::of(name, how).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused<T: std::fmt::Debug>(said: Result<T, Misread>) -> String {
        match said.map_err(Refusal::from) {
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

    #[test]
    fn a_field_that_was_left_empty_says_nothing() {
        let query = Query::form(b"month=&cause=a+b&cause=c&name=%FF&number=7");
        assert_eq!(query.filled("month"), None);
        assert_eq!(query.filled("none"), None);
        assert_eq!(query.filled("cause"), Some("a b"));
        assert_eq!(query.filled("name"), Some("\u{fffd}"));
        assert_eq!(query.parsed::<u64>("month").unwrap(), None);
        assert_eq!(query.parsed::<u64>("number").unwrap(), Some(7));
        assert_eq!(refused(query.parsed::<u64>("name")), "name is none.");
    }
}
