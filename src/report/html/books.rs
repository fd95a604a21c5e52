//! The books of a month, in a sentence.

use maud::{Markup, html};

use super::pieces::{number, time};
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
