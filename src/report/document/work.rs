//! What runs did, summed up, and the charts of it: sizes, the slowest objects, the
//! pace, reasons.

use std::collections::BTreeMap;
use std::fmt::Display;

use maud::{Markup, html};

use super::panel;
use crate::ledger::{Ledger, Result, RunKey, SizeClass, SlowObject, SpotCheck};
use crate::model::RequestState;
use crate::report::hints::suspects_hint;
use crate::report::html::chart::{Bars, Column, Kind, lying};
use crate::report::html::pieces::{name, number, prose, size, time};
use crate::report::html::scale::Unit;
use crate::report::spot::{spot_hint, spot_sentence};
use crate::report::text::{counted, duration};

/// How many of the slowest objects are shown.
const SLOWEST: usize = 10;

const OBJECTS: [Kind; 1] = [Kind::new("synced", "Objects copied")];
const BYTES: [Kind; 1] = [Kind::new("synced", "Bytes copied")];
const ENDS: [Kind; 2] = [
    Kind::new("source", "Source"),
    Kind::new("destination", "Destination"),
];

/// Sizes of what was copied, and what took longest: of one run, or of all of a month.
#[derive(Debug, Default)]
pub(super) struct Work {
    /// Objects and bytes by the least size of their class.
    sizes: BTreeMap<u64, (u64, u64)>,
    /// The slowest first.
    slowest: Vec<SlowObject>,
}

impl Work {
    /// Adds what `run` did.
    pub(super) fn add(&mut self, ledger: &Ledger, run: RunKey) -> Result<()> {
        for class in ledger.size_classes(run)? {
            let sum = self.sizes.entry(class.least_bytes).or_default();
            sum.0 += class.objects;
            sum.1 += class.bytes;
        }
        // Only what is slower than the last one here can come in.
        let last = self.slowest.get(SLOWEST - 1);
        let longer_than_ms = last.map_or(0, |slow| slow.duration_ms);
        let slow = ledger.slowest(run, SLOWEST, longer_than_ms)?;
        self.slowest.extend(slow);
        self.slowest
            .sort_by_key(|slow| std::cmp::Reverse(slow.duration_ms));
        self.slowest.truncate(SLOWEST);
        Ok(())
    }

    /// How many copies had which size, and how much of the bytes they were.
    pub(super) fn sizes(&self, id: &str) -> Markup {
        let bounds = self
            .sizes
            .first_key_value()
            .zip(self.sizes.last_key_value());
        let Some(((first, _), (last, _))) = bounds else {
            let nothing = html! { p.quiet { "Nothing was copied." } };
            return panel(&format!("{id}-sizes"), "Sizes of what was copied", &nothing);
        };
        let classes = std::iter::successors(Some(*first), |least| Some(SizeClass::after(*least)));
        let classes: Vec<u64> = classes.take_while(|least| least <= last).collect();
        let most = self.sizes.iter().max_by_key(|(_, (objects, _))| *objects);
        let told = most.map_or_else(String::new, |(least, (objects, _))| {
            format!(
                "The most frequent size is {}: {}.",
                range(*least),
                counted(*objects, "object")
            )
        });
        let of = |value: &dyn Fn(&(u64, u64)) -> u64| {
            let column = |least: &u64| Column {
                label: class_label(*least),
                name: range(*least),
                values: vec![self.sizes.get(least).map_or(0, value)],
                mark: 0,
            };
            classes.iter().map(column).collect::<Vec<_>>()
        };
        let chart = |part: &str, title: &str, unit, kinds, columns| {
            let bars = Bars {
                id: &format!("{id}-{part}"),
                title,
                told: &told,
                axis: "Size",
                unit,
                kinds,
                mark: None,
                half: true,
                columns,
            };
            panel(&format!("{id}-{part}-panel"), title, &bars.with_table())
        };
        let (by_size, bytes_by_size) = (
            "Objects copied, by size",
            "Bytes copied, by size of the objects",
        );
        html! {
            div.pair {
                (chart("sizes", by_size, Unit::Count, &OBJECTS, of(&|sum| sum.0)))
                (chart("weights", bytes_by_size, Unit::Bytes, &BYTES, of(&|sum| sum.1)))
            }
        }
    }

