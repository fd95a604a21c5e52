//! The days of a month: a stacked chart, and the same as a table.

use maud::{Markup, html};

use super::chart::{Bars, Column, Kind, OUTCOMES, behind};
use super::pieces::{month as month_name, number, size};
use super::scale::Unit;
use crate::ledger::DayFigures;
use crate::model::Month;
use crate::report::text::counted;

const REQUESTED: Kind = Kind::new("requested", "Requested");
const BYTES: [Kind; 1] = [Kind::new("synced", "Synced size")];

/// The outcomes of `days`, the days of `month` on which something happened; `id` is
/// its own in the document.
#[must_use]
pub fn outcomes(id: &str, month: Month, days: &[DayFigures]) -> Markup {
    let of_day = |day: &DayFigures| (vec![day.failed, day.synced, day.ignored], day.requested);
    let title = format!("Outcomes by day, {}", month_name(month));
    let bars = Bars {
        id,
        title: &title,
        told: &told(days),
        axis: "Day",
        unit: Unit::Count,
        kinds: &OUTCOMES,
        mark: Some(REQUESTED),
        half: false,
        columns: columns(month, days, of_day),
    };
    html! { (bars.figure()) (table(days)) }
}

/// The bytes copied on them.
#[must_use]
pub fn bytes(id: &str, month: Month, days: &[DayFigures]) -> Markup {
    let title = format!("Bytes copied by day, {}", month_name(month));
    let most = days.iter().max_by_key(|day| day.synced_bytes);
    let told = match most {
        Some(day) if day.synced_bytes > 0 => format!(
            "Most bytes were copied on day {}: {}.",
            day.day,
            Unit::Bytes.words(day.synced_bytes)
        ),
        _ => "Nothing was copied.".to_owned(),
    };
    let bars = Bars {
        id,
        title: &title,
        told: &told,
        axis: "Day",
        unit: Unit::Bytes,
        kinds: &BYTES,
        mark: None,
        half: true,
        columns: columns(month, days, |day| (vec![day.synced_bytes], 0)),
    };
    bars.with_table()
}

/// All days of the month, with what `of_day` says of those that have figures.
fn columns(
    month: Month,
    days: &[DayFigures],
    of_day: impl Fn(&DayFigures) -> (Vec<u64>, u64),
) -> Vec<Column> {
    let of = |number: u32| {
        let nothing = DayFigures::default();
        let day = days.iter().find(|day| day.day == number);
        let (values, mark) = of_day(day.unwrap_or(&nothing));
        Column {
            label: number.to_string(),
            name: number.to_string(),
            values,
            mark,
        }
    };
    (1..=month.days()).map(of).collect()
}

fn told(days: &[DayFigures]) -> String {
    if days.is_empty() {
        return "Nothing was asked for or settled in this month.".to_owned();
    }
    let tallest = days.iter().max_by_key(|day| day.synced);
    let tallest = tallest.map_or_else(String::new, |day| {
        format!(
            " Most were synced on day {}: {}.",
            day.day,
            number(day.synced)
        )
    });
    format!(
        "Synced, ignored and failed objects on {}.{tallest} The table behind the chart has every figure.",
        counted(days.len() as u64, "day")
    )
}

fn table(days: &[DayFigures]) -> Markup {
    behind(
        "Figures by day",
        &html! {
            thead { tr {
                th scope="col" { "Day" } th.number scope="col" { "Requested" }
                th.number scope="col" { "Synced" } th.number scope="col" { "Failed" }
                th.number scope="col" { "Ignored" } th.number scope="col" { "Synced size" }
            } }
            tbody {
                @for day in days {
                    tr {
                        th scope="row" { (day.day) }
                        td.number { (number(day.requested)) }
                        td.number { (number(day.synced)) }
                        td.number { (number(day.failed)) }
                        td.number { (number(day.ignored)) }
                        td.number { (size(day.synced_bytes)) }
                    }
                }
            }
        },
    )
}
