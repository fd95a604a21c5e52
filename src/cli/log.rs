//! The program's log on stderr: lines for people, lines for the journal of systemd,
//! or a JSON object a line.

use std::fmt::{self, Write as _};
use std::io::IsTerminal;

use serde::Serialize;
use tracing::field::{Field, Visit};
use tracing::level_filters::LevelFilter;
use tracing::span::{Attributes, Id};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::layer::{Context, Layer};
use tracing_subscriber::prelude::*;
use tracing_subscriber::registry::{LookupSpan, Scope};

use super::args::{Arguments, LogFormat};
use crate::clock::Clock;
use crate::model::Zone;
use crate::report::json::Harmless;
use crate::report::text::harmless;

/// The target of why a command failed: what the program says last.
pub const FAILED: &str = "failed";

/// The target of one of the things that are wrong, when several are.
pub const DETAIL: &str = "detail";

/// The target of how things stand, minute by minute. The journal keeps all it is
/// told, and has no use for them.
const MINUTES: &str = "progress::minutes";

/// How a line is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Line {
    /// For people, in colour on a terminal.
    Text { colours: bool },
    /// For the journal: `<priority>` first, and nothing that it knows by itself.
    Journal,
    /// An object with `time`, `level`, `task`, `run` and `message`.
    Json,
}

/// Begins the log as the arguments want it.
pub fn begin(arguments: &Arguments) {
    let level = match (arguments.quiet, arguments.verbose) {
        (true, _) => LevelFilter::ERROR,
        (false, 0) => LevelFilter::WARN,
        (false, 1) => LevelFilter::INFO,
        (false, _) => LevelFilter::DEBUG,
    };
    begin_with(arguments.log_format, level, arguments.quiet);
}

/// Says what is wrong with arguments that cannot be read: as JSON, if at least that
/// is to be read in them.
pub fn wrong_usage(arguments: &[std::ffi::OsString], error: &clap::Error) {
    let wants_json = |pair: &[std::ffi::OsString]| pair == ["--log-format", "json"];
    if error.use_stderr()
        && (arguments.windows(2).any(wants_json)
            || arguments.iter().any(|one| one == "--log-format=json"))
    {
        begin_with(LogFormat::Json, LevelFilter::WARN, false);
        tracing::error!(target: FAILED, "{}", error.to_string().trim_end());
    } else {
        drop(error.print());
    }
}

fn begin_with(format: LogFormat, level: LevelFilter, quiet: bool) {
    let line = match format {
        LogFormat::Json => Line::Json,
        LogFormat::Text if is_journal() => Line::Journal,
        LogFormat::Text => Line::Text {
            colours: std::io::stderr().is_terminal(),
        },
    };
    let unless = |off: bool| {
        if off {
            LevelFilter::OFF
        } else {
            LevelFilter::INFO
        }
    };
    // The libraries' own logs may hold URLs, and so signatures: never shown.
    let targets = Targets::new()
        .with_target("nightferry", level)
        .with_target("progress", unless(quiet))
        .with_target(MINUTES, unless(quiet || line == Line::Journal))
        .with_target(FAILED, LevelFilter::ERROR)
        .with_target(DETAIL, LevelFilter::ERROR);
    let lines = tracing_subscriber::fmt::layer()
        .log_internal_errors(false)
        .with_writer(std::io::stderr)
        .event_format(line);
    let registry = tracing_subscriber::registry().with(targets).with(Places);
    // A second call, as in tests of this library, keeps the first log.
    let is_first = registry.with(lines).try_init().is_ok();
    if is_first && line == Line::Json {
        // No line is other than JSON, not even the last of a fault of the program.
        std::panic::set_hook(Box::new(|panic| tracing::error!(target: FAILED, "{panic}")));
    }
}

/// Whether stderr is the journal itself, and not only something that was begun by
/// what writes there.
fn is_journal() -> bool {
    let Ok(stream) = std::env::var("JOURNAL_STREAM") else {
        return false;
    };
    let stderr = nix::sys::stat::fstat(std::io::stderr());
    stderr.is_ok_and(|file| stream == format!("{}:{}", file.st_dev, file.st_ino))
}

