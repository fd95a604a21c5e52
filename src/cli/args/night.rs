//! What `run` and `tune` are told.

use chrono::NaiveTime;
use clap::{ArgGroup, Args};

use super::Tasks;
use crate::config::bytes_per_second;

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
    #[arg(long, value_name = "N", value_parser = whole_number)]
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
    /// Print the books of the runs as JSON instead of the summary; of --dry-run, what
    /// it would take
    #[arg(long)]
    pub json: bool,
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

fn whole_number(text: &str) -> Result<u64, String> {
    text.parse()
        .map_err(|_| "a number of names is written in digits, such as 1000".to_owned())
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
