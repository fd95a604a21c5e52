//! Takes in names over the network, and has them in the ledger within a second.
//!
//! ```text
//! listen ─▶ connections ─▶ gate ─▶ routes ─▶ who ─▶ events | notifications
//!                                                │ lines
//!                                                ▼
//!                  record: one thread, one fsync for all that wait ─▶ object_lists/*.url.txt
//!                                                │ how far each list is safe      │ then: 200
//!                                                ▼
//!                                    loading: the intake, of these lists alone ─▶ ledger
//!
//! routes ─▶ who ─▶ reading: tasks | statistics | metrics | health ◀─ books ◀─ ledger
//! routes ─▶ page: what the ledger says, for people
//!
//! gate ─▶ figures, notices: what was refused      loading ─▶ in_use: which ledger books reads
//! ```
//!
//! A name that was answered 200 survives whatever happens after. One that was
//! answered otherwise may have been recorded all the same where the disk failed;
//! a sender that repeats it makes a further request.

mod answer;
mod books;
mod bounded;
mod connections;
mod events;
mod figures;
mod gate;
mod health;
mod in_use;
mod limits;
mod listen;
mod loading;
mod metrics;
mod notices;
mod notifications;
mod page;
mod query;
mod reading;
mod record;
mod routes;
mod sdk_signature;
mod statistics;
mod subscriptions;
mod tasks;
mod who;

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use tokio::signal::unix::{SignalKind, signal};

pub use figures::Figures;
pub use page::IsHeld;
pub use who::new_token;

use crate::clock::Clock;
use crate::config::{Config, CredentialsError, ServeConfig, TaskConfig};
use crate::data_dir::{DataDir, DataDirError};
use crate::ledger::LedgerError;
use books::Books;
use gate::Gate;
use in_use::InUse;
use limits::Bodies;
use loading::Speech;
use notices::Notices;
use page::Page;
use record::Recorder;
use subscriptions::Subscriptions;
use who::{Callers, LEAST_TOKEN_CHARS};

/// Why `serve` does not come up, or ended.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The configuration says nothing of it.
    #[error("{0} has no section [serve]; `nightferry init` shows one")]
    NotConfigured(PathBuf),
    /// A caller's keys are not where they should be.
    #[error("serve.token {id:?}: {source}")]
    Keys {
        /// The token.
        id: String,
        /// Why.
        source: CredentialsError,
    },
    /// A caller's secret key could be guessed.
    #[error(
        "serve.token {0:?}: its secret_access_key has fewer than {LEAST_TOKEN_CHARS} characters and could be guessed; give the caller a longer one"
    )]
    WeakKey(String),
    /// The certificate cannot be used.
    #[error("the certificate {} and its key cannot be used: {why}", path.display())]
    Certificate {
        /// The certificate's file.
        path: PathBuf,
        /// What is wrong.
        why: String,
    },
    /// The address cannot be listened on.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// The address.
        address: String,
        /// What the system said.
        source: io::Error,
    },
    /// Another process takes in names for this data directory.
    #[error("another `nightferry serve` is at work on this data directory (it holds {0})")]
    Held(PathBuf),
    /// Its own files cannot be used.
    #[error("cannot use {}: {source}; check `data_dir` in the configuration and who may write there", path.display())]
    Files {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The data directory cannot be used.
    #[error(transparent)]
    DataDir(#[from] DataDirError),
    /// The ledger cannot be used.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// Threads or signals are not to be had.
    #[error("cannot begin to serve: {0}")]
    System(#[source] io::Error),
}

/// What every request is answered from.
struct Receiver {
    tasks: Vec<TaskConfig>,
    config: ServeConfig,
    callers: Callers,
    bodies: Bodies,
    recorder: Recorder,
    figures: Arc<Figures>,
    notices: Arc<Notices>,
    subscriptions: Arc<Subscriptions>,
    books: Books,
    list_folders: Vec<PathBuf>,
    clock: Clock,
}

/// Sees whether the callers' keys and the certificate could be used.
///
/// # Errors
/// If not.
pub fn check(config: &ServeConfig) -> Result<(), ServeError> {
    Callers::resolve(&config.tokens)?;
    config.tls.as_ref().map(listen::tls).transpose()?;
    Ok(())
}

/// Takes in names until the process is asked to stop (SIGTERM, SIGINT); what is
/// under way then is answered first. `is_held` tells the page whether a task's run
/// is at work; `ready` is called once calls are taken.
///
/// # Errors
/// If it does not come up.
pub fn serve(
    config: &Config,
    data_dir: &DataDir,
    clock: &Clock,
    is_held: IsHeld,
    ready: impl FnOnce(SocketAddr),
) -> Result<(), ServeError> {
    let Some(serve) = &config.serve else {
        return Err(ServeError::NotConfigured(config.path.clone()));
    };
    let callers = Callers::resolve(&serve.tokens)?;
    data_dir.prepare(config.tasks.iter().map(|task| &task.id))?;
    let tls = serve.tls.as_ref().map(listen::tls).transpose()?;
    let speech = Speech {
        in_use: Arc::new(InUse::new(data_dir.ledger())),
        notices: Arc::default(),
    };
    let recording = record::begin(&config.tasks, data_dir, clock, speech.clone())?;
    let receiver = Receiver {
        tasks: config.tasks.clone(),
        config: serve.clone(),
        callers,
        bodies: Bodies::new(&serve.limits),
        recorder: recording.recorder.clone(),
        figures: Arc::default(),
        notices: speech.notices,
        subscriptions: Arc::new(Subscriptions::new(data_dir.prepare_serve()?.join("sns"))),
        books: Books::new(data_dir, speech.in_use),
        list_folders: config
            .tasks
            .iter()
            .map(|task| data_dir.object_lists(&task.id))
            .collect(),
        clock: clock.clone(),
    };
    let receiver = Arc::new(receiver);
    let (figures, notices) = (receiver.figures.clone(), receiver.notices.clone());
    let page = Page::new(receiver.clone(), data_dir, is_held);
    let router = routes::all(receiver).merge(page::routes(page));
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(ServeError::System)?;
    let served = runtime.block_on(async {
        let listener = listen::bind(serve.listen)?;
        let address = listener.local_addr().map_err(ServeError::System)?;
        let stop = stop_signal()?;
        ready(address);
        let gate = Gate {
            router,
            figures,
            notices: notices.clone(),
        };
        tokio::select! {
            () = connections::take(listener, tls, gate, &serve.limits, stop) => {}
            () = notices.say_by_and_by() => {}
        }
        notices.say_rest();
        Ok(())
    });
    drop(runtime);
    recording.end();
    served
}

/// Resolves once the process is asked to stop.
fn stop_signal() -> Result<impl Future<Output = ()>, ServeError> {
    let mut terminate = signal(SignalKind::terminate()).map_err(ServeError::System)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(ServeError::System)?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}
