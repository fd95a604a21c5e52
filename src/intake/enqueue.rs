//! Writes a new list: whole for `enqueue` on the command line, bit by bit for `serve`.

use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::io::{self, BufReader, BufWriter, ErrorKind, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use super::decode::{NameForm, excerpt, name_of};
use super::lines::{Line, Lines};
use super::source::OBJECT_LISTS;
use crate::model::{LocalTime, RejectReason};

/// How many invalid names are shown one by one.
const SHOWN: usize = 1_000;

/// Where a list is written.
#[derive(Debug, Clone, Copy)]
pub struct EnqueueTarget<'a> {
    /// The task's folder, `data_dir/oms/sync_task/<task id>`.
    pub task_folder: &'a Path,
    /// The list's mode, whatever the umask.
    pub file_mode: u32,
    /// The mode of folders that are made on the way, whatever the umask.
    pub folder_mode: u32,
}

/// A list written and safe on disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Enqueued {
    /// Its path from `object_lists/` on; `None`: there were no names, and nothing was written.
    pub path: Option<String>,
    /// How many names it holds.
    pub names: u64,
}

/// A name that cannot be a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvalidName {
    /// Which: its line or its place among the arguments, from 1.
    pub number: u64,
    /// Why.
    pub reason: RejectReason,
    /// What it looks like: short and printable.
    pub excerpt: String,
}