/// What an event says, and of which task and run; of a span only these.
#[derive(Debug, Clone, Default)]
struct Said {
    task: Option<String>,
    run: Option<u64>,
    message: String,
}

impl Visit for Said {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        let text = match field.name() {
            "message" => &mut self.message,
            "task" => self.task.insert(String::new()),
            _ => return,
        };
        // Writing to a String cannot fail.
        let _ = write!(text, "{value:?}");
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.record_debug(field, &format_args!("{value}"));
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        if field.name() == "run" {
            self.run = Some(value);
        }
    }
}

/// Remembers of which task and run a span is.
struct Places;

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Places {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        if let Some(span) = context.span(id) {
            let mut said = Said::default();
            attributes.record(&mut said);
            span.extensions_mut().insert(said);
        }
    }
}

impl<S, N> FormatEvent<S, N> for Line
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let mut said = Said::default();
        for span in context.event_scope().into_iter().flat_map(Scope::from_root) {
            if let Some(place) = span.extensions().get::<Said>() {
                said.task = place.task.clone().or(said.task);
                said.run = place.run.or(said.run);
            }
        }
        event.record(&mut said);
        let (level, target) = (*event.metadata().level(), event.metadata().target());
        match self {
            Self::Text { colours } => text(&mut writer, level, target, &said, *colours),
            Self::Journal => journal(&mut writer, level, &said),
            Self::Json => json(&mut writer, level, &said),
        }
    }
}

fn text(
    writer: &mut Writer<'_>,
    level: Level,
    target: &str,
    said: &Said,
    colours: bool,
) -> fmt::Result {
    match target {
        FAILED => writer.write_str("nightferry: ")?,
        DETAIL => {}
        _ if colours => write!(writer, "\u{1b}[{}m{level:>5}\u{1b}[0m ", colour(level))?,
        _ => write!(writer, "{level:>5} ")?,
    }
    writeln!(writer, "{}", in_words(said))
}

/// Every line has its priority: the journal takes each for a message of its own.
fn journal(writer: &mut Writer<'_>, level: Level, said: &Said) -> fmt::Result {
    let priority = match level {
        Level::ERROR => 3,
        Level::WARN => 4,
        Level::INFO => 6,
        _ => 7,
    };
    for line in in_words(said).lines() {
        writeln!(writer, "<{priority}>{line}")?;
    }
    Ok(())
}

fn json(writer: &mut Writer<'_>, level: Level, said: &Said) -> fmt::Result {
    #[derive(Serialize)]
    struct Object<'s> {
        time: String,
        level: &'static str,
        task: Option<&'s str>,
        run: Option<u64>,
        message: &'s str,
    }
    let object = Object {
        time: Zone::UTC.local(Clock::system().now()).rfc3339(),
        level: match level {
            Level::ERROR => "error",
            Level::WARN => "warn",
            Level::INFO => "info",
            Level::DEBUG => "debug",
            Level::TRACE => "trace",
        },
        task: said.task.as_deref(),
        run: said.run,
        message: &said.message,
    };
    let mut written = Vec::new();
    let mut json = serde_json::Serializer::with_formatter(&mut written, Harmless);
    object.serialize(&mut json).map_err(|_| fmt::Error)?;
    writeln!(writer, "{}", String::from_utf8_lossy(&written))
}

/// The message with its task before it. A terminal shows what stands in it, and
/// does nothing else.
fn in_words(said: &Said) -> String {
    let mut words = String::with_capacity(said.message.len());
    if let Some(task) = &said.task {
        words.push_str(task);
        words.push_str(": ");
    }
    words.push_str(&harmless(&said.message));
    words
}

const fn colour(level: Level) -> u8 {
    match level {
        Level::ERROR => 31,
        Level::WARN => 33,
        Level::INFO => 32,
        _ => 34,
    }
}
