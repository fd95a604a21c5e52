//! What a call that is not done is answered, as OMS writes it.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use super::books::Unread;
use crate::ledger::LedgerError;

/// Why a call is not done. Nothing was recorded for it, unless the disk failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Refusal {
    /// Nobody known: no more is told.
    Unknown,
    /// The caller may not do this.
    NotAllowed,
    /// There is no such task.
    UnknownTask,
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
    /// The ledger cannot be used now.
    NoLedger,
    /// It cannot do what it is for; says what in short.
    Unhealthy(&'static str),
}

impl Refusal {
    /// Status, code and message. Codes of OMS and of the gateway before it where
    /// they are documented, else of our own.
    fn parts(&self) -> (StatusCode, &'static str, Cow<'static, str>) {
        match self {
            Self::Unknown => (
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
            Self::NoLedger => (
                StatusCode::SERVICE_UNAVAILABLE,
                "NIGHTFERRY.0503",
                "The ledger cannot be used now; ask again.".into(),
            ),
            Self::Unhealthy(what) => (
                StatusCode::SERVICE_UNAVAILABLE,
                "NIGHTFERRY.0503",
                format!("Something is wrong: {what}.").into(),
            ),
        }
    }

    const fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Busy => Some(Duration::from_secs(1)),
            Self::NoLedger => Some(Duration::from_secs(5)),
            Self::NotRecorded(_) => Some(Duration::from_secs(30)),
            _ => None,
        }
    }
}

impl From<LedgerError> for Refusal {
    fn from(error: LedgerError) -> Self {
        tracing::error!("a question could not be answered: {error}");
        Self::NoLedger
    }
}

impl From<Unread> for Refusal {
    fn from(unread: Unread) -> Self {
        match unread {
            Unread::Busy => Self::Busy,
            Unread::Broken => Self::NoLedger,
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (status, _, message) = self.parts();
        write!(f, "{message} ({})", status.as_u16())
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
        response
    }
}
