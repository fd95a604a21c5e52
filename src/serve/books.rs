//! The ledger, for answers: opened for each and closed with it.
//!
//! So none reads for long (a log that is read cannot be cut), each sees what is
//! committed, and a ledger that was put in its place is the one that is read.

use std::path::PathBuf;
use std::sync::Arc;

use tokio::sync::Semaphore;

use super::answer::Refusal;
use crate::data_dir::DataDir;
use crate::ledger::{Ledger, LedgerError};

/// Answers that are read at one time; others wait. Each is a matter of milliseconds.
const AT_ONCE: usize = 4;

/// Where answers are read.
pub(super) struct Books {
    path: PathBuf,
    file_mode: u32,
    turns: Arc<Semaphore>,
}

impl Books {
    pub(super) fn new(data_dir: &DataDir) -> Self {
        Self {
            path: data_dir.ledger(),
            file_mode: data_dir.modes().file,
            turns: Arc::new(Semaphore::new(AT_ONCE)),
        }
    }

    /// What `ask` reads.
    pub(super) async fn read<T: Send + 'static>(
        &self,
        ask: impl FnOnce(&Ledger) -> Result<T, LedgerError> + Send + 'static,
    ) -> Result<T, Refusal> {
        let path = self.path.clone();
        self.take_turn(move || ask(&Ledger::open_read_only(&path)?))
            .await
    }

    /// What `change` answers, once it is written.
    pub(super) async fn write<T: Send + 'static>(
        &self,
        change: impl FnOnce(&mut Ledger) -> Result<T, LedgerError> + Send + 'static,
    ) -> Result<T, Refusal> {
        let (path, file_mode) = (self.path.clone(), self.file_mode);
        self.take_turn(move || change(&mut Ledger::open(&path, file_mode)?))
            .await
    }

    async fn take_turn<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, LedgerError> + Send + 'static,
    ) -> Result<T, Refusal> {
        let turn = self.turns.clone().acquire_owned().await;
        // The turn lasts as long as the work, even if the caller goes away.
        let turn = turn.map_err(|_| Refusal::NoLedger)?;
        let done = tokio::task::spawn_blocking(move || {
            let done = work();
            drop(turn);
            done
        });
        done.await.map_err(|_| Refusal::NoLedger)?.map_err(|error| {
            tracing::error!("a question could not be answered: {error}");
            Refusal::NoLedger
        })
    }
}
