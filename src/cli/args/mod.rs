//! The commands and their options.

mod browse;
mod check;
mod ledger;
mod night;

use std::path::PathBuf;

use clap::{ArgGroup, Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;

use crate::model::FailureCause;

pub use browse::{
    Bill, BillBy, Export, FailedRequests, Report, Runs, Shown, Status, Summary, SummaryFormat,
    Verify, Why,
};
pub use check::Check;
pub use ledger::{LedgerCommand, Prune, Rebuild, Restore};
pub use night::{Limit, Run, Tune};

/// Carries queued objects between S3 buckets by night and keeps exact books on it.
#[derive(Debug, Parser)]
#[command(
    name = "nightferry",
    version,
    max_term_width = 100,
    arg_required_else_help = true
)]
pub struct Arguments {
    /// The configuration file [default: `$NIGHTFERRY_CONFIG`, ./nightferry.toml, /etc/nightferry/nightferry.toml]
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Say nothing but errors
    #[arg(short, long, global = true)]
    pub quiet: bool,
    /// Say more: each failed object (-v), each object (-vv)
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub verbose: u8,
    /// How the log on stderr is written
    #[arg(long, global = true, value_enum, default_value_t = LogFormat::Text, value_name = "FORMAT")]
    pub log_format: LogFormat,
    /// What to do
    #[command(subcommand)]
    pub command: Command,
}

/// How the log is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// Lines for people.
    Text,
    /// One JSON object a line.
    Json,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Print a commented configuration to begin with
    #[command(after_help = "Example:\n  nightferry init > nightferry.toml")]
    Init,
    /// Check both buckets of each task, the lists, the clocks and the ledger
    #[command(after_help = "Example:\n  nightferry doctor --task photos")]
    Doctor(Tasks),
    /// Ask for objects: write their names into a new list, all of them or none
    #[command(
        after_help = "Examples:\n  nightferry enqueue --task photos 2026/11/a.jpg 2026/11/b.jpg\n  find-new-names | nightferry enqueue --task photos --file -\n  nightferry enqueue --task photos --from-source --dry-run\n  nightferry enqueue --task photos --from-source --prefix 2026/ --since 2026-11-01"
    )]
    Enqueue(Enqueue),
    /// Take pending requests back; they become ignored (withdrawn)
    #[command(
        after_help = "Example:\n  nightferry withdraw --task photos --list object_lists/wrong.txt"
    )]
    Withdraw(Withdraw),
    /// Take failed requests up again, final ones too; they become pending
    #[command(
        after_help = "Examples:\n  nightferry retry --task photos --cause source_missing\n  nightferry retry --task photos --run 12\n  nightferry retry --task photos --name 2026/11/a.jpg\n  nightferry retry --all"
    )]
    Retry(Retry),
    /// Have runs leave a task alone; what is asked for meanwhile waits
    #[command(after_help = "Example:\n  nightferry pause --task photos")]
    Pause(OneTask),
    /// Have runs take a paused task up again
    #[command(after_help = "Example:\n  nightferry resume --task photos")]
    Resume(OneTask),
    /// The night: take in lists, carry objects, record outcomes, write lists, print the summary
    #[command(
        after_help = "Examples:\n  nightferry run\n  nightferry run --task photos --until 06:00\n  nightferry run --ignore-window --wait\n  nightferry run --dry-run\n  nightferry run --dry-run -v\n  nightferry run --settle-only"
    )]
    Run(Run),
    /// How each task stands now
    #[command(after_help = "Examples:\n  nightferry status\n  nightferry status --forecast --json")]
    Status(Status),
    /// Past runs with their books, the newest last
    #[command(after_help = "Example:\n  nightferry runs --task photos --last 7")]
    Runs(Runs),
    /// Change the runs that are at work, for the rest of them; `runs` shows the changes
    #[command(
        after_help = "Examples:\n  nightferry tune --workers 16 --bandwidth 50MB/s\n  nightferry tune --task photos --until 05:30\n  nightferry tune --bandwidth none --until none"
    )]
    Tune(Tune),
    /// What was asked of each bucket: LIST, HEAD, GET, PUT, parts and bytes, as providers bill it
    #[command(
        after_help = "Examples:\n  nightferry bill\n  nightferry bill --task photos --month last --by run"
    )]
    Bill(Bill),
    /// The month: requested, synced, failed, ignored, pending, bytes
    #[command(
        after_help = "Examples:\n  nightferry summary\n  nightferry summary --task photos --month 2026-11 --format csv"
    )]
    Summary(Summary),
    /// Months or one run as a single HTML file, with charts: for the eye, for paper, for an audit
    #[command(
        after_help = "Examples:\n  nightferry report --month 2026-11 --out november.html\n  nightferry report --task photos --run 12 --out run-12.html"
    )]
    Report(Report),
    /// Failed requests, each with its cause
    #[command(
        after_help = "Examples:\n  nightferry failed --task photos --cause source_missing\n  nightferry failed --task photos -0 | xargs -0 -n1 echo"
    )]
    Failed(FailedRequests),
    /// Everything that is known of one name
    #[command(after_help = "Example:\n  nightferry why --task photos 2026/11/a.jpg")]
    Why(Why),
    /// Input lists: what was loaded of each, and which lines were rejected
    #[command(after_help = "Example:\n  nightferry lists --task photos")]
    Lists(Shown),
    /// Write the lists and the manifest of a run again, from the ledger
    #[command(
        after_help = "Example:\n  nightferry export --task photos --run 12 --out /tmp/november"
    )]
    Export(Export),
    /// Compare the delivered lists with their manifest and with the ledger
    #[command(after_help = "Example:\n  nightferry verify --task photos --run 12")]
    Verify(Verify),
    /// Compare what the ledger says was copied with what the buckets have now: what is gone,
    /// changed, newer at the source, foreign
    #[command(
        after_help = "Exit code 4 if a copy is gone, changed or newer at the source; 9 if a bucket could not be\nlooked at.\n\nExamples:\n  nightferry check --task photos\n  nightferry check --sample 1000\n  nightferry check --deep 20\n  nightferry check --requeue"
    )]
    Check(Check),
    /// Take in names over the network, as OMS does, until it is asked to stop; objects move
    /// by night
    #[command(after_help = "Example:\n  nightferry serve")]
    Serve,
    /// Make a token for a caller of `serve`, and print it with its lines for the configuration
    #[command(after_help = "Example:\n  nightferry token \"camera bucket\" --send photos")]
    Token(NewToken),
    /// Look after the ledger
    #[command(subcommand)]
    Ledger(LedgerCommand),
    /// Print the manual page, or write one for each command into a folder
    #[command(after_help = "Examples:\n  nightferry man | man -l -\n  nightferry man --out man1")]
    Man(Man),
    /// Print what has a shell complete commands and options
    #[command(
        after_help = "Example:\n  nightferry completions bash > ~/.local/share/bash-completion/completions/nightferry"
    )]
    Completions(Completions),
}

