//! Why a page is not shown, and what is shown instead.

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use maud::html;

use super::super::books::Unread;
use super::super::query::Misread;
use super::frame;
use crate::ledger::LedgerError;
use crate::report::ReportError;
use crate::report::html::pieces::prose;

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
    /// The ledger knows nothing of it yet.
    NoLedger,
    /// The ledger is not where it was, or another one is there.
    LedgerGone,
    /// The ledger or a file cannot be read; the log has why.
    Unreadable,
}

impl From<LedgerError> for PageError {
    fn from(error: LedgerError) -> Self {
        // There was one when `serve` began.
        if let LedgerError::Missing(_) | LedgerError::Gone(_) = error {
            return Self::LedgerGone;
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
            Unread::Gone => Self::LedgerGone,
        }
    }
}

impl From<Misread> for PageError {
    fn from(_: Misread) -> Self {
        Self::Wrong("The address is not one of this page's.")
    }
}

/// What was read; nothing as long as there is no ledger yet.
pub(super) fn or_nothing<T: Default>(read: Result<T, PageError>) -> Result<T, PageError> {
    match read {
        Err(PageError::NoLedger) => Ok(T::default()),
        read => read,
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
            Self::LedgerGone => (
                StatusCode::SERVICE_UNAVAILABLE,
                "The ledger is not in its place",
                "Names that are sent are recorded all the same, and figures come back with it: mount what is not mounted, put a backup in its place (`nightferry ledger restore`), or make it again from what was delivered (`nightferry ledger rebuild`). The log of `nightferry serve` says more.",
            ),
            Self::Unreadable => (
                StatusCode::INTERNAL_SERVER_ERROR,
                "Unreadable",
                "It cannot be read just now; the log of `nightferry serve` says why.",
            ),
        };
        let body = html! {
            h1 { (title) }
            p { (prose(why)) }
            p { a href="/" { "All tasks" } }
        };
        (status, frame::page(title, false, &body)).into_response()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_ledger_that_has_gone_is_said_to_have_and_what_to_do() {
        let answer = PageError::LedgerGone.into_response();
        assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
        let body = axum::body::to_bytes(answer.into_body(), 100_000).await;
        let page = String::from_utf8(body.unwrap().to_vec()).unwrap();
        for said in [
            "<h1>The ledger is not in its place</h1>",
            "<code>nightferry ledger restore</code>",
            "<code>nightferry ledger rebuild</code>",
        ] {
            assert!(page.contains(said), "{said}: {page}");
        }
    }
}
