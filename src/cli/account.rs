//! What is said of a night: shown as it comes, and kept for those who are told of
//! it afterwards.

use std::io::Write;

use super::failure::{Failed, Outcome};
use super::output;
use crate::config::TaskConfig;
use crate::exit::ExitReason;
use crate::model::{RunBooks, TaskId};
use crate::ping::MOST_REPORT_BYTES;
use crate::report::hints::{deferred_for, hint, silence_hint};
use crate::report::spot::{spot_finding, spot_hint, spot_sentence};
use crate::report::text::{counted, harmless, size};
use crate::run::NightReport;

/// So many findings of a spot check are named; the ledger has all.
const MOST_FINDINGS: usize = 20;

/// What was printed of a night, and what went wrong in it.
#[derive(Debug, Default)]
pub struct Account {
    printed: String,
    problems: String,
    /// Whether stdout cannot be written to any more; that is said once.
    is_mute: bool,
}

/// What something that went wrong is about.
#[derive(Debug, Clone, Copy)]
pub struct About<'t> {
    /// The task; `None`: all of the night.
    pub task: Option<&'t TaskId>,
    /// Its run, if one was begun.
    pub run: Option<u64>,
}

impl About<'_> {
    /// All of the night.
    pub const NIGHT: Self = Self {
        task: None,
        run: None,
    };
}

impl Account {
    /// Something that needs a look.
    pub fn warn(&mut self, about: About<'_>, message: &str) {
        let task = about.task.map(tracing::field::display);
        tracing::warn!(task, run = about.run, "{message}");
        self.keep(about, message);
    }

    /// Something that went wrong.
    pub fn error(&mut self, about: About<'_>, message: &str) {
        let task = about.task.map(tracing::field::display);
        tracing::error!(task, run = about.run, "{message}");
        self.keep(about, message);
    }

    /// What went wrong or needs a look.
    pub fn say_problems(&mut self, task: &TaskConfig, night: &NightReport) {
        let about = About {
            task: Some(&task.id),
            run: night.run,
        };
        if let Some(since) = night.paused {
            self.warn(
                about,
                &format!(
                    "paused since {}, so there is nothing to do; `nightferry resume --task {}` \
                     lets runs take it up again",
                    since.rfc3339(),
                    task.id
                ),
            );
        }
        self.say_intake(about, night);
        if let Some(failure) = &night.begin_failure {
            self.error(
                about,
                &format!(
                    "the run could not begin ({}): {}; its {} {} pending. {}",
                    failure.cause,
                    failure.message.trim_end_matches('.'),
                    counted(night.books.deferred, "request"),
                    if night.books.deferred == 1 {
                        "stays"
                    } else {
                        "stay"
                    },
                    hint(failure.cause)
                ),
            );
        }
        if let Some(open) = &night.breaker {
            self.error(
                about,
                &format!(
                    "the {} failed {} objects in a row, the last for {}: {}; \
                     they and the rest are deferred ({}). {}",
                    open.side,
                    open.failures,
                    open.cause,
                    open.message.trim_end_matches('.'),
                    counted(night.books.deferred, "request"),
                    hint(open.cause)
                ),
            );
        }
        if let Some(silence) = &night.silence {
            self.error(about, &silence_hint(silence));
        }
        self.say_spot_findings(about, night);
        for conflict in &night.delivery.conflicts {
            self.warn(about, &format!("not delivered: {conflict}"));
        }
        for owed in &night.delivery.owed {
            self.warn(about, &format!("owed to the destination: {owed}"));
        }
        for imbalance in &night.imbalance {
            self.error(about, &format!("THE BOOKS DO NOT BALANCE: {imbalance}"));
        }
    }

    /// What the spot check found that is not the same.
    fn say_spot_findings(&mut self, about: About<'_>, night: &NightReport) {
        for found in night.spot_findings.iter().take(MOST_FINDINGS) {
            let said = format!("spot check: {}", spot_finding(found));
            if found.finding.is_drift() {
                self.error(about, &said);
            } else {
                self.warn(about, &said);
            }
        }
        if let Some(more) = night.spot_findings.get(MOST_FINDINGS..)
            && !more.is_empty()
        {
            let more = counted(more.len() as u64, "more finding");
            self.warn(
                about,
                &format!("spot check: {more}; the view spot_findings has all"),
            );
        }
        if let Some(hint) = night.spot_check.as_ref().and_then(spot_hint) {
            self.warn(about, &format!("spot check: {hint}"));
        }
    }