/// Some tasks, or all.
#[derive(Debug, Args)]
pub struct Tasks {
    /// A task; may be given several times [default: all]
    #[arg(long = "task", value_name = "ID")]
    pub tasks: Vec<String>,
}

/// One task.
#[derive(Debug, Args)]
pub struct OneTask {
    /// The task
    #[arg(long, value_name = "ID")]
    pub task: String,
}

/// `enqueue`.
#[derive(Debug, Args)]
pub struct Enqueue {
    /// The task
    #[arg(long, value_name = "ID")]
    pub task: String,
    /// Names of objects
    #[arg(
        value_name = "NAME",
        required_unless_present_any = ["file", "from_source"],
        conflicts_with_all = ["file", "from_source"]
    )]
    pub names: Vec<std::ffi::OsString>,
    /// Read names from this file, one a line; `-` is stdin
    #[arg(long, value_name = "FILE", conflicts_with = "from_source")]
    pub file: Option<PathBuf>,
    /// The names are percent-encoded
    #[arg(long, conflicts_with = "from_source")]
    pub url: bool,
    #[command(flatten)]
    pub by_listing: ByListing,
}

/// What of `enqueue` goes with `--from-source`.
#[derive(Debug, Args)]
pub struct ByListing {
    /// List both buckets, and ask for what the destination lacks or has other or older
    #[arg(long)]
    pub from_source: bool,
    /// Only names at the source that begin with this
    #[arg(long, value_name = "PREFIX", requires = "from_source", conflicts_with_all = ["names", "file"])]
    pub prefix: Option<String>,
    /// Only what was modified at the source then or later: a day in the task's zone, or
    /// RFC 3339
    #[arg(long, value_name = "DAY|TIME", requires = "from_source", conflicts_with_all = ["names", "file"])]
    pub since: Option<String>,
    /// Only count; ask for nothing
    #[arg(long, requires = "from_source", conflicts_with_all = ["names", "file"])]
    pub dry_run: bool,
    /// Print the figures as JSON
    #[arg(long, requires = "from_source", conflicts_with_all = ["names", "file"])]
    pub json: bool,
}

/// `withdraw`.
#[derive(Debug, Args)]
#[command(group(ArgGroup::new("what").required(true)))]
pub struct Withdraw {
    /// The task
    #[arg(long, value_name = "ID")]
    pub task: String,
    /// All pending requests of this list, as `nightferry lists` shows its path
    #[arg(long, value_name = "PATH", group = "what")]
    pub list: Option<String>,
    /// All pending requests for this name
    #[arg(long, value_name = "NAME", group = "what")]
    pub name: Option<String>,
}

/// `retry`. A request is meant if it fits all that is given.
#[derive(Debug, Args)]
#[command(group(ArgGroup::new("selector").required(true).multiple(true)))]
pub struct Retry {
    /// Failed requests of this task; may be given several times
    #[arg(long = "task", value_name = "ID", group = "selector")]
    pub tasks: Vec<String>,
    /// Those with this cause
    #[arg(long, value_name = "CAUSE", group = "selector")]
    pub cause: Option<FailureCause>,
    /// Those that failed last in the run with this number
    #[arg(long, value_name = "N", group = "selector")]
    pub run: Option<u64>,
    /// Those for this name
    #[arg(long, value_name = "NAME", group = "selector")]
    pub name: Option<String>,
    /// All failed requests, of all tasks if none is named
    #[arg(long, group = "selector", conflicts_with_all = ["cause", "run", "name"])]
    pub all: bool,
}

/// `token`.
#[derive(Debug, Args)]
pub struct NewToken {
    /// What the caller is to be called
    #[arg(value_name = "ID")]
    pub id: String,
    /// A task for which it may send names, or `all`; may be given several times
    /// [default: all, or none if it may read or control]
    #[arg(long, value_name = "ID")]
    pub send: Vec<String>,
    /// It may read figures
    #[arg(long)]
    pub read: bool,
    /// It may start and stop tasks
    #[arg(long)]
    pub control: bool,
}

/// `man`.
#[derive(Debug, Args)]
pub struct Man {
    /// The folder to write into, made if it is not there
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
}

/// `completions`.
#[derive(Debug, Args)]
pub struct Completions {
    /// The shell
    #[arg(value_enum)]
    pub shell: Shell,
}
