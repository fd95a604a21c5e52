//! What stands behind the `?` of an address, and in a form.

use std::convert::Infallible;
use std::str::FromStr;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;

use super::error::PageError;

/// Pairs of names and values.
pub(super) struct Query(Vec<(String, String)>);

impl Query {
    /// Reads `text`, which may be anything.
    pub(super) fn parse(text: &[u8]) -> Self {
        Self(url::form_urlencoded::parse(text).into_owned().collect())
    }

    /// The value of `name`; an empty one is none.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        let mut pairs = self.0.iter();
        let found = pairs.find(|(known, _)| known == name);
        found
            .map(|(_, value)| value.as_str())
            .filter(|value| !value.is_empty())
    }

    /// The value of `name`, which must be a `T` if there is one.
    pub(super) fn parsed<T: FromStr>(&self, name: &str) -> Result<Option<T>, PageError> {
        let wrong = |_| PageError::Wrong("The address is not one of this page's.");
        self.get(name)
            .map(|value| value.parse().map_err(wrong))
            .transpose()
    }
}

impl<S: Sync> FromRequestParts<S> for Query {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self::parse(parts.uri.query().unwrap_or("").as_bytes()))
    }
}
