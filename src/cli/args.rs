//! The commands and their options.

use std::path::PathBuf;

use chrono::NaiveTime;
use clap::{ArgGroup, Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;

use crate::config::bytes_per_second;
use crate::model::{FailureCause, Month};
use crate::report::MonthChoice;

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
        after_help = "Examples:\n  nightferry enqueue --task photos 2026/11/a.jpg 2026/11/b.jpg\n  find-new-names | nightferry enqueue --task photos --file -"
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
        after_help = "Examples:\n  nightferry run\n  nightferry run --task photos --until 06:00\n  nightferry run --ignore-window --wait\n  nightferry run --dry-run\n  nightferry run --settle-only"
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
        required_unless_present = "file",
        conflicts_with = "file"
    )]
    pub names: Vec<std::ffi::OsString>,
    /// Read names from this file, one a line; `-` is stdin
    #[arg(long, value_name = "FILE")]
    pub file: Option<PathBuf>,
    /// The names are percent-encoded
    #[arg(long)]
    pub url: bool,
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

/// `run`.
#[derive(Debug, Args)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a flag of its own on the command line"
)]
pub struct Run {
    /// The tasks.
    #[command(flatten)]
    pub tasks: Tasks,
    /// Decide everything, move and write nothing, and say what the run would take
    #[arg(long = "dry-run")]
    pub rehearse: bool,
    /// Look at so many names at most; the others are deferred
    #[arg(long, value_name = "N")]
    pub limit: Option<u64>,
    /// Begin nothing new from the next such time on, by each task's own clocks
    #[arg(long, value_name = "HH:MM", value_parser = time_of_day)]
    pub until: Option<NaiveTime>,
    /// Begin nothing new after so long, such as 6h or 90m
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub max_duration: Option<std::time::Duration>,
    /// Only complete what an earlier run could not: record copies that it made and
    /// did not come to record, write and deliver lists; take in and move nothing
    #[arg(long, conflicts_with_all = ["rehearse", "limit"])]
    pub settle_only: bool,
    /// Move objects outside the tasks' windows too
    #[arg(long)]
    pub ignore_window: bool,
    /// Wait for a task that another run is at work on, instead of leaving it (exit 5)
    #[arg(long, conflicts_with = "rehearse")]
    pub wait: bool,
    /// Print the books of the runs as JSON instead of the summary
    #[arg(long)]
    pub json: bool,
}

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
    #[arg(long, value_name = "N")]
    pub last: Option<u64>,
    /// Only what was changed of them while they were at work
    #[arg(long)]
    pub tuning: bool,
}

/// `tune`.
#[derive(Debug, Args)]
#[command(group(ArgGroup::new("change").required(true).multiple(true)))]
pub struct Tune {
    /// The tasks.
    #[command(flatten)]
    pub tasks: Tasks,
    /// Objects and parts of each task in flight at once, at most; no more than the run
    /// began with
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..), group = "change")]
    pub workers: Option<u64>,
    /// Read no more from the source than this each second, such as 50MB/s; `none` for as
    /// fast as may be
    #[arg(long, value_name = "RATE", value_parser = rate, group = "change")]
    pub bandwidth: Option<Limit<u64>>,
    /// Begin nothing new from the next such time on, by each task's own clocks and
    /// whatever its window says; `none` for as long as it takes
    #[arg(long, value_name = "HH:MM", value_parser = end, group = "change")]
    pub until: Option<Limit<NaiveTime>>,
}

/// A value, or the word `none`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limit<T> {
    /// No limit.
    None,
    /// This much, or until then.
    To(T),
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
pub struct Restore {
    /// The backup, or a folder of backups: its newest
    #[arg(
        required_unless_present = "from_bucket",
        conflicts_with = "from_bucket"
    )]
    pub path: Option<PathBuf>,
    /// One of the backups in the bucket of `[backup.bucket]` [default: the newest]
    #[arg(long, value_name = "NAME", num_args = 0..=1)]
    #[expect(
        clippy::option_option,
        reason = "clap's way to say: given, with or without a value"
    )]
    pub from_bucket: Option<Option<String>>,
}

/// `ledger prune`.
#[derive(Debug, Args)]
pub struct Prune {
    /// Of what was settled before this month
    #[arg(
        long,
        value_name = "YYYY-MM",
        required_unless_present = "keep_months",
        conflicts_with = "keep_months"
    )]
    pub before: Option<Month>,
    /// Of what was settled more than so many whole months ago
    #[arg(long, value_name = "N")]
    pub keep_months: Option<u16>,
    /// Only say how many requests would go
    #[arg(long = "dry-run")]
    pub rehearse: bool,
}

fn duration(text: &str) -> Result<std::time::Duration, String> {
    humantime::parse_duration(text)
        .map_err(|_| "a duration is written with its unit, such as 6h, 90m or 1h30m".to_owned())
}

fn rate(text: &str) -> Result<Limit<u64>, String> {
    match text {
        "none" => Ok(Limit::None),
        rate => bytes_per_second(rate).map(Limit::To),
    }
}

fn end(text: &str) -> Result<Limit<NaiveTime>, String> {
    match text {
        "none" => Ok(Limit::None),
        time => time_of_day(time).map(Limit::To),
    }
}

fn time_of_day(text: &str) -> Result<NaiveTime, String> {
    NaiveTime::parse_from_str(text, "%H:%M")
        .map_err(|_| "a time of day is written HH:MM, such as 06:00".to_owned())
}
