//! What failed tonight, name by name, as a file that goes with the mail.

use super::told::Told;
use crate::ledger::{FailedName, Ledger};
use crate::model::Attachment;
use crate::report::ReportError;
use crate::report::lists::failed_line;
use crate::report::text::thousands;

/// At most so many lines.
const MOST_LINES: usize = 1_000;
/// At most so long.
const MOST_BYTES: usize = 256 * 1024;

const HEADINGS: &str = "task\tstanding\tcause\ttime\tURL-encoded name\tname\terror code\n";

/// The failed requests of the tasks' runs, and what is to be said of them; `None` if
/// nothing failed.
///
/// # Errors
/// If the ledger cannot be read.
pub fn of(ledger: &Ledger, told: &[Told]) -> Result<Option<(Attachment, String)>, ReportError> {
    let mut text = HEADINGS.to_owned();
    let (mut lines, mut failed) = (0, 0);
    let mut full = false;
    for task in told {
        let Some(run) = &task.run else { continue };
        failed += run.past.books.failed;
        if full || run.past.books.failed == 0 {
            continue;
        }
        let most = MOST_LINES - lines;
        ledger.for_each_failed_name(run.row.key, most, |name: FailedName| {
            let line = line(task, &name);
            full |= text.len() + line.len() > MOST_BYTES;
            if !full {
                text.push_str(&line);
                lines += 1;
            }
            Ok::<_, ReportError>(())
        })?;
        full |= lines == MOST_LINES;
    }
    if failed == 0 {
        return Ok(None);
    }
    let name = "failed.tsv";
    let shown = u64::try_from(lines).unwrap_or(u64::MAX);
    let note = if shown < failed {
        let rest = format!(
            "the first {} of {} failed requests; `nightferry failed` shows all",
            thousands(shown.cast_signed()),
            thousands(failed.cast_signed())
        );
        text.extend(["# ", &rest, "\n"]);
        format!("{name} has {rest}.")
    } else {
        format!("{name} has every failed request.")
    };
    let attachment = Attachment {
        name: name.to_owned(),
        text,
    };
    Ok(Some((attachment, note)))
}

fn line(task: &Told, failed: &FailedName) -> String {
    let standing = if failed.again { "again" } else { "new" };
    let code = failed.error_code.as_deref();
    format!(
        "{}\t{standing}\t{}",
        task.id,
        failed_line(failed.cause, failed.at, &failed.name, code)
    )
}
