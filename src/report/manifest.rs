//! The manifest of one run: its books, and a hash of each of its lists.

use super::file::WholeFile;
use super::lists::Shelf;
use super::{ListFile, ReportError};
use crate::ledger::EndedRun;
use crate::model::{RunBooks, RunState};

/// Raised when a field changes its meaning or goes.
const FORMAT: u32 = 1;

#[derive(serde::Serialize)]
struct Manifest<'a> {
    format: u32,
    task: &'a str,
    run: u64,
    run_id: &'a str,
    run_name: &'a str,
    state: RunState,
    zone: &'a str,
    started_at: String,
    ended_at: String,
    books: Books,
    lists: &'a [ListFile],
}

#[derive(serde::Serialize)]
struct Books {
    #[serde(flatten)]
    books: RunBooks,
    balanced: bool,
}

/// Writes the manifest, which vouches for `lists`: they must be in their places.
pub fn write(
    run: &EndedRun,
    lists: &[ListFile],
    shelf: Shelf<'_>,
) -> Result<ListFile, ReportError> {
    let path = format!("manifests/{}.manifest.json", run.run_name);
    let place = shelf.root.join(&path);
    let write = || {
        let text = serde_json::to_string_pretty(&Manifest::of(run, lists))?;
        let mut file = WholeFile::create(shelf.root, path, shelf.modes)?;
        for line in text.lines() {
            file.write_line(&format!("{line}\n"))?;
        }
        file.finish()
    };
    write().map_err(|source| ReportError::List {
        path: place,
        source,
    })
}

impl<'a> Manifest<'a> {
    fn of(run: &'a EndedRun, lists: &'a [ListFile]) -> Self {
        Self {
            format: FORMAT,
            task: run.task.as_str(),
            run: run.number,
            run_id: run.run_id.as_str(),
            run_name: &run.run_name,
            state: run.state,
            zone: &run.zone,
            started_at: run.started.rfc3339(),
            ended_at: run.ended.rfc3339(),
            books: Books {
                books: run.books,
                balanced: run.books.balanced(),
            },
            lists,
        }
    }
}