    /// Lists that could not be read, and lines that could not be requests.
    fn say_intake(&mut self, about: About<'_>, night: &NightReport) {
        for problem in &night.intake.seen.problems {
            self.error(about, &problem.to_string());
        }
        for example in &night.intake.rejected_examples {
            self.warn(about, &example.to_string());
        }
        let named = night.intake.rejected_examples.len() as u64;
        if night.intake.rejected > named {
            let more = counted(night.intake.rejected - named, "more line");
            self.warn(
                about,
                &format!("{more} rejected; `nightferry lists` shows them"),
            );
        }
    }

    /// Why the night, or what was to be shown of it, did not come to be.
    pub fn fail(&mut self, failed: &Failed) {
        failed.say();
        self.keep(About::NIGHT, &failed.to_string());
    }

    /// Text for stdout, unless only those who are told afterwards are to have it.
    pub fn print(&mut self, text: &str, is_shown: bool) -> Outcome {
        push(&mut self.printed, text);
        if !is_shown || self.is_mute {
            return Ok(ExitReason::Done);
        }
        let written = output::write(|out| out.write_all(text.as_bytes()));
        self.is_mute = written.is_err();
        written
    }

    /// The whole of it, for a reader elsewhere: the exit code, what went wrong, and
    /// what was printed.
    pub fn report(&self, exit: ExitReason) -> String {
        let mut report = format!("exit code {} ({})\n", exit.code(), exit.as_str());
        for part in [&self.problems, &self.printed] {
            if !part.is_empty() {
                report.push('\n');
                report.push_str(part.trim_start_matches('\n'));
            }
        }
        report
    }

    fn keep(&mut self, about: About<'_>, message: &str) {
        if let Some(task) = about.task {
            push(&mut self.problems, &format!("{task}: "));
        }
        push(&mut self.problems, &harmless(message));
        push(&mut self.problems, "\n");
    }
}

/// The run and its books.
pub fn night_text(task: &TaskConfig, night: &NightReport) -> String {
    let books = &night.books;
    let number = night.run.unwrap_or(0);
    let mut lines = vec![format!("{}: run {number}: {}", task.id, books_line(books))];
    if night.carried_over > 0 {
        let carried = format!("  {} carried over from earlier nights", night.carried_over);
        lines.push(carried);
    }
    if night.tolerated > 0 {
        let causes: Vec<&str> = task.tolerate.iter().map(|cause| cause.as_str()).collect();
        let (tolerated, causes) = (night.tolerated, causes.join(", "));
        lines.push(format!("  {tolerated} of the failed tolerated: {causes}"));
    }
    if night.suspects > 0 {
        let suspects = night.suspects;
        lines.push(format!(
            "  {suspects} of the ignored suspect: same size, another ETag"
        ));
    }
    if night.intake.rejected > 0 {
        let rejected = counted(night.intake.rejected, "line");
        lines.push(format!("  {rejected} of lists rejected"));
    }
    if let Some(check) = &night.spot_check {
        lines.push(format!("  {}", spot_sentence(check)));
    }
    if let Some(deferral) = night.deferral {
        let because = deferred_for(deferral, night.awaiting);
        lines.push(format!("  {} deferred: {because}", books.deferred));
    }
    if night.delivery.delivered > 0 {
        let delivered = counted(night.delivery.delivered, "list");
        lines.push(format!("  {delivered} delivered"));
    }
    lines.join("\n") + "\n"
}

fn books_line(books: &RunBooks) -> String {
    let balance = if books.balanced() {
        "balanced"
    } else {
        "NOT BALANCED"
    };
    format!(
        "{} taken = {} synced + {} failed + {} ignored + {} deferred ({balance}), {}",
        books.taken,
        books.synced,
        books.failed,
        books.ignored,
        books.deferred,
        size(i64::try_from(books.synced_bytes).unwrap_or(i64::MAX))
    )
}

/// Nobody takes more of it, so no more is kept.
fn push(text: &mut String, more: &str) {
    if text.len() < MOST_REPORT_BYTES {
        text.push_str(more);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_begins_with_the_exit_code_and_what_went_wrong() {
        let mut account = Account::default();
        let task = "photos".parse().unwrap();
        let about = About {
            task: Some(&task),
            run: Some(1),
        };
        drop(account.print("photos: run 1\n", false));
        account.warn(about, "look at this");
        account.error(About::NIGHT, "no backup");
        let expected = "exit code 4 (failed)\n\nphotos: look at this\nno backup\n\nphotos: run 1\n";
        assert_eq!(account.report(ExitReason::Failed), expected);
        let nothing = Account::default().report(ExitReason::Done);
        assert_eq!(nothing, "exit code 0 (done)\n");
    }
}
