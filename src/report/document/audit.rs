//! What an audit asks for: the figures at close and now, for how many requests the
//! failed lists stand, and every run with the hash of its manifest.

use std::io::Write;

use maud::{Markup, html};

use super::{panel, put};
use crate::ledger::{AuditedRun, FailedLines, KnownTask, Ledger, RunKey};
use crate::model::{Month, RunBooks, TaskId};
use crate::report::html::pieces::{month as month_name, name, number, run_state, size, time};
use crate::report::text::{counted, duration, size as words_of_size, thousands};
use crate::report::{ManifestStanding, Provenance, ReportError, TaskMonth};

/// The columns of the runs.
const COLUMNS: usize = 10;

/// The runs of a month together.
#[derive(Debug, Default)]
pub(super) struct Audit {
    books: RunBooks,
    /// Lines of their failed lists.
    failed_lines: u64,
    /// Lines of their `creation_failures` lists.
    creation_lines: u64,
    /// Attempts whose detail was pruned, and how many of these were failures.
    pruned: u64,
    pruned_failed: u64,
}

impl Audit {
    /// Adds a run.
    pub(super) fn add(&mut self, audited: &AuditedRun) {
        let (sum, books) = (&mut self.books, &audited.run.books);
        sum.taken += books.taken;
        sum.synced += books.synced;
        sum.failed += books.failed;
        sum.ignored += books.ignored;
        sum.deferred += books.deferred;
        sum.synced_bytes += books.synced_bytes;
        self.failed_lines += books.failed;
        self.creation_lines += audited.creation_lines;
        self.pruned += audited.pruned;
        self.pruned_failed += audited.pruned_failed;
    }
}

/// Writes the audit of a month whose runs are `runs`.
pub(super) fn write(
    ledger: &Ledger,
    task: &KnownTask,
    month: Month,
    (summary, audit, runs): (&TaskMonth, &Audit, &[RunKey]),
    id: &str,
    out: &mut impl Write,
) -> Result<(), ReportError> {
    let lines = ledger.failed_lines(&task.id, month)?;
    put(
        out,
        &html! {
            h2.audit id={ (id) "-audit" } { "For the audit" }
            (pruned(ledger, &task.id, month, audit)?)
            (restated(id, summary))
            (failed_lines(id, month, audit, lines))
        },
    )?;
    write_runs(ledger, audit, runs, id, out)?;
    put(out, &how_to_prove(&task.id, runs.is_empty()))?;
    Ok(())
}

/// That detail of the month is gone, and what that means for the figures here.
fn pruned(
    ledger: &Ledger,
    task: &TaskId,
    month: Month,
    audit: &Audit,
) -> Result<Markup, ReportError> {
    let before = ledger.pruned_before(task)?;
    let before = before.filter(|before| audit.pruned > 0 || month.to_string() < *before);
    Ok(html! {
        @if let Some(before) = before {
            p.note {
                strong { "Pruned. " }
                "Detail of requests that were settled before " (before) " was taken away, with "
                (number(audit.pruned)) " of the " (number(audit.books.settled()))
                " attempts of the month's runs. All figures, the runs and the hashes of their manifests stand as \
                 they were kept; the sizes, the slowest objects, and the requests behind the \
                 failed lists are of what is left."
            }
        }
    })
}

