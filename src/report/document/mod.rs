//! The report: months or a run of some tasks as one HTML file that needs nothing else,
//! for the eye, for paper and for an audit. Written out as it is made, out of figures
//! that the ledger has summed up, so that memory stays flat.

mod audit;
mod month;
mod run;
mod work;

use std::io::{self, Write};

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::html::STYLE;
use super::html::pieces::{month as month_name, time};
use super::summary::asked_tasks;
use super::{MonthChoice, ReportError};
use crate::ledger::{KnownTask, Ledger, RunKey};
use crate::model::{Month, TaskId, Timestamp, Zone};

/// What the shared style sheet leaves to say: this document is printed.
const PAPER: &str = include_str!("paper.css");

/// Nothing from elsewhere, and nothing that runs.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'";

/// What a report is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Span {
    /// A month.
    Month(MonthChoice),
    /// The run with this number.
    Run(u64),
}

/// A report that can be written.
#[derive(Debug, Clone)]
pub struct Document {
    parts: Vec<Part>,
    now: Timestamp,
}

/// What is shown of one task.
#[derive(Debug, Clone)]
struct Part {
    task: KnownTask,
    about: About,
}

#[derive(Debug, Clone, Copy)]
enum About {
    Month(Month),
    Run(u64, RunKey),
}

impl Document {
    /// What there is to be shown of `task`, or of every task that the ledger knows; of a
    /// run, of those tasks that have it.
    ///
    /// # Errors
    /// If the ledger cannot be read, or knows no such task or run.
    pub fn plan(
        ledger: &Ledger,
        task: Option<&TaskId>,
        span: Span,
        now: Timestamp,
    ) -> Result<Self, ReportError> {
        let mut parts = Vec::new();
        for task in asked_tasks(ledger, task)? {
            let about = match span {
                Span::Month(choice) => Some(About::Month(choice.of(&task, now))),
                Span::Run(number) => {
                    let run = ledger.run_numbered(&task.id, number)?;
                    run.map(|run| About::Run(number, run))
                }
            };
            parts.extend(about.map(|about| Part { task, about }));
        }
        match span {
            Span::Run(number) if parts.is_empty() => Err(ReportError::UnknownRun(number)),
            _ => Ok(Self { parts, now }),
        }
    }

    /// Writes it.
    ///
    /// # Errors
    /// If the ledger cannot be read or the document not be written.
    pub fn write(&self, ledger: &Ledger, out: &mut impl Write) -> Result<(), ReportError> {
        out.write_all(DOCTYPE.0.as_bytes())?;
        out.write_all(b"<html lang=\"en\">")?;
        put(out, &self.head())?;
        out.write_all(b"<body><header class=\"top\"><span class=\"brand\">Nightferry</span>")?;
        out.write_all(b"<span>Report</span></header><main>")?;
        put(out, &self.contents())?;
        for (place, part) in (1..).zip(&self.parts) {
            let id = format!("t{place}");
            let title = html! {
                @if self.parts.len() > 1 { h2 id=(id) { (part.title()) } }
                @else { h2.unseen id=(id) { "Figures" } }
            };
            out.write_all(b"<section class=\"part\">")?;
            put(out, &title)?;
            match part.about {
                About::Month(month) => {
                    month::write(ledger, &part.task, month, self.now, &id, out)?;
                }
                About::Run(_, run) => run::write(ledger, &part.task, run, &id, out)?,
            }
            out.write_all(b"</section>")?;
        }
        out.write_all(b"</main>")?;
        put(out, &self.foot())?;
        Ok(out.write_all(b"</body></html>\n")?)
    }

    fn head(&self) -> Markup {
        html! {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta http-equiv="Content-Security-Policy" content=(POLICY);
                title { (self.title()) " · Nightferry report" }
                style { (PreEscaped(STYLE)) (PreEscaped(PAPER)) }
            }
        }
    }

    fn title(&self) -> String {
        match self.parts.as_slice() {
            [] => "No task yet".to_owned(),
            [part] => part.title(),
            [part, ..] => format!("All tasks, {}", part.about.title()),
        }
    }

    /// The title, and which tasks there are, if there are several.
    fn contents(&self) -> Markup {
        html! {
            h1 { (self.title()) }
            @if self.parts.is_empty() {
                p.card { "No task has had anything to do yet." }
            }
            @if self.parts.len() > 1 {
                nav.contents aria-label="Tasks" {
                    ul { @for (place, part) in (1..).zip(&self.parts) {
                        li { a href={ "#t" (place) } { (part.title()) } }
                    } }
                }
            }
        }
    }

    fn foot(&self) -> Markup {
        html! {
            footer {
                p {
                    "Made at " (time(Zone::UTC.local(self.now))) " UTC by Nightferry "
                    (env!("CARGO_PKG_VERSION")) ", from the ledger as it stood at that instant. "
                    "Sizes and times in words are rounded down; the views of the ledger have every digit."
                }
            }
        }
    }
}

impl Part {
    fn title(&self) -> String {
        format!("{}, {}", self.task.id, self.about.title())
    }
}

impl About {
    fn title(self) -> String {
        match self {
            Self::Month(month) => month_name(month),
            Self::Run(number, _) => format!("run {number}"),
        }
    }
}

fn put(out: &mut impl Write, markup: &Markup) -> io::Result<()> {
    out.write_all(markup.0.as_bytes())
}

/// A chart or a table under its heading.
fn panel(id: &str, title: &str, content: &Markup) -> Markup {
    html! {
        div.panel {
            h3 id=(id) { (title) }
            (content)
        }
    }
}

#[cfg(test)]
mod tests;
