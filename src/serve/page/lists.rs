//! Lists: those that asked for objects, and those that runs wrote.

use std::fs;
use std::path::Path;

use axum::response::Response;
use maud::{Markup, html};

use super::super::query::Query;
use super::address::{of_file, of_rejected, of_task};
use super::error::{PageError, or_nothing};
use super::task_page::TaskPage;
use crate::ledger::InputList;
use crate::model::TaskId;
use crate::report::html::pieces::{name, number, time};

/// Lists on one page.
const MOST: usize = 100;

/// The folders of a run's lists; in each the run has a folder of its own.
const OF_RUNS: [&str; 4] = [
    "success_object_lists",
    "skip_object_lists",
    "failed_object_lists",
    "journals",
];
const CREATION_FAILURES: &str = "failed_object_lists/creation_failures";
const MANIFESTS: &str = "manifests";

/// Most files that are looked for of one run: each has a million lines.
const MOST_FILES: usize = 1_000;

/// A file that a run wrote.
pub(super) struct ListFile {
    /// Relative to the task's folder.
    pub(super) path: String,
    pub(super) bytes: u64,
}

/// The files of a run that are still in the task's folder.
pub(super) fn of_run(folder: &Path, run_name: &str, run_id: &str) -> Vec<ListFile> {
    let mut files = Vec::new();
    for kind in OF_RUNS {
        gather(folder, &format!("{kind}/{run_name}"), |_| true, &mut files);
    }
    let infix = format!("_{run_id}_");
    let is_its_own = |file: &str| file.contains(&infix);
    gather(folder, CREATION_FAILURES, is_its_own, &mut files);
    let manifest = format!("{run_name}.manifest.json");
    let path = format!("{MANIFESTS}/{manifest}");
    if let Ok(found) = fs::symlink_metadata(folder.join(&path))
        && found.is_file()
    {
        files.push(ListFile {
            path,
            bytes: found.len(),
        });
    }
    files
}

fn gather(folder: &Path, under: &str, wanted: impl Fn(&str) -> bool, files: &mut Vec<ListFile>) {
    let Ok(entries) = fs::read_dir(folder.join(under)) else {
        return;
    };
    let mut found: Vec<ListFile> = entries
        .filter_map(Result::ok)
        .filter_map(|entry| {
            let file = entry.file_name().into_string().ok()?;
            // A name that begins with a dot is one in the making.
            let wanted = !file.starts_with('.') && wanted(&file);
            let data = wanted.then(|| entry.metadata().ok())??;
            data.is_file().then(|| ListFile {
                path: format!("{under}/{file}"),
                bytes: data.len(),
            })
        })
        .take(MOST_FILES)
        .collect();
    found.sort_by(|one, other| one.path.cmp(&other.path));
    files.append(&mut found);
}

/// Shows the lists that asked for objects, the last loaded first.
pub(super) async fn show(shown: TaskPage, query: Query) -> Result<Response, PageError> {
    let task = &shown.task;
    let before = query.parsed("before")?;
    let read = shown.read(move |ledger, task| Ok(ledger.input_lists(task, before, MOST + 1)?));
    let mut lists = or_nothing(read.await)?;
    let more = lists.len() > MOST;
    lists.truncate(MOST);
    let address = format!("{}/lists", of_task(&task.id));
    let body = html! {
        h1 { "Objects to be synchronized" }
        p.zone { "The lists that asked for objects, the last loaded first. Those of synced, ignored and failed objects are with each of the "
            a href={ (of_task(&task.id)) "/runs" } { "runs" } ". " (shown.times()) }
        @if lists.is_empty() { p { "None." } } @else { (table(&task.id, &lists)) }
        nav.pages aria-label="Pages" {
            @if before.is_some() { a href=(address) { "The last" } }
            @if let (true, Some(last)) = (more, lists.last()) {
                a rel="next" href={ (address) "?before=" (last.key) } { "Older" span aria-hidden="true" { " ›" } }
            }
        }
    };
    let title = format!("Lists of {}", task.id);
    Ok(shown.show(&title, &[shown.above()], "Lists", &body))
}

fn table(task: &TaskId, lists: &[InputList]) -> Markup {
    html! {
        div.scroll tabindex="0" role="group" aria-label="Lists" { table {
            thead { tr {
                th scope="col" { "List" } th scope="col" { "Loaded" } th.number scope="col" { "Lines" }
                th.number scope="col" { "Requests" } th.number scope="col" { "Rejected" }
            } }
            tbody { @for list in lists { tr {
                th.object scope="row" {
                    @if list.current { a href=(of_file(task, &list.path)) download { (name(&list.path)) } }
                    @else { (name(&list.path)) span.quiet { " (another took its place)" } }
                }
                td.nowrap { (time(list.loaded)) }
                td.number { (number(list.lines)) }
                td.number { (number(list.requests)) }
                td.number.failed[list.rejected > 0] {
                    @if list.rejected > 0 { a href=(of_rejected(task, Some(list.key))) { (number(list.rejected)) } } @else { "0" }
                }
            } } }
        } }
    }
}
