//! What a call that is not done is answered, as OMS writes it.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use super::books::Unread;
use super::who::LEAST_TOKEN_CHARS;
use crate::ledger::LedgerError;

/// Why a call is not done. Nothing was recorded for it, unless the disk failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Refusal {
    /// Nobody known: no more is told.
    Unknown,
    /// The token of this id, which is short enough to be guessed. Told as nobody known.
    WeakToken(String),
    /// The caller may not do this.
    NotAllowed,
    /// There is no such task.
    UnknownTask,
    /// The path is of another project than the configured one.
    UnknownProject,
    /// Nothing is answered here.
    NoSuchPath,
    /// This is not done here.
    NoSuchMethod,
    /// The body, or a parameter, is wrong; says how.
    Wrong(String),
    /// The body is larger than this many bytes.
    TooLarge(usize),
    /// The body did not arrive in time.
    TooSlow,
    /// Too much is held for other callers.
    Busy,
    /// The names could not be made safe; says why in short.
    NotRecorded(&'static str),
    /// The task is so already; says how.
    WrongState(&'static str),
    /// Tasks come and go with the configuration.
    InConfiguration,
    /// The ledger cannot be used now; says why, to the operator alone.
    NoLedger(String),
    /// The ledger is not where it was, or another one is there.
    LedgerGone,
    /// It cannot do what it is for; says what in short.
    Unhealthy(&'static str),
}

impl Refusal {
    /// Status, code and message. Codes of OMS and of the gateway before it where
    /// they are documented, else of our own.
    fn parts(&self) -> (StatusCode, &'static str, Cow<'static, str>) {
        match self {
            Self::Unknown | Self::WeakToken(_) => (
                StatusCode::UNAUTHORIZED,
                "APIGW.0301",
                "Incorrect authentication information.".into(),
            ),
            Self::NotAllowed => (
                StatusCode::FORBIDDEN,
                "APIGW.0302",
                "The caller may not do this.".into(),
            ),
            Self::UnknownTask => (
                StatusCode::NOT_FOUND,
                "OMS.0054",
                "Invalid task ID: there is no such task.".into(),
            ),
            Self::UnknownProject => (
                StatusCode::NOT_FOUND,
                "NIGHTFERRY.0404",
                "Invalid project ID: this server answers for another project.".into(),
            ),
            Self::NoSuchPath => (
                StatusCode::NOT_FOUND,
                "APIGW.0101",
                "The API does not exist.".into(),
            ),
            Self::NoSuchMethod => (
                StatusCode::METHOD_NOT_ALLOWED,
                "APIGW.0101",
                "The API does not exist: it has no such method.".into(),
            ),
            Self::Wrong(how) => (
                StatusCode::BAD_REQUEST,
                "OMS.0064",
                format!("Invalid request parameters: {how}").into(),
            ),
            Self::TooLarge(most) => (
                StatusCode::PAYLOAD_TOO_LARGE,
                "APIGW.0201",
                format!("Request entity too large: more than {most} bytes.").into(),
            ),
            Self::TooSlow => (
                StatusCode::REQUEST_TIMEOUT,
                "NIGHTFERRY.0408",
                "The request did not arrive in time.".into(),
            ),
            Self::Busy => (
                StatusCode::SERVICE_UNAVAILABLE,
                "NIGHTFERRY.0503",
                "Too much is under way; send it again.".into(),
            ),
            Self::NotRecorded(why) => (
                StatusCode::SERVICE_UNAVAILABLE,
                "NIGHTFERRY.0503",
                format!("The names could not be recorded: {why}; send them again.").into(),
            ),
            Self::WrongState(how) => (StatusCode::BAD_REQUEST, "NIGHTFERRY.0400", (*how).into()),
            Self::InConfiguration => (
                StatusCode::FORBIDDEN,
                "NIGHTFERRY.0403",
                "Tasks stand in the configuration of this server: they are made and taken away there."
                    .into(),
            ),
            Self::NoLedger(_) => (
                StatusCode::SERVICE_UNAVAILABLE,
                "NIGHTFERRY.0503",
                "The ledger cannot be used now; ask again.".into(),
            ),
            Self::LedgerGone => (
                StatusCode::SERVICE_UNAVAILABLE,
                "NIGHTFERRY.0503",
                "The ledger is not in its place; names are taken all the same. Ask again once it is restored."
                    .into(),
            ),
            Self::Unhealthy(what) => (
                StatusCode::SERVICE_UNAVAILABLE,
                "NIGHTFERRY.0503",
                format!("Something is wrong: {what}.").into(),
            ),
        }
    }

    /// A word for it, one of [`REASONS`].
    pub(super) const fn reason(&self) -> &'static str {
        match self {
            Self::Unknown => "unknown_caller",
            Self::WeakToken(_) => "weak_token",
            Self::NotAllowed => "not_allowed",
            Self::UnknownTask => "unknown_task",
            Self::UnknownProject => "unknown_project",
            Self::NoSuchPath => "no_such_path",
            Self::NoSuchMethod => "no_such_method",
            Self::Wrong(_) => "wrong",
            Self::TooLarge(_) => "too_large",
            Self::TooSlow => "too_slow",
            Self::Busy => "busy",
            Self::NotRecorded(_) => "not_recorded",
            Self::WrongState(_) => "wrong_state",
            Self::InConfiguration => "in_configuration",
            Self::NoLedger(_) => "ledger_unusable",
            Self::LedgerGone => "ledger_gone",
            Self::Unhealthy(_) => "unhealthy",
        }
    }

    const fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Busy => Some(Duration::from_secs(1)),
            Self::NoLedger(_) => Some(Duration::from_secs(5)),
            Self::NotRecorded(_) | Self::LedgerGone => Some(Duration::from_secs(30)),
            _ => None,
        }
    }
}

