//! The ledger, for answers: opened for each and closed with it.
//!
//! So none reads for long (a log that is read cannot be cut), and each sees what is
//! committed. Only the ledger that names are loaded into is read.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;

use super::in_use::InUse;
use crate::data_dir::DataDir;
use crate::ledger::{Ledger, LedgerError};

/// Answers that are read at one time; others wait so long for their turn. Each is
/// a matter of milliseconds.
const AT_ONCE: usize = 4;
const PATIENCE: Duration = Duration::from_secs(10);

/// Where answers are read.
pub(super) struct Books {
    in_use: Arc<InUse>,
    file_mode: u32,
    turns: Arc<Semaphore>,
}

/// Why nothing was read.
#[derive(Debug)]
pub(super) enum Unread {
    /// Too many ask at once.
    Busy,
    /// The work broke down.
    Broken,
    /// The ledger is not where it was, or another one is there.
    Gone,
}

/// Where the ledger is that is in use.
fn in_place(in_use: &InUse) -> Result<&Path, Unread> {
    let path = in_use.is_in_place().then(|| in_use.path());
    path.ok_or(Unread::Gone)
}

impl Books {
    pub(super) fn new(data_dir: &DataDir, in_use: Arc<InUse>) -> Self {
        Self {
            in_use,
            file_mode: data_dir.modes().file,
            turns: Arc::new(Semaphore::new(AT_ONCE)),
        }
    }

    /// What `ask` reads of the ledger as it stands at one instant.
    pub(super) async fn read<T, E>(
        &self,
        ask: impl FnOnce(&Ledger) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<LedgerError> + From<Unread> + Send + 'static,
    {
        let in_use = self.in_use.clone();
        self.in_turn(move || {
            let path = in_place(&in_use)?;
            Ledger::open_read_only(path)?.at_one_instant(ask)
        })
        .await
    }

    /// What `change` answers, once it is written.
    pub(super) async fn write<T, E>(
        &self,
        change: impl FnOnce(&mut Ledger) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<LedgerError> + From<Unread> + Send + 'static,
    {
        let (in_use, file_mode) = (self.in_use.clone(), self.file_mode);
        self.in_turn(move || {
            let path = in_place(&in_use)?;
            change(&mut Ledger::open(path, file_mode)?)
        })
        .await
    }

    /// What `work` answers, away from the threads that serve.
    pub(super) async fn in_turn<T, E>(
        &self,
        work: impl FnOnce() -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<Unread> + Send + 'static,
    {
        let turn = tokio::time::timeout(PATIENCE, self.turns.clone().acquire_owned());
        let Ok(Ok(turn)) = turn.await else {
            return Err(Unread::Busy.into());
        };
        // The turn lasts as long as the work, even if the caller goes away.
        let done = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            work()
        });
        done.await.unwrap_or_else(|_| Err(Unread::Broken.into()))
    }
}