/// The figures as the month was closed, now, and what is between.
fn restated(id: &str, summary: &TaskMonth) -> Markup {
    let heading = format!("{id}-close");
    let row = &summary.row;
    let Some(closed) = summary.closed else {
        let open = html! {
            p.note { "The month is not closed. The first run of a later month closes it: it keeps the figures as they are then." }
        };
        return panel(&heading, "At close, and now", &open);
    };
    let figures = [
        ("Requested", closed.requested, row.requested),
        ("Synced", closed.synced, row.synced),
        ("Failed", closed.failed, row.failed),
        ("Ignored", closed.ignored, row.ignored),
    ];
    let bytes = (closed.synced_bytes, row.synced_bytes);
    let is_restated = figures.iter().any(|(_, then, now)| then != now) || bytes.0 != bytes.1;
    let table = html! {
        div.scroll tabindex="0" role="group" aria-labelledby=(heading) { table.figures {
            thead { tr {
                th scope="col" { "Requests" } th.number scope="col" { "At close, " (time(closed.at)) }
                th.number scope="col" { "Now" } th.number scope="col" { "Restated since" }
            } }
            tbody {
                @for (outcome, then, now) in figures { tr {
                    th scope="row" { (outcome) }
                    td.number { (thousands(then)) } td.number { (thousands(now)) }
                    td.number { (difference(now - then, &thousands)) }
                } }
                tr {
                    th scope="row" { "Synced size" }
                    td.number { (size(bytes.0.max(0).unsigned_abs())) }
                    td.number { (size(bytes.1.max(0).unsigned_abs())) }
                    td.number { (difference(bytes.1 - bytes.0, &words_of_size)) }
                }
            }
        } }
        p.note {
            @if is_restated {
                "The month was restated: a request that is settled anew after the close, by a later night or \
                 after " code { "nightferry retry" } ", leaves the month of its old outcome and counts in that of the new one."
            } @else {
                "Nothing was restated since the close."
            }
        }
    };
    panel(&heading, "At close, and now", &table)
}

/// `+3`, `−3`, `0`.
fn difference(by: i64, words: &impl Fn(i64) -> String) -> String {
    let amount = words(i64::try_from(by.unsigned_abs()).unwrap_or(i64::MAX));
    match by {
        0 => "0".to_owned(),
        1.. => format!("+{amount}"),
        _ => format!("\u{2212}{amount}"),
    }
}

/// How many lines the month's failed lists have, and for how many requests they stand.
fn failed_lines(id: &str, month: Month, audit: &Audit, lines: FailedLines) -> Markup {
    let heading = format!("{id}-lines");
    let all = audit.failed_lines + audit.creation_lines;
    let rows = [
        ("copied since", lines.synced),
        ("left alone since", lines.ignored),
        ("pending now", lines.pending),
        ("failed still, and not tried after the month", lines.failed),
        ("failed once more after the month", lines.failed_later),
    ];
    let table = html! {
        @if all == 0 {
            p.note { "The month's runs have no failed lists." }
        } @else {
            p.note {
                "The failed lists of the runs that began in " (month_name(month)) " have "
                (counted(all, "line"))
                @if audit.creation_lines > 0 {
                    ", " (number(audit.creation_lines)) " of them in " code { "creation_failures/" }
                    " by runs that could not begin"
                }
                ". They stand for " strong { (counted(lines.requests, "request")) }
                ": one that was carried over, or taken up again, stands in the list of each night on which it failed."
                @if audit.pruned_failed > 0 {
                    " Of the lines " (number(audit.pruned_failed)) " stood for requests whose detail was pruned; \
                     these requests are not counted here."
                }
            }
            div.scroll tabindex="0" role="group" aria-labelledby=(heading) { table.figures {
                thead { tr { th scope="col" { "Of these requests" } th.number scope="col" { "Requests" } } }
                tbody { @for (what, count) in rows { tr {
                    th scope="row" { (what) } td.number { (number(count)) }
                } } }
                tfoot { tr { th scope="row" { "together" } td.number { (number(lines.requests)) } } }
            } }
        }
    };
    panel(&heading, "Lines of failed lists, and requests", &table)
}

/// Writes every run with its books and the hash of its manifest, run by run.
fn write_runs(
    ledger: &Ledger,
    audit: &Audit,
    runs: &[RunKey],
    id: &str,
    out: &mut impl Write,
) -> Result<(), ReportError> {
    let heading = format!("{id}-runs");
    put(
        out,
        &html! { h3 id=(heading) { "Runs, and the SHA-256 of their manifests" } },
    )?;
    if runs.is_empty() {
        return Ok(put(
            out,
            &html! { p.quiet { "No run began in the month." } },
        )?);
    }
    write!(
        out,
        "<div class=\"scroll\" tabindex=\"0\" role=\"group\" aria-labelledby=\"{heading}\"><table>"
    )?;
    put(out, &head())?;
    for run in runs {
        let audited = ledger.audited_run(*run)?;
        let manifest = ManifestStanding::of(ledger, &audited)?;
        put(out, &row(&audited, &manifest))?;
    }
    put(out, &foot(&audit.books, runs.len()))?;
    Ok(out.write_all(b"</table></div>")?)
}