impl From<LedgerError> for Refusal {
    fn from(error: LedgerError) -> Self {
        match error {
            // There was one when `serve` began.
            LedgerError::Missing(_) | LedgerError::Gone(_) => Self::LedgerGone,
            error => Self::NoLedger(error.to_string()),
        }
    }
}

impl From<Unread> for Refusal {
    fn from(unread: Unread) -> Self {
        match unread {
            Unread::Busy => Self::Busy,
            Unread::Broken => Self::NoLedger("the work broke down".to_owned()),
            Unread::Gone => Self::LedgerGone,
        }
    }
}

/// All words for why a call is refused.
pub(super) const REASONS: [&str; 17] = [
    "busy",
    "in_configuration",
    "ledger_gone",
    "ledger_unusable",
    "no_such_method",
    "no_such_path",
    "not_allowed",
    "not_recorded",
    "too_large",
    "too_slow",
    "unhealthy",
    "unknown_caller",
    "unknown_project",
    "unknown_task",
    "weak_token",
    "wrong",
    "wrong_state",
];

/// As the operator is told; the caller is told no more than
/// [`into_response`](IntoResponse::into_response) says.
impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Self::WeakToken(id) = self {
            return write!(
                f,
                "The token {id:?} has fewer than {LEAST_TOKEN_CHARS} characters and could be guessed, \
                 so it is not taken; `nightferry token` makes another. (401)"
            );
        }
        let (status, _, message) = self.parts();
        let status = status.as_u16();
        match self {
            Self::NoLedger(why) => write!(f, "{message} ({status}): {why}"),
            _ => write!(f, "{message} ({status})"),
        }
    }
}

/// What was asked for, as JSON.
pub(super) struct Answered<T>(pub(super) T);

impl<T: Serialize> IntoResponse for Answered<T> {
    fn into_response(self) -> Response {
        match serde_json::to_vec(&self.0) {
            Ok(body) => ([(header::CONTENT_TYPE, "application/json")], body).into_response(),
            // Not to be expected of names and numbers.
            Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let (status, code, message) = self.parts();
        let body = serde_json::json!({ "error_code": code, "error_msg": message });
        let mut response = (
            status,
            [(header::CONTENT_TYPE, "application/json")],
            body.to_string(),
        )
            .into_response();
        if let Some(after) = self.retry_after() {
            let seconds = HeaderValue::from(after.as_secs());
            response.headers_mut().insert(header::RETRY_AFTER, seconds);
        }
        // For the gate, which counts it and says it.
        response.extensions_mut().insert(self);
        response
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// One of each kind.
    pub(in crate::serve) fn each() -> Vec<Refusal> {
        vec![
            Refusal::Busy,
            Refusal::InConfiguration,
            Refusal::LedgerGone,
            Refusal::NoLedger(String::new()),
            Refusal::NoSuchMethod,
            Refusal::NoSuchPath,
            Refusal::NotAllowed,
            Refusal::NotRecorded(""),
            Refusal::TooLarge(1),
            Refusal::TooSlow,
            Refusal::Unhealthy(""),
            Refusal::Unknown,
            Refusal::UnknownProject,
            Refusal::UnknownTask,
            Refusal::WeakToken("one".to_owned()),
            Refusal::Wrong(String::new()),
            Refusal::WrongState(""),
        ]
    }

    #[test]
    fn each_refusal_has_a_word_of_its_own() {
        let words: Vec<&str> = each().iter().map(Refusal::reason).collect();
        assert_eq!(words, REASONS);
    }

    #[test]
    fn who_shows_a_weak_token_is_told_what_anybody_unknown_is_told() {
        let weak = Refusal::WeakToken("one".to_owned());
        assert_eq!(weak.parts(), Refusal::Unknown.parts());
        assert!(
            weak.to_string()
                .starts_with("The token \"one\" has fewer than 22 ")
        );
    }
}
