//! A month of each task: how many objects were asked for and what became of them.

use std::str::FromStr;

use super::ReportError;
use super::text::spreadsheet_safe;
use crate::ledger::{ClosedMonth, KnownTask, Ledger, MonthRow, OddNames};
use crate::model::{FailureCause, IgnoreReason, LocalTime, Month, RequestState, TaskId, Timestamp};

/// The columns of `month_summary`.
const COLUMNS: [&str; 9] = [
    "task",
    "month",
    "pending_at_start",
    "requested",
    "synced",
    "failed",
    "ignored",
    "pending_at_end",
    "synced_bytes",
];

/// Which month is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MonthChoice {
    /// The present one, in each task's own zone.
    This,
    /// The one before.
    Last,
    /// This very one.
    Named(Month),
}

impl MonthChoice {
    /// The month that is meant by the clocks of the task's zone.
    #[must_use]
    pub fn of(self, task: &KnownTask, now: Timestamp) -> Month {
        let this = task.zone.local(now).month();
        match self {
            Self::This => this,
            Self::Last => this.previous(),
            Self::Named(month) => month,
        }
    }
}

impl FromStr for MonthChoice {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "this" => Ok(Self::This),
            "last" => Ok(Self::Last),
            named => named.parse().map(Self::Named),
        }
    }
}

/// One month of one or more tasks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    /// A month of each task, by task.
    pub months: Vec<TaskMonth>,
    /// When it was made.
    pub now: Timestamp,
}

/// One month of one task, and how the task stands now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaskMonth {
    /// The row of `month_summary`.
    pub row: MonthRow,
    /// Failed requests by cause, the most frequent first.
    pub failed: Vec<(FailureCause, u64)>,
    /// Ignored requests by reason, the most frequent first.
    pub ignored: Vec<(IgnoreReason, u64)>,
    /// Of the ignored, those that are suspect now.
    pub suspects: u64,
    /// Names that look as if something else was meant.
    pub odd_names: Vec<OddNames>,
    /// Requests that are pending now.
    pub pending_now: u64,
    /// When the oldest of them was asked for.
    pub oldest_pending: Option<LocalTime>,
    /// What was said of the month when the next one began.
    pub closed: Option<ClosedMonth>,
}

impl Summary {
    /// Reads the month of `task`, or of every task that the ledger knows.
    ///
    /// # Errors
    /// If the ledger cannot be read, or does not know the task.
    pub fn read(
        ledger: &Ledger,
        task: Option<&TaskId>,
        month: MonthChoice,
        now: Timestamp,
    ) -> Result<Self, ReportError> {
        let months = asked_tasks(ledger, task)?
            .iter()
            .map(|task| TaskMonth::read(ledger, &task.id, month.of(task, now)))
            .collect::<Result<_, _>>()?;
        Ok(Self { months, now })
    }

    /// The rows as JSON: objects whose keys are the columns of `month_summary`.
    ///
    /// # Errors
    /// None that numbers and task ids could cause.
    pub fn render_json(&self) -> Result<String, ReportError> {
        let rows: Vec<&MonthRow> = self.months.iter().map(|month| &month.row).collect();
        let mut json = serde_json::to_string_pretty(&rows).map_err(std::io::Error::from)?;
        json.push('\n');
        Ok(json)
    }

    /// The rows as CSV with the columns of `month_summary`.
    ///
    /// # Errors
    /// None that numbers and task ids could cause.
    pub fn render_csv(&self) -> Result<String, ReportError> {
        let mut sheet = csv::WriterBuilder::new()
            .has_headers(false)
            .from_writer(Vec::new());
        let write = || {
            sheet.write_record(COLUMNS)?;
            for month in &self.months {
                sheet.serialize(MonthRow {
                    task: spreadsheet_safe(&month.row.task),
                    ..month.row.clone()
                })?;
            }
            sheet
                .into_inner()
                .map_err(|error| error.into_error().into())
        };
        let bytes = write().map_err(|error: csv::Error| ReportError::Output(error.into()))?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }
}

/// Refuses a month, if one is named, of which nothing can be known: of `task`, or of
/// every task that the ledger knows.
///
/// # Errors
/// If no task had begun by then or the month itself has not, or if the ledger cannot be
/// read.
pub fn refuse_unknown_month(
    ledger: &Ledger,
    task: Option<&TaskId>,
    month: MonthChoice,
    now: Timestamp,
) -> Result<(), ReportError> {
    let MonthChoice::Named(month) = month else {
        return Ok(());
    };
    let mut first: Option<Month> = None;
    let mut is_ahead = true;
    for task in asked_tasks(ledger, task)? {
        let this = MonthChoice::This.of(&task, now);
        let began = ledger.months(&task.id)?.last().copied().unwrap_or(this);
        first = Some(first.map_or(began, |first| first.min(began)));
        is_ahead &= month > this;
    }
    match first {
        Some(_) if is_ahead => Err(ReportError::UnknownMonth {
            month,
            why: "it has not begun".to_owned(),
        }),
        Some(first) if month < first => Err(ReportError::UnknownMonth {
            month,
            why: format!("the figures begin with {first}"),
        }),
        _ => Ok(()),
    }
}

/// `task`, or every task that the ledger knows.
pub(super) fn asked_tasks(
    ledger: &Ledger,
    task: Option<&TaskId>,
) -> Result<Vec<KnownTask>, ReportError> {
    let mut tasks = ledger.known_tasks()?;
    if let Some(wanted) = task {
        tasks.retain(|known| known.id == *wanted);
        if tasks.is_empty() {
            return Err(ReportError::UnknownTask(wanted.clone()));
        }
    }
    Ok(tasks)
}

impl TaskMonth {
    pub(super) fn read(ledger: &Ledger, task: &TaskId, month: Month) -> Result<Self, ReportError> {
        let (pending_now, oldest_pending) = ledger.pending(task)?;
        Ok(Self {
            row: ledger.month_figures(task, month)?,
            failed: ledger.month_reasons(task, month, RequestState::Failed)?,
            ignored: ledger.month_reasons(task, month, RequestState::Ignored)?,
            suspects: ledger.month_suspects(task, month)?,
            odd_names: ledger.odd_names(task, month)?,
            pending_now,
            oldest_pending,
            closed: ledger.closed_month(task, month)?,
        })
    }
}