fn head() -> Markup {
    html! {
        thead { tr {
            th.number scope="col" { "Run" } th scope="col" { "Began" } th.number scope="col" { "Took" }
            th.number scope="col" { "Taken" } th.number scope="col" { "Synced" }
            th.number scope="col" { "Failed" } th.number scope="col" { "Ignored" }
            th.number scope="col" { "Deferred" } th.number scope="col" { "Size" } th scope="col" { "Ended" }
        } }
    }
}

fn row(audited: &AuditedRun, manifest: &ManifestStanding) -> Markup {
    let (run, books) = (&audited.run, &audited.run.books);
    html! {
        tbody.run {
            tr {
                th.number scope="rowgroup" rowspan="2" { (run.number) }
                td.nowrap { (time(run.started)) }
                td.number.nowrap { @if let Some(ended) = run.ended {
                    (duration((ended.at.ms() - run.started.at.ms()).max(0).unsigned_abs()))
                } }
                td.number { (number(books.taken)) } td.number { (number(books.synced)) }
                td class={ "number" @if books.failed > 0 { " failed" } } { (number(books.failed)) }
                td.number { (number(books.ignored)) } td.number { (number(books.deferred)) }
                td.number.nowrap { (size(books.synced_bytes)) }
                td { (run_state(run.state, run.exit_reasons.as_deref(), false)) }
            }
            tr { td.hash colspan=(COLUMNS - 1) {
                (hash(manifest)) " " (name(&run.run_name))
                @if audited.pruned > 0 { " " span.quiet { "Detail of " (counted(audited.pruned, "attempt")) " was pruned." } }
            } }
        }
    }
}

/// What is known of a manifest, in words.
pub(super) fn hash(manifest: &ManifestStanding) -> Markup {
    match manifest {
        ManifestStanding::Known {
            sha256, provenance, ..
        } => html! {
            code { (sha256) }
            @match provenance {
                Provenance::Delivered => {}
                Provenance::Owed => { " (not delivered yet)" }
                Provenance::Kept => { " (not to be delivered)" }
                Provenance::MadeAgain => { " (made again from the ledger; not delivered)" }
            }
        },
        ManifestStanding::TookNothing => html! { "No manifest: it took nothing." },
        ManifestStanding::AtWork => html! { "No manifest yet: it is at work." },
        ManifestStanding::NotWritten => html! { "No manifest yet: the next run writes it." },
        ManifestStanding::Pruned => {
            html! { "Not known: it was not to be delivered, and its detail was pruned." }
        }
    }
}

fn foot(books: &RunBooks, runs: usize) -> Markup {
    html! {
        tfoot { tr {
            th scope="row" colspan="3" { (counted(runs as u64, "run")) }
            td.number { (number(books.taken)) } td.number { (number(books.synced)) }
            td.number { (number(books.failed)) } td.number { (number(books.ignored)) }
            td.number { (number(books.deferred)) } td.number.nowrap { (size(books.synced_bytes)) } td {}
        } }
    }
}

/// How somebody who trusts nobody can compare all this.
fn how_to_prove(task: &TaskId, nothing: bool) -> Markup {
    if nothing {
        return html! {};
    }
    html! {
        p.note {
            "Runs stand in the month in which they began, and count what they themselves did; a request that was \
             deferred, or that failed and was taken up again, was taken by several. To prove a night: its manifest lies in the destination bucket at "
            code { (task.prefix()) "manifests/<run name>.manifest.json" } ", and " code { "sha256sum" }
            " of it must be the hash above. It states path, lines, bytes and SHA-256 of every list of the run, and so each \
             object that was copied. " code { "nightferry verify --task " (task) } " compares all of them with the ledger. \
             A hash that was kept elsewhere at the time, on paper or in a mail, shows that neither was altered since."
        }
    }
}
