//! What the `ledger` commands are told.

use std::path::PathBuf;

use clap::{ArgGroup, Args, Subcommand};

use super::Tasks;
use crate::model::Month;

/// `ledger …`.
#[derive(Debug, Subcommand)]
pub enum LedgerCommand {
    /// Count everything anew and compare it with the books
    #[command(after_help = "Example:\n  nightferry ledger check")]
    Check,
    /// Copy the ledger while it is in use
    #[command(
        after_help = "Examples:\n  nightferry ledger backup\n  nightferry ledger backup /backup/ledger.sqlite"
    )]
    Backup {
        /// The copy's path; an older copy there is replaced once the new one is
        /// whole [default: where `[backup]` of the configuration says]
        path: Option<PathBuf>,
    },
    /// Make a new ledger from the lists and manifests in the destination buckets, when the old
    /// one is lost
    #[command(
        after_help = "Examples:\n  nightferry ledger rebuild\n  nightferry ledger rebuild --out /tmp/ledger.sqlite"
    )]
    Rebuild(Rebuild),
    /// Put a backup in place of the ledger; the present one is kept beside it
    #[command(
        after_help = "Examples:\n  nightferry ledger restore /backup/nightferry\n  nightferry ledger restore --from-bucket"
    )]
    Restore(Restore),
    /// Take away the detail of months long past: requests that are settled, their
    /// attempts, rejected lines. All figures stay, and all that a coming night needs
    #[command(
        after_help = "Examples:\n  nightferry ledger prune --keep-months 12 --dry-run\n  nightferry ledger prune --before 2026-01"
    )]
    Prune(Prune),
}

/// `ledger rebuild`.
#[derive(Debug, Args)]
pub struct Rebuild {
    /// The tasks that the ledger is to know.
    #[command(flatten)]
    pub tasks: Tasks,
    /// Where to put it [default: the data directory]
    #[arg(long, value_name = "PATH", conflicts_with = "replace")]
    pub out: Option<PathBuf>,
    /// Move a ledger that is there aside
    #[arg(long)]
    pub replace: bool,
}

/// `ledger restore`.
#[derive(Debug, Args)]
#[command(group(ArgGroup::new("from").required(true)))]
pub struct Restore {
    /// The backup, or a folder of backups: its newest
    #[arg(group = "from")]
    pub path: Option<PathBuf>,
    /// One of the backups in the bucket of `[backup.bucket]` [default: the newest]
    #[arg(long, value_name = "NAME", num_args = 0..=1, group = "from")]
    #[expect(
        clippy::option_option,
        reason = "clap's way to say: given, with or without a value"
    )]
    pub from_bucket: Option<Option<String>>,
}

/// `ledger prune`.
#[derive(Debug, Args)]
#[command(group(ArgGroup::new("until").required(true)))]
pub struct Prune {
    /// Of what was settled before this month
    #[arg(long, value_name = "YYYY-MM", group = "until")]
    pub before: Option<Month>,
    /// Of what was settled more than so many whole months ago
    #[arg(long, value_name = "N", group = "until")]
    pub keep_months: Option<u16>,
    /// Only say how many requests would go
    #[arg(long = "dry-run")]
    pub rehearse: bool,
}
