//! What the commands are told that show what the ledger knows.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use crate::model::FailureCause;
use crate::report::MonthChoice;

/// One task or all, as table or JSON.
#[derive(Debug, Args)]
pub struct Shown {
    /// The task [default: all]
    #[arg(long, value_name = "ID")]
    pub task: Option<String>,
    /// Print an array of objects
    #[arg(long)]
    pub json: bool,
}

/// `status`.
#[derive(Debug, Args)]
pub struct Status {
    /// What is shown.
    #[command(flatten)]
    pub shown: Shown,
    /// Only how the run at work, or the next one, is likely to go
    #[arg(long)]
    pub forecast: bool,
}

/// `runs`.
#[derive(Debug, Args)]
pub struct Runs {
    /// What is shown.
    #[command(flatten)]
    pub shown: Shown,
    /// Only the last so many
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub last: Option<u64>,
    /// Only what was changed of them while they were at work
    #[arg(long)]
    pub tuning: bool,
}

/// `bill`.
#[derive(Debug, Args)]
pub struct Bill {
    /// What is shown.
    #[command(flatten)]
    pub shown: Shown,
    /// Only this month: YYYY-MM, `this` or `last`; a run belongs to that in which it began
    #[arg(long, value_name = "MONTH")]
    pub month: Option<MonthChoice>,
    /// What a line stands for
    #[arg(long, value_enum, default_value_t = BillBy::Month, value_name = "WHAT")]
    pub by: BillBy,
}

/// What a line of a bill stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum BillBy {
    /// A month.
    Month,
    /// A day.
    Day,
    /// A run.
    Run,
}

/// `summary`.
#[derive(Debug, Args)]
pub struct Summary {
    /// The task [default: all]
    #[arg(long, value_name = "ID")]
    pub task: Option<String>,
    /// The month: YYYY-MM, `this` or `last`
    #[arg(long, value_name = "MONTH", default_value = "this")]
    pub month: MonthChoice,
    /// How it is written
    #[arg(long, value_enum, default_value_t = SummaryFormat::Table)]
    pub format: SummaryFormat,
    /// The same as --format json
    #[arg(long, conflicts_with = "format")]
    pub json: bool,
    /// Send it to those whom the section [mail] names, instead of printing it
    #[arg(long, conflicts_with_all = ["format", "json"])]
    pub mail: bool,
}

/// `report`.
#[derive(Debug, Args)]
pub struct Report {
    /// The task [default: all, one after the other]
    #[arg(long, value_name = "ID")]
    pub task: Option<String>,
    /// The month: YYYY-MM, `this` or `last`
    #[arg(long, value_name = "MONTH", default_value = "this")]
    pub month: MonthChoice,
    /// The run with this number, instead of a month
    #[arg(long, value_name = "N", conflicts_with = "month")]
    pub run: Option<u64>,
    /// Where to write it; `-` is stdout
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
}

/// How a summary is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum SummaryFormat {
    /// For people.
    Table,
    /// An array of objects.
    Json,
    /// Comma-separated values.
    Csv,
}

/// `failed`.
#[derive(Debug, Args)]
pub struct FailedRequests {
    /// What is shown.
    #[command(flatten)]
    pub shown: Shown,
    /// Only those of this run
    #[arg(long, value_name = "N")]
    pub run: Option<u64>,
    /// Only those with this cause
    #[arg(long, value_name = "CAUSE")]
    pub cause: Option<FailureCause>,
    /// Only the names, each ended by a NUL, for `xargs -0`
    #[arg(short = '0', conflicts_with = "json")]
    pub nul: bool,
}

/// `why`.
#[derive(Debug, Args)]
pub struct Why {
    /// The task
    #[arg(long, value_name = "ID")]
    pub task: String,
    /// The name, as it is at the source
    pub name: String,
    /// Print the attempts as an array of objects
    #[arg(long)]
    pub json: bool,
}

/// `export`.
#[derive(Debug, Args)]
pub struct Export {
    /// The task
    #[arg(long, value_name = "ID")]
    pub task: String,
    /// The run's number
    #[arg(long, value_name = "N")]
    pub run: u64,
    /// The folder to write into
    #[arg(long, value_name = "DIR", default_value = ".")]
    pub out: PathBuf,
}

/// `verify`.
#[derive(Debug, Args)]
pub struct Verify {
    /// The task
    #[arg(long, value_name = "ID")]
    pub task: String,
    /// The run's number [default: all runs]
    #[arg(long, value_name = "N")]
    pub run: Option<u64>,
    /// Print an array of objects
    #[arg(long)]
    pub json: bool,
}
