//! The page: the tasks, their months, runs and lists, for people to watch.
//!
//! ```text
//! guard (host, session) ─▶ tasks | task_page ─▶ month | runs | failed | object | lists | rejected
//!                              │ books: a few at a time, read only, one instant
//!                              ▼
//!                           ledger ─▶ figures ─▶ HTML that needs no script
//! ```
//!
//! Nothing is changed here. Names of objects may be anything: they are text in
//! every place, made visible where a reader could not tell what is there.

mod address;
mod assets;
mod download;
mod error;
mod failed;
mod file_body;
mod frame;
mod guard;
mod lists;
mod month;
mod object;
mod rejected;
mod run;
mod runs;
mod sessions;
mod sign_in;
mod task_page;
mod tasks;

use std::io;
use std::path::Path;
use std::sync::Arc;

use axum::Router;
use axum::middleware;
use axum::routing::{get, post};

use super::Receiver;
use crate::config::TaskConfig;
use crate::data_dir::DataDir;
use crate::ledger::Ledger;
use crate::model::TaskId;
use error::PageError;
use sessions::Sessions;

/// Tells whether a process holds the lock at a path.
pub type IsHeld = fn(&Path) -> io::Result<bool>;

/// What every page is made from.
pub(super) struct Page {
    receiver: Arc<Receiver>,
    tasks: Vec<Arc<TaskConfig>>,
    data_dir: DataDir,
    is_held: IsHeld,
    sessions: Sessions,
}

impl Page {
    pub(super) fn new(receiver: Arc<Receiver>, data_dir: &DataDir, is_held: IsHeld) -> Self {
        let tasks = receiver.tasks.iter().cloned().map(Arc::new).collect();
        Self {
            receiver,
            tasks,
            data_dir: data_dir.clone(),
            is_held,
            sessions: Sessions::default(),
        }
    }

    /// What `ask` reads of the ledger as it stands at one instant.
    async fn read<T: Send + 'static>(
        &self,
        ask: impl FnOnce(&Ledger) -> Result<T, PageError> + Send + 'static,
    ) -> Result<T, PageError> {
        self.receiver.books.read(ask).await
    }

    /// Whether a process is at work on `task`; what cannot be told is taken for yes.
    fn is_at_work(&self, task: &TaskId) -> bool {
        (self.is_held)(&self.data_dir.lock(task)).unwrap_or(true)
    }

    /// Whether everybody who reaches it may see it.
    fn is_open(&self) -> bool {
        self.receiver.config.open_page
    }
}

/// All paths of the page.
pub(super) fn routes(page: Page) -> Router {
    let page = Arc::new(page);
    Router::new()
        .route("/", get(tasks::show))
        .route("/tasks/{task}", get(month::show))
        .route("/tasks/{task}/progress", get(run::progress))
        .route("/tasks/{task}/runs", get(runs::show))
        .route("/tasks/{task}/runs/{run}", get(run::show))
        .route("/tasks/{task}/failed", get(failed::show))
        .route("/tasks/{task}/objects", get(object::show))
        .route("/tasks/{task}/lists", get(lists::show))
        .route("/tasks/{task}/rejected", get(rejected::show))
        .route("/tasks/{task}/files/{*path}", get(download::send))
        .route("/sign-in", get(sign_in::show).post(sign_in::take))
        .route("/sign-out", post(sign_in::end))
        .layer(middleware::from_fn_with_state(page.clone(), guard::guard))
        .merge(assets::routes())
        .layer(middleware::map_response(guard::protect))
        .with_state(page)
}
