//! What `check` is told.

use clap::Args;

use super::{SummaryFormat, Tasks};

/// `check`.
#[derive(Debug, Args)]
pub struct Check {
    /// The tasks.
    #[command(flatten)]
    pub tasks: Tasks,
    /// Only so many copies, drawn at random, each asked about by itself: how many of all
    /// are not right can be told from it, and the bucket is not listed
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub sample: Option<u32>,
    /// Only so many copies, drawn at random, each read whole at both ends and compared
    /// with its source byte by byte
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1_000_000),
          conflicts_with_all = ["sample", "requeue"])]
    pub deep: Option<u32>,
    /// Ask for what is gone, changed or newer at the source again; the next run carries it,
    /// whatever `overwrite` says
    #[arg(long)]
    pub requeue: bool,
    /// How it is written
    #[arg(long, value_enum, default_value_t = SummaryFormat::Table)]
    pub format: SummaryFormat,
    /// The same as --format json
    #[arg(long, conflicts_with = "format")]
    pub json: bool,
}
