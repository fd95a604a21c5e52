//! Reads of the ledger: a few at a time, beside what takes names in.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use maud::html;
use tokio::sync::Semaphore;

use super::frame;
use crate::ledger::{Ledger, LedgerError};
use crate::report::ReportError;

/// Reads at one time; others wait so long for their turn.
const AT_ONCE: usize = 4;
const PATIENCE: Duration = Duration::from_secs(10);

/// Reads for pages.
pub(super) struct Reading {
    path: PathBuf,
    turns: Arc<Semaphore>,
}

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

impl Reading {
    pub(super) fn new(path: PathBuf) -> Self {
        let turns = Arc::new(Semaphore::new(AT_ONCE));
        Self { path, turns }
    }

    /// What `work` reads of the ledger as it stands at one instant. The file is
    /// opened anew, as it may have been replaced.
    pub(super) async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Ledger) -> Result<T, PageError> + Send + 'static,
    ) -> Result<T, PageError> {
        let path = self.path.clone();
        self.in_turn(move || Ledger::open_read_only(&path)?.at_one_instant(work))
            .await
    }

    /// What `work` answers, away from the threads that serve.
    pub(super) async fn in_turn<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, PageError> + Send + 'static,
    ) -> Result<T, PageError> {
        let turn = tokio::time::timeout(PATIENCE, self.turns.clone().acquire_owned());
        let Ok(Ok(turn)) = turn.await else {
            return Err(PageError::Busy);
        };
        let read = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            work()
        });
        read.await.unwrap_or(Err(PageError::Unreadable))
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