    /// What took longest, from the first request about it to its outcome.
    pub(super) fn slowest(&self, id: &str) -> Markup {
        let most = self.slowest.first().map_or(0, |slow| slow.duration_ms);
        let heading = format!("{id}-slowest");
        let table = html! {
            @if self.slowest.is_empty() {
                p.quiet { "No object's time is known." }
            } @else {
                div.scroll tabindex="0" role="group" aria-labelledby=(heading) { table {
                    thead { tr {
                        th scope="col" { "Object" } th.number scope="col" { "Size" }
                        th.number scope="col" { "Took" } td {}
                        th scope="col" { "Outcome" } th.number scope="col" { "Run" }
                        th scope="col" { "At" }
                    } }
                    tbody { @for slow in &self.slowest { tr {
                        th.object scope="row" { (name(slow.name.as_str())) }
                        td.number.nowrap { @if let Some(bytes) = slow.size_bytes { (size(bytes)) } }
                        td.number.nowrap { (duration(slow.duration_ms)) }
                        td.drawn { (lying("time", slow.duration_ms, most)) }
                        td { (slow.outcome) @if let Some(reason) = &slow.reason { " (" code { (reason) } ")" } }
                        td.number { (slow.run) }
                        td.nowrap { (time(slow.at)) }
                    } } }
                } }
            }
        };
        panel(&heading, "The slowest objects", &table)
    }
}

fn class_label(least: u64) -> String {
    match least {
        0 => "0 B".to_owned(),
        least => Unit::Bytes.label(least),
    }
}

fn range(least: u64) -> String {
    match least {
        0 => "0 bytes".to_owned(),
        least => {
            let to = Unit::Bytes.label(SizeClass::after(least));
            format!("{} to {to}", Unit::Bytes.label(least))
        }
    }
}

/// How often each end asked for a slower pace; columns have the source's figure, then
/// the destination's.
pub(super) fn throttling(id: &str, title: &str, axis: &str, columns: Vec<Column>) -> Markup {
    let heading = format!("{id}-throttled-panel");
    let times: u64 = columns.iter().flat_map(|column| &column.values).sum();
    if times == 0 {
        let nothing = html! { p.quiet { "Neither end asked for a slower pace." } };
        return panel(&heading, title, &nothing);
    }
    let bars = Bars {
        id: &format!("{id}-throttled"),
        title,
        told: &format!("In all {} answers asked for a slower pace.", number(times)),
        axis,
        unit: Unit::Count,
        kinds: &ENDS,
        mark: None,
        half: false,
        columns,
    };
    panel(&heading, title, &bars.with_table())
}

/// That some of what was ignored is suspect.
pub(super) fn suspects(suspects: u64) -> Markup {
    html! { @if suspects > 0 { p.note { (prose(&suspects_hint(suspects))) } } }
}

/// What a spot check came to, if there was one.
pub(super) fn spot_check(check: Option<&SpotCheck>) -> Markup {
    html! { @if let Some(check) = check {
        p.note { (sentence(&spot_sentence(check)))
            @if let Some(hint) = spot_hint(check) { " " (prose(&hint)) }
        }
    } }
}

/// A line as a sentence.
fn sentence(line: &str) -> String {
    let mut characters = line.chars();
    let first = characters.next().map(|first| first.to_ascii_uppercase());
    first.into_iter().chain(characters).chain(['.']).collect()
}

/// Causes of failures, or reasons for leaving objects alone, each with its bar and what
/// it means.
pub(super) fn reasons<T: Display + Copy>(
    (id, title, column): (&str, &str, &str),
    state: RequestState,
    reasons: &[(T, u64)],
    meaning: impl Fn(T) -> &'static str,
) -> Markup {
    let most = reasons.iter().map(|(_, count)| *count).max().unwrap_or(0);
    let table = html! {
        @if reasons.is_empty() {
            p.quiet { "None." }
        } @else {
            div.scroll tabindex="0" role="group" aria-labelledby=(id) { table {
                thead { tr {
                    th scope="col" { (column) } th.number scope="col" { "Requests" } td {}
                    th scope="col" { "What it means" }
                } }
                tbody { @for (reason, count) in reasons { tr {
                    th scope="row" { code { (reason) } }
                    td.number { (number(*count)) }
                    td.drawn { (lying(state.as_str(), *count, most)) }
                    td.words { (prose(meaning(*reason))) }
                } } }
            } }
        }
    };
    panel(id, title, &table)
}
