//! Why a page is not shown, and what is shown instead.

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use maud::html;

use super::super::books::Unread;
use super::frame;
use crate::ledger::LedgerError;
use crate::report::ReportError;

/// Why a page is not shown.
#[derive(Debug)]
pub(super) enum PageError {
    /// There is nothing at this address; says what there is not.
    NotThere(&'static str),
    /// The address is wrong; says how.
    Wrong(&'static str),
    /// It is not for the one who asks.
    Refused(&'static str),
    /// Too many ask at once.
    Busy,
    /// There is no ledger yet.
    NoLedger,
    /// The ledger or a file cannot be read; the log has why.
    Unreadable,
}

impl From<LedgerError> for PageError {
    fn from(error: LedgerError) -> Self {
        if let LedgerError::Missing(_) = error {
            return Self::NoLedger;
        }
        tracing::warn!("a page could not be shown: {error}");
        Self::Unreadable
    }
}

impl From<ReportError> for PageError {
    fn from(error: ReportError) -> Self {
        match error {
            ReportError::Ledger(error) => error.into(),
            ReportError::UnknownTask(_) => Self::NoLedger,
            error => {
                tracing::warn!("a page could not be shown: {error}");
                Self::Unreadable
            }
        }
    }
}

impl From<Unread> for PageError {
    fn from(unread: Unread) -> Self {
        match unread {
            Unread::Busy => Self::Busy,
            Unread::Broken => Self::Unreadable,
        }
    }
}

impl IntoResponse for PageError {
    fn into_response(self) -> Response {
        let (status, title, why) = match self {
            Self::NotThere(why) => (StatusCode::NOT_FOUND, "Not here", why),
            Self::Wrong(why) => (StatusCode::BAD_REQUEST, "Not understood", why),
            Self::Refused(why) => (StatusCode::FORBIDDEN, "Refused", why),
            Self::Busy => (
                StatusCode::SERVICE_UNAVAILABLE,
                "Busy",
                "Too many pages are asked for at once; try again in a moment.",
            ),
            Self::NoLedger => (
                StatusCode::OK,
                "Nothing yet",
                "Nothing has been asked for yet: the first name, or the first run, makes the ledger.",
            ),
            Self::Unreadable => (
                StatusCode::INTERNAL_SERVER_ERROR,
                "Unreadable",
                "It cannot be read just now; the log of `nightferry serve` says why.",
            ),
        };
        let body = html! {
            h1 { (title) }
            p { (why) }
            p { a href="/" { "All tasks" } }
        };
        (status, frame::page(title, false, &body)).into_response()
    }
}
