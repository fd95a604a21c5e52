//! Rows of the public views as they stand, for whoever shows them.

use std::fmt::Write as _;

use rusqlite::types::{Value, ValueRef};
use rusqlite::{Row, params_from_iter};

use super::{Ledger, LedgerError, Result};
use crate::model::{FailureCause, Month, TaskId};

/// A public view that is shown row by row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum View {
    /// The books of each task.
    Books,
    /// The months of each task.
    MonthSummary,
    /// Runs, the newest last.
    RunHistory,
    /// Failed requests, the newest last.
    FailedRequests,
    /// Input lists in the order of loading.
    LoadedLists,
    /// Lines that cannot be requests.
    RejectedLines,
    /// Requests and where they stand.
    Requests,
    /// Attempts, the newest last.
    ObjectHistory,
    /// Breakers that ended runs early, the newest last.
    OpenBreakers,
    /// What each run asked of both ends.
    RequestBill,
    /// The same by day.
    RequestBillDays,
    /// The same by month.
    RequestBillMonths,
    /// What operators changed of runs at work, the newest last.
    RunTuning,
    /// Runs with failures that did not count, the newest last.
    ToleratedFailures,
}

impl View {
    /// The view's name in the ledger.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Books => "books",
            Self::MonthSummary => "month_summary",
            Self::RunHistory => "run_history",
            Self::FailedRequests => "failed_requests",
            Self::LoadedLists => "loaded_lists",
            Self::RejectedLines => "rejected_lines",
            Self::Requests => "requests",
            Self::ObjectHistory => "object_history",
            Self::OpenBreakers => "open_breakers",
            Self::RequestBill => "request_bill",
            Self::RequestBillDays => "request_bill_days",
            Self::RequestBillMonths => "request_bill_months",
            Self::RunTuning => "run_tuning",
            Self::ToleratedFailures => "tolerated_failures",
        }
    }

    /// The columns by which its rows are sorted.
    const fn order(self) -> &'static [&'static str] {
        match self {
            Self::Books => &["task"],
            Self::MonthSummary => &["task", "month"],
            Self::RunHistory => &["started_at", "task", "run"],
            Self::FailedRequests => &["failed_at", "name", "request"],
            Self::LoadedLists => &["loaded_at", "task", "list"],
            Self::RejectedLines => &["task", "list", "line"],
            Self::Requests => &["request"],
            Self::ObjectHistory => &["at", "name", "request"],
            Self::OpenBreakers => &["since", "task", "run"],
            Self::RequestBill => &["task", "run", "side"],
            Self::RequestBillDays => &["task", "day", "side"],
            Self::RequestBillMonths => &["task", "month", "side"],
            Self::RunTuning => &["at", "task", "run", "setting"],
            Self::ToleratedFailures => &["task", "run"],
        }
    }
}

/// Which rows of a view are wanted. A condition on a column that the view does
/// not have is an error of the statement.
#[derive(Debug, Clone, Copy, Default)]
pub struct Filter<'a> {
    /// Of this task.
    pub task: Option<&'a TaskId>,
    /// Of the task's run with this number.
    pub run: Option<u64>,
    /// With this cause of failure.
    pub cause: Option<FailureCause>,
    /// Of this object.
    pub name: Option<&'a str>,
    /// Of this month.
    pub month: Option<Month>,
    /// Only the last so many, in the view's order.
    pub last: Option<u64>,
}

impl Filter<'_> {
    /// The conditions as columns and values.
    fn conditions(&self) -> Vec<(&'static str, Value)> {
        let text = |value: &str| Value::Text(value.to_owned());
        let number = |value: u64| Value::Integer(i64::try_from(value).unwrap_or(i64::MAX));
        let conditions = [
            ("task", self.task.map(|task| text(task.as_str()))),
            ("run", self.run.map(number)),
            ("cause", self.cause.map(|cause| text(cause.as_str()))),
            ("name", self.name.map(text)),
            ("month", self.month.map(|month| text(&month.to_string()))),
        ];
        conditions
            .into_iter()
            .filter_map(|(column, value)| value.map(|value| (column, value)))
            .collect()
    }

    fn select(&self, view: View, columns: &[&str]) -> String {
        // Only columns that the program itself names get into the text, values are bound.
        let mut select = format!("SELECT * FROM {} WHERE TRUE", view.as_str());
        for (index, (column, _)) in self.conditions().iter().enumerate() {
            // Writing to a String cannot fail.
            let _ = write!(select, " AND {column} = ?{}", index + 1);
        }
        if self.run.is_some() && self.task.is_none() {
            // Runs are found by task and number.
            select.push_str(" AND task IN (SELECT id FROM task)");
        }
        let order = view.order().join(", ");
        if let Some(last) = self.last {
            let backwards = view.order().join(" DESC, ");
            select = format!("SELECT * FROM ({select} ORDER BY {backwards} DESC LIMIT {last})");
        }
        format!(
            "SELECT {} FROM ({select}) ORDER BY {order}",
            columns.join(", ")
        )
    }
}

/// A value as SQLite holds it; in JSON a number, a text or null.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
#[serde(untagged)]
pub enum Cell {
    /// Nothing.
    Null,
    /// A whole number.
    Integer(i64),
    /// A number with a fraction.
    Real(f64),
    /// Text.
    Text(String),
}

impl Cell {
    fn read(row: &Row<'_>, index: usize) -> rusqlite::Result<Self> {
        Ok(match row.get_ref(index)? {
            ValueRef::Null => Self::Null,
            ValueRef::Integer(number) => Self::Integer(number),
            ValueRef::Real(number) => Self::Real(number),
            ValueRef::Text(text) | ValueRef::Blob(text) => {
                Self::Text(String::from_utf8_lossy(text).into_owned())
            }
        })
    }
}

impl Ledger {
    /// The columns of `view`.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    pub fn columns(&self, view: View) -> Result<Vec<String>> {
        self.read(|connection| {
            let statement = connection.prepare(&format!("SELECT * FROM {}", view.as_str()))?;
            Ok(statement.column_names().map(str::to_owned).collect())
        })
    }

    /// Shows `visit` the rows of `view` that `filter` lets through, each with the
    /// values of `columns`, in the view's order; memory stays flat.
    ///
    /// # Errors
    /// If the ledger cannot be read, or the first error of `visit`.
    pub fn for_each_row<E: From<LedgerError>>(
        &self,
        view: View,
        columns: &[&str],
        filter: &Filter<'_>,
        visit: impl FnMut(Vec<Cell>) -> std::result::Result<(), E>,
    ) -> std::result::Result<(), E> {
        let sql = filter.select(view, columns);
        let values = filter.conditions().into_iter().map(|(_, value)| value);
        let read = |row: &Row<'_>| {
            (0..columns.len())
                .map(|index| Cell::read(row, index))
                .collect()
        };
        self.stream(&sql, params_from_iter(values), read, visit)
    }
}
