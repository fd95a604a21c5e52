//! What all pages about one task begin and end with.

use std::path::PathBuf;
use std::sync::Arc;

use axum::extract::{FromRequestParts, RawPathParams};
use axum::http::HeaderMap;
use axum::http::header;
use axum::http::request::Parts;
use axum::response::Response;
use maud::{Markup, html};

use super::address::of_task;
use super::error::PageError;
use super::{Page, frame};
use crate::config::TaskConfig;
use crate::ledger::Ledger;
use crate::model::{TaskId, Timestamp};

const NO_TASK: PageError = PageError::NotThere("There is no such task.");

/// The page, asked about the task that the address names.
pub(super) struct TaskPage {
    page: Arc<Page>,
    /// The task.
    pub(super) task: Arc<TaskConfig>,
}

impl FromRequestParts<Arc<Page>> for TaskPage {
    type Rejection = PageError;

    async fn from_request_parts(parts: &mut Parts, page: &Arc<Page>) -> Result<Self, PageError> {
        let named = RawPathParams::from_request_parts(parts, page).await;
        let named = named.map_err(|_| NO_TASK)?;
        let (_, id) = named
            .iter()
            .find(|(part, _)| *part == "task")
            .ok_or(NO_TASK)?;
        let task = page.tasks.iter().find(|task| task.id.as_str() == id);
        Ok(Self {
            task: task.ok_or(NO_TASK)?.clone(),
            page: page.clone(),
        })
    }
}

impl TaskPage {
    /// What `ask` reads about the task, as the ledger stands at one instant.
    pub(super) async fn read<T: Send + 'static>(
        &self,
        ask: impl FnOnce(&Ledger, &TaskId) -> Result<T, PageError> + Send + 'static,
    ) -> Result<T, PageError> {
        let task = self.task.clone();
        self.page.read(move |ledger| ask(ledger, &task.id)).await
    }

    /// As [`read`](Self::read), and whether a process was at work on the task
    /// before or after: one that ends meanwhile is not taken for one that died.
    pub(super) async fn watch<T: Send + 'static>(
        &self,
        ask: impl FnOnce(&Ledger, &TaskId) -> Result<T, PageError> + Send + 'static,
    ) -> Result<(T, bool), PageError> {
        let was_at_work = self.page.is_at_work(&self.task.id);
        let told = self.read(ask).await?;
        Ok((told, was_at_work || self.page.is_at_work(&self.task.id)))
    }

    /// What `work` answers, away from the threads that serve.
    pub(super) async fn in_turn<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, PageError> + Send + 'static,
    ) -> Result<T, PageError> {
        self.page.receiver.books.in_turn(work).await
    }

    /// The task's folder.
    pub(super) fn folder(&self) -> PathBuf {
        self.page.data_dir.task(&self.task.id)
    }

    /// What time it is.
    pub(super) fn now(&self) -> Timestamp {
        self.page.receiver.clock.now()
    }

    /// Where callers with such a request reach this program, and where they send
    /// the task's events to.
    pub(super) fn addresses(&self, headers: &HeaderMap) -> (String, String) {
        let host = headers.get(header::HOST);
        let config = &self.page.receiver.config;
        let origin = config.origin(host.and_then(|host| host.to_str().ok()));
        let events = config.events_url(&origin, &self.task.id);
        (origin, events)
    }

    /// The task as a page above others.
    pub(super) fn above(&self) -> (&str, String) {
        (self.task.id.as_str(), of_task(&self.task.id))
    }

    /// Whose clocks the times of the page are of.
    pub(super) fn times(&self) -> Markup {
        html! { "Times are those of " (self.task.zone.name()) "." }
    }

    /// The whole page: below the pages `above`, there called `here`.
    pub(super) fn show(
        &self,
        title: &str,
        above: &[(&str, String)],
        here: &str,
        body: &Markup,
    ) -> Response {
        let body = html! { (frame::trail(above, here)) (body) };
        frame::page(title, !self.page.is_open(), &body)
    }
}
