//! The books of a month and of a run.

use maud::{Markup, html};

use super::pieces::{number, prose, size, time};
use crate::ledger::PastRun;
use crate::report::TaskMonth;
use crate::report::text::thousands;

/// That the month's figures add up, and what waits now.
#[must_use]
pub fn balance(summary: &TaskMonth) -> Markup {
    let row = &summary.row;
    html! {
        p.books {
            strong { "Books: " }
            (thousands(row.pending_at_start)) " pending at start + " (thousands(row.requested)) " requested = "
            (thousands(row.synced)) " synced + " (thousands(row.failed)) " failed + " (thousands(row.ignored))
            " ignored + " (thousands(row.pending_at_end)) " pending at end. "
            "Pending now: " (number(summary.pending_now))
            @if let Some(oldest) = summary.oldest_pending { ", the oldest since " (time(oldest)) } "."
        }
    }
}

/// What the month said when it was closed.
#[must_use]
pub fn closed(summary: &TaskMonth) -> Markup {
    html! {
        @if let Some(closed) = summary.closed {
            p.books {
                "When the month was closed (" (time(closed.at)) ") it said: "
                (thousands(closed.requested)) " requested, " (thousands(closed.synced)) " synced, "
                (thousands(closed.failed)) " failed, " (thousands(closed.ignored)) " ignored."
            }
        }
    }
}

/// The books of a run as figures, and that they add up, or do not.
#[must_use]
pub fn of_run(run: &PastRun) -> Markup {
    let books = &run.books;
    html! {
        dl.tiles {
            div { dt { "Taken" } dd { (number(books.taken)) } }
            div.synced { dt { "Synced" } dd { (number(books.synced)) } }
            div.failed { dt { "Failed" } dd { (number(books.failed)) } }
            div.ignored { dt { "Ignored" } dd { (number(books.ignored)) } }
            div { dt { "Deferred" } dd { (number(books.deferred)) } }
            div { dt { "Synced size" } dd { (size(books.synced_bytes)) } }
        }
        p.books {
            strong { "Books: " }
            (number(books.taken)) " taken = " (number(books.synced)) " synced + " (number(books.failed))
            " failed + " (number(books.ignored)) " ignored + " (number(books.deferred))
            @if run.ended.is_some() { " deferred." } @else { " still to do." }
            @if !books.balanced() { strong.problem { (prose(" They do not balance: run `nightferry ledger check`.")) } }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::fixture::{Fixture, photos};

    #[test]
    fn books_of_a_run_that_do_not_balance_are_said_not_to() {
        let fixture = Fixture::three_nights();
        let mut runs = fixture.ledger.past_runs(&photos(), None, 1).unwrap();
        let said = |run: &PastRun| of_run(run).into_string().contains("do not balance");
        assert!(!said(&runs[0]));
        runs[0].books.taken += 1;
        assert!(said(&runs[0]));
    }
}
