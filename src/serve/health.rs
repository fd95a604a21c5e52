//! Whether it can do what it is for.

use std::path::{Path, PathBuf};

use nix::sys::statvfs::statvfs;
use nix::unistd::{AccessFlags, access};

use super::Receiver;
use super::answer::Refusal;

impl Receiver {
    /// That the ledger can be read, and lists can be written.
    pub(super) async fn health(&self) -> Result<(), Refusal> {
        let read = self
            .books
            .read(|ledger| Ok::<_, Refusal>(ledger.known_tasks().map(drop)?));
        let unread = |refusal| {
            Refusal::Unhealthy(match refusal {
                Refusal::LedgerGone => "the ledger is not in its place",
                _ => "the ledger cannot be read",
            })
        };
        read.await.map_err(unread)?;
        let folders = self.list_folders.clone();
        let looked = tokio::task::spawn_blocking(move || {
            folders.iter().all(|folder: &PathBuf| takes_lists(folder))
        });
        match looked.await {
            Ok(true) => Ok(()),
            _ => Err(Refusal::Unhealthy("lists cannot be written")),
        }
    }
}

/// Whether lists can be written into `folder`, as far as can be seen without
/// writing any.
fn takes_lists(folder: &Path) -> bool {
    let may = AccessFlags::W_OK | AccessFlags::X_OK;
    let has_room = statvfs(folder).is_ok_and(|disk| disk.blocks_available() > 0);
    has_room && access(folder, may).is_ok()
}
