//! What runs asked of both ends, and what operators changed of them.

use std::io::Write;

use super::ReportError;
use super::view::{Column, Shown, or_say, write_table};
use crate::ledger::{Filter, Ledger, View};

/// The kinds of requests as every bill shows them.
const KINDS: [Column; 12] = [
    ("side", "Side", Shown::Text),
    ("lists", "LIST", Shown::Number),
    ("heads", "HEAD", Shown::Number),
    ("gets", "GET", Shown::Number),
    ("puts", "PUT", Shown::Number),
    ("parts", "Part", Shown::Number),
    ("creates", "Create", Shown::Number),
    ("completes", "Complete", Shown::Number),
    ("aborts", "Abort", Shown::Number),
    ("deletes", "Delete", Shown::Number),
    ("read_bytes", "Read", Shown::Size),
    ("written_bytes", "Written", Shown::Size),
];

const TUNING: &[Column] = &[
    ("task", "Task", Shown::Text),
    ("run", "Run", Shown::Number),
    ("at_local", "Changed", Shown::Minute),
    ("setting", "Setting", Shown::Text),
    (
        "CASE WHEN old_value IS NULL THEN 'none' \
         WHEN setting = 'bandwidth' THEN printf('%.1f MB/s', old_value / 1e6) \
         ELSE replace(substr(coalesce(old_value_local, old_value), 1, 16), 'T', ' ') END",
        "From",
        Shown::Text,
    ),
    (
        "CASE WHEN new_value IS NULL THEN 'none' \
         WHEN setting = 'bandwidth' THEN printf('%.1f MB/s', new_value / 1e6) \
         ELSE replace(substr(coalesce(new_value_local, new_value), 1, 16), 'T', ' ') END",
        "To",
        Shown::Text,
    ),
];

/// Writes a bill, by run, day or month as `view` has it, as a table.
///
/// # Errors
/// If the ledger cannot be read or `out` not written.
pub fn write_bill(
    ledger: &Ledger,
    view: View,
    filters: &[Filter<'_>],
    out: &mut impl Write,
) -> Result<(), ReportError> {
    let of: Column = match view {
        View::RequestBill => ("run", "Run", Shown::Number),
        View::RequestBillDays => ("day", "Day", Shown::Text),
        _ => ("month", "Month", Shown::Text),
    };
    let mut columns = vec![("task", "Task", Shown::Text), of];
    columns.extend(KINDS);
    let rows = write_table(ledger, view, &columns, filters, out, |_| ())?;
    or_say(rows, "Nothing was asked of any bucket.", out)
}

/// Writes the changes of runs at work as a table, the newest last.
///
/// # Errors
/// If the ledger cannot be read or `out` not written.
pub fn write_tunings(
    ledger: &Ledger,
    filter: &Filter<'_>,
    out: &mut impl Write,
) -> Result<(), ReportError> {
    let rows = write_table(ledger, View::RunTuning, TUNING, &[*filter], out, |_| ())?;
    or_say(rows, "No run was changed while it was at work.", out)
}
