//! Which list of the ledger a file is, and how much of it is loaded.
//!
//! A list is known by what was loaded of it: a file that begins with that is
//! that list, and only the rest is new. So the file is read from its start and
//! hashed up to where a known list ends; if the hashes agree, reading goes on
//! from there.

use std::io::{self, BufReader, Cursor, ErrorKind, Read};

use sha2::{Digest, Sha256};

use super::decode::NameForm;
use super::lines::Lines;
use super::source::{ListSource, Stat};
use crate::clock::Clock;
use crate::ledger::{KnownList, Ledger, LedgerError, ListKey, ListPlace, TaskKey};
use crate::model::Timestamp;

/// What is looked at of a first line to find a renamed list.
const HEAD_BYTES: u64 = 4_096;
const BUFFER_BYTES: usize = 128 * 1024;

/// Why one list could not be taken in: the second concerns all lists, the others it alone.
#[derive(Debug, thiserror::Error)]
pub(super) enum ListError {
    #[error(transparent)]
    Read(#[from] io::Error),
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// Another process loaded from it meanwhile; what is new has to be found out again.
    #[error("another process loads it too")]
    Overtaken,
}

/// Opens a list at its first byte, as [`ListSource::open`] does.
pub(super) type Open<'a, 's> = &'a dyn Fn() -> io::Result<(Stat, Box<dyn Read + 's>)>;

/// What is known of earlier lists, and where lists may be now.
pub(super) struct Known<'a> {
    /// `None`: there is no ledger yet, or it does not know the task.
    pub ledger: Option<(&'a Ledger, TaskKey)>,
    /// Lists found again under another path, which the ledger does not know yet.
    pub renamed: &'a [ListKey],
    pub sources: &'a [&'a dyn ListSource],
}

/// A list being read, at its first byte that is not loaded.
pub(super) struct OpenList<'s> {
    pub lines: Lines<BufReader<Box<dyn Read + 's>>>,
    pub stat: Stat,
    pub opened_at: Timestamp,
    pub first_line_sha256: String,
    pub place: ListPlace,
    /// What the ledger has at its path, and how many bytes of that are loaded.
    pub current: Option<(ListKey, u64)>,
    /// How much of it is loaded.
    pub loaded_bytes: u64,
    pub loaded_lines: u64,
}

/// Opens the list at `path`, where the ledger has `current`, and finds out which it is.
pub(super) fn open_list<'s>(
    open: Open<'_, 's>,
    path: &str,
    current: Option<KnownList>,
    known: &Known<'_>,
    form: &NameForm,
    clock: &Clock,
) -> Result<OpenList<'s>, ListError> {
    let at_path = current.as_ref().map(|list| (list.key, list.loaded_bytes));
    let mut list = begin(open, form, clock)?;
    list.current = at_path;
    let mut candidates = known.candidates(path, &list)?;
    candidates.extend(current);
    candidates.sort_by_key(|candidate| candidate.loaded_bytes);
    let Some(known) = longest_match(&mut list, path, candidates)? else {
        if list.lines.read_bytes() > 0 {
            list = begin(open, form, clock)?;
            list.current = at_path;
        }
        return Ok(list);
    };
    if list.lines.read_bytes() > known.loaded_bytes {
        list = begin(open, form, clock)?;
        list.current = at_path;
        let whole = list.lines.pass_to(known.loaded_bytes)?;
        if !whole || list.lines.read_sha256() != known.sha256 {
            return Err(io::Error::other("it was changed while it was read").into());
        }
    }
    list.lines.continue_after(known.lines);
    list.loaded_bytes = known.loaded_bytes;
    list.loaded_lines = known.lines;
    list.place = if known.path == path {
        ListPlace::Known(known.key)
    } else {
        ListPlace::Renamed(known.key)
    };
    Ok(list)
}

/// Opens a list as if it were new, to be read up to the size it has now.
fn begin<'s>(open: Open<'_, 's>, form: &NameForm, clock: &Clock) -> io::Result<OpenList<'s>> {
    let opened_at = clock.now();
    let (stat, content) = open()?;
    let mut content = content.take(stat.size);
    let mut head = Vec::new();
    content.by_ref().take(HEAD_BYTES).read_to_end(&mut head)?;
    let first_line_sha256 = base16ct::lower::encode_string(&Sha256::digest(first_line(&head)));
    let content: Box<dyn Read> = Box::new(Cursor::new(head).chain(content));
    Ok(OpenList {
        lines: Lines::new(
            BufReader::with_capacity(BUFFER_BYTES, content),
            form.clone(),
        ),
        stat,
        opened_at,
        first_line_sha256,
        place: ListPlace::New,
        current: None,
        loaded_bytes: 0,
        loaded_lines: 0,
    })
}

/// The first line without its end, or as much of it as `head` holds.
fn first_line(head: &[u8]) -> &[u8] {
    match head.iter().position(|byte| *byte == b'\n') {
        Some(end) => head[..end].strip_suffix(b"\r").unwrap_or(&head[..end]),
        None => head,
    }
}

/// Of `candidates`, shortest first, the one at `path` if the list begins with
/// it, else the longest that it begins with. Reads as far as the last one asked.
fn longest_match(
    list: &mut OpenList<'_>,
    path: &str,
    candidates: Vec<KnownList>,
) -> io::Result<Option<KnownList>> {
    let mut found: Option<KnownList> = None;
    for candidate in candidates {
        if !list.lines.pass_to(candidate.loaded_bytes)? {
            break;
        }
        if list.lines.read_sha256() == candidate.sha256 {
            let settled = candidate.path == path;
            found = Some(candidate);
            if settled {
                break;
            }
        }
    }
    Ok(found)
}

impl Known<'_> {
    /// Lists that may have been renamed to `list`: it has their first line, and
    /// their own path is gone.
    fn candidates(&self, path: &str, list: &OpenList<'_>) -> Result<Vec<KnownList>, LedgerError> {
        let Some((ledger, task)) = self.ledger else {
            return Ok(Vec::new());
        };
        let mut candidates =
            ledger.lists_by_first_line(task, &list.first_line_sha256, list.stat.size)?;
        candidates.retain(|candidate| {
            candidate.path != path
                && !self.renamed.contains(&candidate.key)
                && self
                    .sources
                    .iter()
                    .all(|source| is_gone(*source, &candidate.path))
        });
        Ok(candidates)
    }
}

/// Whether `source` certainly has no list at `path`.
pub(super) fn is_gone(source: &dyn ListSource, path: &str) -> bool {
    source.stat(path).is_err_and(|error| says_gone(&error))
}

/// Whether `error` means that there is no list.
pub(super) fn says_gone(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory)
}
