//! The `[[task]]` sections.

use std::path::Path;
use std::str::FromStr;
use std::time::Duration;

use super::bandwidth;
use super::endpoint::EndpointConfig;
use super::restore;
use super::section::{Mistakes, Section};
use super::selection;
use super::write_options;
use crate::model::{
    ChecksumMode, DestinationPrefix, Encryption, FailureCause, OverwriteMode, RestoreOrder,
    Selection, TaskId, Timetable, Window, WriteOptions, Zone,
};

const DEFAULT_CARRY_OVER_DAYS: u32 = 7;
const MOST_CARRY_OVER_DAYS: u32 = 3650;
const MOST_SPOT_CHECK: u32 = 10_000;
const SHORTEST_EXPECTATION: Duration = Duration::from_mins(1);
const LONGEST_EXPECTATION: Duration = Duration::from_hours(366 * 24);

/// One standing synchronization task.
#[derive(Debug, Clone)]
pub struct TaskConfig {
    /// Its id; unique.
    pub id: TaskId,
    /// The zone of its months and of the times in its lists.
    pub zone: Zone,
    /// When its runs may move objects, on its zone's clocks; `None` is always.
    pub window: Option<Window>,
    /// When a name that the destination has already is copied again.
    pub overwrite: OverwriteMode,
    /// What is taken of what is asked for; default everything.
    pub selection: Selection,
    /// By what its copies are proven.
    pub checksum: ChecksumMode,
    /// Whether its lists are delivered to the destination bucket; default true.
    pub deliver_lists: bool,
    /// Whether lists of names in the destination bucket are read; default false.
    pub read_lists_from_destination: bool,
    /// How names stand in its input lists.
    pub object_lists_encoding: ListEncoding,
    /// Whether `+` stands for a space in the names that `serve` takes; default false.
    pub plus_is_space: bool,
    /// For how many days a failed request becomes pending again; default 7, 0 is never.
    pub carry_over_days: u32,
    /// How long nothing may be asked for before the night is not good; `None`: for ever.
    pub expect_list_within: Option<Duration>,
    /// Causes of failed requests that do not count for the exit code; default none.
    pub tolerate: Vec<FailureCause>,
    /// How many copies, and as many ignored objects, each run compares with the source
    /// byte by byte; default 0.
    pub spot_check: u32,
    /// Whether the server may copy by itself; default auto.
    pub server_side_copy: ServerSideCopy,
    /// What copies are written with besides what travels.
    pub write_options: WriteOptions,
    /// How the destination is to encrypt all that is written there.
    pub encryption: Option<Encryption>,
    /// How fast objects are read; `None`: as fast as they come.
    pub bandwidth: Option<Timetable>,
    /// How archived objects are brought back; `None`: they are not, and fail.
    pub restore: Option<RestoreOrder>,
    /// The bucket that is copied from.
    pub source: EndpointConfig,
    /// The bucket that is copied to.
    pub destination: EndpointConfig,
    /// What is put before every name there; default nothing.
    pub destination_prefix: DestinationPrefix,
}

impl TaskConfig {
    /// Whether the server is asked to copy objects by itself: if that is wanted,
    /// and both buckets are in one region of one endpoint.
    #[must_use]
    pub fn may_copy_server_side(&self) -> bool {
        let (source, destination) = (&self.source, &self.destination);
        self.server_side_copy == ServerSideCopy::Auto
            && source.endpoint.origin() == destination.endpoint.origin()
            && source.region == destination.region
    }
}

/// Whether the server may copy by itself.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ServerSideCopy {
    /// Where both buckets are at one endpoint, and it does.
    #[default]
    Auto,
    /// Never: all bytes are read and written.
    Never,
}

impl FromStr for ServerSideCopy {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        match word {
            "auto" => Ok(Self::Auto),
            "never" => Ok(Self::Never),
            _ => Err(format!(
                "`{word}` is no way of copying at one server; it is one of: auto, never"
            )),
        }
    }
}

/// How names stand in input lists.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ListEncoding {
    /// As they are.
    #[default]
    Plain,
    /// Percent-encoded.
    Url,
}

impl FromStr for ListEncoding {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        match word {
            "plain" => Ok(Self::Plain),
            "url" => Ok(Self::Url),
            _ => Err(format!(
                "`{word}` is no list encoding; it is one of: plain, url"
            )),
        }
    }
}

/// Reads all tasks that can be read; `zone` is theirs unless they name another.
pub(super) fn read_all<'t>(
    root: &mut Section<'t>,
    mistakes: &'t Mistakes<'t>,
    zone: Zone,
    folder: &Path,
) -> Vec<TaskConfig> {
    let Some(value) = root.value("task") else {
        root.mistake("task", "is missing; write at least one [[task]] section");
        return Vec::new();
    };
    let tables = value
        .get_ref()
        .as_array()
        .map(|array| array.iter().as_slice());
    let Some(tables @ [_, ..]) = tables else {
        root.mistake(
            "task",
            "is no list of sections; write [[task]] before each task",
        );
        return Vec::new();
    };
    let mut seen = Vec::new();
    let mut tasks = Vec::new();
    for (index, table) in tables.iter().enumerate() {
        let at = table.span().start;
        let Some(entries) = table.get_ref().as_table() else {
            mistakes.add(
                at,
                format!("task {}", index + 1),
                "is no section; write [[task]]",
            );
            continue;
        };
        let id = entries.get("id").and_then(|id| id.get_ref().as_str());
        // An illegal id is reported as such; as a label it would only confuse.
        let label = match id.filter(|id| id.parse::<TaskId>().is_ok()) {
            Some(id) => format!("task \"{id}\", "),
            None => format!("task {}, ", index + 1),
        };
        let section = Section::new(mistakes, label, entries, at);
        if let Some(id) = id {
            check_unique(id, &section, &mut seen, mistakes);
        }
        tasks.extend(read(section, zone, folder));
    }
    tasks
}

