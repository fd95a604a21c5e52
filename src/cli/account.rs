//! What is said of a night: shown as it comes, and kept for those who are told of
//! it afterwards.

use std::io::Write;

use super::failure::{Failed, Outcome};
use super::output;
use crate::exit::ExitReason;
use crate::model::TaskId;
use crate::ping::MOST_REPORT_BYTES;

/// What was printed of a night, and what went wrong in it.
#[derive(Debug, Default)]
pub struct Account {
    printed: String,
    problems: String,
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

    /// Why the night, or what was to be shown of it, did not come to be.
    pub fn fail(&mut self, failed: &Failed) {
        failed.say();
        self.keep(About::NIGHT, &failed.to_string());
    }

    /// Text for stdout, unless only those who are told afterwards are to have it.
    pub fn print(&mut self, text: &str, is_shown: bool) -> Outcome {
        push(&mut self.printed, text);
        if is_shown {
            output::write(|out| out.write_all(text.as_bytes()))
        } else {
            Ok(ExitReason::Done)
        }
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
        push(&mut self.problems, message);
        push(&mut self.problems, "\n");
    }
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