/// Why nothing was enqueued.
#[derive(Debug, thiserror::Error)]
pub enum EnqueueError {
    /// Some names cannot be requests.
    #[error("{total} of the names cannot be requested, so none was enqueued; correct them, beginning with number {}", shown.first().map_or(0, |name| name.number))]
    Invalid {
        /// The first thousand of them.
        shown: Vec<InvalidName>,
        /// How many there are.
        total: u64,
    },
    /// The names could not be read.
    #[error("the names cannot be read: {0}; nothing was enqueued")]
    Read(#[source] io::Error),
    /// The list could not be written.
    #[error("a list cannot be written in {folder}: {error}; nothing was enqueued")]
    Write {
        /// The task's folder.
        folder: PathBuf,
        /// What the system said.
        #[source]
        error: io::Error,
    },
}

/// Names given one by one, such as arguments, numbered from 1.
pub fn names_in_arguments<N: AsRef<[u8]>>(
    names: impl IntoIterator<Item = N>,
    form: impl Into<NameForm>,
) -> impl Iterator<Item = io::Result<(u64, Line)>> {
    let form = form.into();
    (1..).zip(names).map(move |(number, name)| {
        let raw = name.as_ref();
        let line = name_of(raw, &form).map_or_else(
            |reason| Line::Rejected {
                reason,
                excerpt: excerpt(raw),
            },
            Line::Name,
        );
        Ok((number, line))
    })
}

/// Names as they stand in a list that is complete, by their lines' numbers.
pub fn names_in_lines(
    content: impl Read,
    form: impl Into<NameForm>,
) -> impl Iterator<Item = io::Result<(u64, Line)>> {
    let mut lines = Lines::new(BufReader::new(content), form);
    std::iter::from_fn(move || {
        let line = lines
            .next_line()
            .map(|line| line.or_else(|| lines.take_unended()));
        Some((lines.counted_lines(), line.transpose()?)).map(|(number, line)| Ok((number, line?)))
    })
}

/// Writes `names` as a new list, percent-encoded; all of them or none. When
/// this returns, the list survives a power failure.
///
/// # Errors
/// If any name is invalid, or names cannot be read, or the list cannot be
/// written; nothing is left behind then.
pub fn enqueue(
    names: impl IntoIterator<Item = io::Result<(u64, Line)>>,
    target: &EnqueueTarget<'_>,
    now: LocalTime,
) -> Result<Enqueued, EnqueueError> {
    let write_error = |error| EnqueueError::Write {
        folder: target.task_folder.to_owned(),
        error,
    };
    let lists = target.task_folder.join(OBJECT_LISTS);
    make_folder(&lists, target.folder_mode).map_err(write_error)?;
    // Passed over by the intake because of its name, gone when dropped.
    let file = tempfile::Builder::new()
        .prefix("enqueue_")
        .suffix(".tmp")
        .tempfile_in(&lists)
        .map_err(write_error)?;
    let mut file = BufWriter::new(file);
    let count = write_names(names, &mut file, write_error)?;
    let path = match count {
        0 => None,
        _ => Some(publish(file, &lists, target, now).map_err(write_error)?),
    };
    Ok(Enqueued { path, names: count })
}

/// Writes `names` as long as all are valid, and answers how many they are.
fn write_names(
    names: impl IntoIterator<Item = io::Result<(u64, Line)>>,
    file: &mut impl Write,
    write_error: impl Fn(io::Error) -> EnqueueError,
) -> Result<u64, EnqueueError> {
    let mut count = 0;
    let mut shown = Vec::new();
    let mut total = 0;
    for name in names {
        match name.map_err(EnqueueError::Read)? {
            (_, Line::Name(name)) if total == 0 => {
                writeln!(file, "{}", name.url_encoded()).map_err(&write_error)?;
                count += 1;
            }
            (_, Line::Name(_) | Line::Blank) => {}
            (number, Line::Rejected { reason, excerpt }) => {
                total += 1;
                if shown.len() < SHOWN {
                    shown.push(InvalidName {
                        number,
                        reason,
                        excerpt,
                    });
                }
            }
        }
    }
    if total > 0 {
        return Err(EnqueueError::Invalid { shown, total });
    }
    Ok(count)
}

/// Puts the written list at a path of its own, for good.
fn publish(
    file: BufWriter<NamedTempFile>,
    lists: &Path,
    target: &EnqueueTarget<'_>,
    now: LocalTime,
) -> io::Result<String> {
    let mut file = file.into_inner().map_err(io::IntoInnerError::into_error)?;
    file.as_file()
        .set_permissions(Permissions::from_mode(target.file_mode))?;
    file.as_file().sync_all()?;
    let (folder, day) = folder_of_day(lists, target, now)?;
    for number in 1_u32.. {
        let name = list_name(now, number);
        match file.persist_noclobber(folder.join(&name)) {
            Ok(_) => {
                sync_folder(&folder)?;
                return Ok(format!("{OBJECT_LISTS}{day}/{name}"));
            }
            Err(taken) if taken.error.kind() == ErrorKind::AlreadyExists => file = taken.file,
            Err(other) => return Err(other.error),
        }
    }
    Err(ErrorKind::AlreadyExists.into())
}

/// A list that is empty still, for one who writes it bit by bit.
#[derive(Debug)]
pub struct NewList {
    /// Its path from `object_lists/` on.
    pub path: String,
    /// Open for reading and appending.
    pub file: File,
}

/// Makes a list that is empty still, at a path of its own. When this returns,
/// it survives a power failure; what is written into it has to be synced.
///
/// # Errors
/// If it cannot be made.
pub fn new_list(target: &EnqueueTarget<'_>, now: LocalTime) -> io::Result<NewList> {
    let lists = target.task_folder.join(OBJECT_LISTS);
    make_folder(&lists, target.folder_mode)?;
    let (folder, day) = folder_of_day(&lists, target, now)?;
    let mut options = OpenOptions::new();
    options.read(true).append(true).create_new(true);
    for number in 1_u32.. {
        let name = list_name(now, number);
        match options.mode(target.file_mode).open(folder.join(&name)) {
            Ok(file) => {
                file.set_permissions(Permissions::from_mode(target.file_mode))?;
                file.sync_all()?;
                sync_folder(&folder)?;
                let path = format!("{OBJECT_LISTS}{day}/{name}");
                return Ok(NewList { path, file });
            }
            Err(taken) if taken.kind() == ErrorKind::AlreadyExists => {}
            Err(other) => return Err(other),
        }
    }
    Err(ErrorKind::AlreadyExists.into())
}

fn list_name(now: LocalTime, number: u32) -> String {
    format!("{}_{number}.url.txt", now.stamp())
}

/// The folder for new lists of today, made if need be, and its path in `lists`.
fn folder_of_day(
    lists: &Path,
    target: &EnqueueTarget<'_>,
    now: LocalTime,
) -> io::Result<(PathBuf, String)> {
    let day = now.day().format("%Y/%m/%d").to_string();
    let mut folder = lists.to_owned();
    for part in day.split('/') {
        folder.push(part);
        make_folder(&folder, target.folder_mode)?;
    }
    Ok((folder, day))
}

/// Makes `folder` if need be, and sees to it that a power failure does not take it away.
fn make_folder(folder: &Path, mode: u32) -> io::Result<()> {
    match DirBuilder::new().mode(mode).create(folder) {
        Ok(()) => fs::set_permissions(folder, Permissions::from_mode(mode))?,
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
        Err(error) => return Err(error),
    }
    // Synced even if it was there: whoever made it may not have come so far.
    folder.parent().map_or(Ok(()), sync_folder)
}

fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}