/// `seen` holds each id so far and the line where it stands.
fn check_unique<'t>(
    id: &'t str,
    section: &Section<'t>,
    seen: &mut Vec<(&'t str, usize)>,
    mistakes: &Mistakes<'_>,
) {
    let line = mistakes.line(section.at("id"));
    match seen.iter().find(|(other, _)| *other == id) {
        Some((_, first)) => section.mistake(
            "id",
            format_args!("is the id of the task on line {first} too; write another on one of the lines {first} and {line}"),
        ),
        None => seen.push((id, line)),
    }
}

fn read(mut section: Section<'_>, zone: Zone, folder: &Path) -> Option<TaskConfig> {
    section.require("id", "\"…\"");
    let id = section.parsed("id", TaskId::from_str);
    let zone = section.parsed("time_zone", Zone::from_str).unwrap_or(zone);
    let window = section.parsed("window", Window::from_str);
    let overwrite = section.parsed("overwrite", OverwriteMode::from_str);
    let selection = selection::read(&mut section);
    let checksum = section.parsed("checksum", ChecksumMode::from_str);
    let deliver_lists = section.boolean("deliver_lists");
    let read_lists_from_destination = section.boolean("read_lists_from_destination");
    let encoding = section.parsed("object_lists_encoding", ListEncoding::from_str);
    let plus_is_space = section.boolean("plus_is_space");
    let carry_over_days = section.number("carry_over_days", &(0..=MOST_CARRY_OVER_DAYS));
    let expect_list_within = section.parsed("expect_list_within", expectation);
    let tolerate = tolerated(&mut section);
    let spot_check = section.number("spot_check", &(0..=MOST_SPOT_CHECK));
    let server_side_copy = section.parsed("server_side_copy", ServerSideCopy::from_str);
    let bandwidth = bandwidth::read(&mut section, zone);
    let restore = restore::read(&mut section);
    let source = section.section("source");
    let source = source.and_then(|section| EndpointConfig::read(section, folder));
    let mut destination = section.section("destination");
    let prefix = destination
        .as_mut()
        .and_then(|section| section.parsed("prefix", DestinationPrefix::from_str));
    let (write_options, encryption) = write_options::read(&mut section, destination.as_mut());
    let destination = destination.and_then(|section| EndpointConfig::read(section, folder));
    if let (Some(source), Some(destination)) = (&source, &destination)
        && source.is_same_bucket_as(destination)
    {
        section.mistake(
            "destination",
            "is the same bucket as the source; write another bucket or endpoint",
        );
    }
    section.finish();
    Some(TaskConfig {
        id: id?,
        zone,
        window,
        overwrite: overwrite.unwrap_or(OverwriteMode::SizeLastModified),
        selection,
        checksum: checksum.unwrap_or(ChecksumMode::Auto),
        deliver_lists: deliver_lists.unwrap_or(true),
        read_lists_from_destination: read_lists_from_destination.unwrap_or(false),
        object_lists_encoding: encoding.unwrap_or_default(),
        plus_is_space: plus_is_space.unwrap_or(false),
        carry_over_days: carry_over_days.unwrap_or(DEFAULT_CARRY_OVER_DAYS),
        expect_list_within,
        tolerate,
        spot_check: spot_check.unwrap_or(0),
        server_side_copy: server_side_copy.unwrap_or_default(),
        write_options,
        encryption,
        bandwidth,
        restore,
        source: source?,
        destination: destination?,
        destination_prefix: prefix.unwrap_or_default(),
    })
}

fn expectation(text: &str) -> Result<Duration, String> {
    let within = humantime::parse_duration(text).map_err(|_| {
        format!("{text:?} is no duration; write one with its unit, such as \"26h\"")
    })?;
    if !(SHORTEST_EXPECTATION..=LONGEST_EXPECTATION).contains(&within) {
        return Err(format!(
            "{text:?} is out of range; write \"1m\" to \"366d\""
        ));
    }
    Ok(within)
}

/// The causes that `tolerate` names, each once.
fn tolerated(section: &mut Section<'_>) -> Vec<FailureCause> {
    let Some(value) = section.value("tolerate") else {
        return Vec::new();
    };
    let words = value.get_ref().as_array().map(|array| {
        let words = array.iter().map(|word| word.get_ref().as_str());
        words.collect::<Option<Vec<&str>>>()
    });
    let Some(Some(words)) = words else {
        section.mistake(
            "tolerate",
            "is no list of failure causes; write one such as [\"source_missing\"]",
        );
        return Vec::new();
    };
    let mut causes = Vec::new();
    for word in words {
        match word.parse() {
            Ok(cause) if causes.contains(&cause) => {}
            Ok(cause) => causes.push(cause),
            Err(unknown) => section.mistake("tolerate", unknown),
        }
    }
    causes
}
