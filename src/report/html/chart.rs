//! The days of a month: a stacked chart, and the same as a table.

use maud::{Markup, html};

use super::pieces::{month as month_name, number, size};
use crate::ledger::DayFigures;
use crate::model::Month;
use crate::report::text::counted;

/// The drawing's own units: so many for a day, and for the tallest one.
const DAY: u64 = 20;
const HEIGHT: u64 = 1000;

/// What is not nothing is at least so high, so that one failure among thousands shows.
const LEAST: u64 = 12;

/// The chart of `days`, the days of `month` on which something happened.
#[must_use]
pub fn days(month: Month, days: &[DayFigures]) -> Markup {
    let top = scale(days);
    let wide = u64::from(month.days()) * DAY;
    html! {
        figure.chart {
            div.plot {
                div.scale aria-hidden="true" {
                    span { (number(top)) } span { (number(top / 2)) } span { "0" }
                }
                svg role="img" aria-labelledby="chart-title chart-told"
                    viewBox={ "0 0 " (wide) " " (HEIGHT) } preserveAspectRatio="none" {
                    title id="chart-title" { "Outcomes by day, " (month_name(month)) }
                    desc id="chart-told" { (told(days)) }
                    @for line in [0, HEIGHT / 2] {
                        line.grid x1="0" x2=(wide) y1=(line) y2=(line) {}
                    }
                    @for day in days { (bar(*day, top)) }
                    line.base x1="0" x2=(wide) y1=(HEIGHT) y2=(HEIGHT) {}
                }
                div class={ "axis days-" (month.days()) } aria-hidden="true" {
                    @for day in 1..=month.days() { span { (day) } }
                }
            }
            figcaption {
                span.key.synced { "Synced" } span.key.ignored { "Ignored" } span.key.failed { "Failed" }
                span.key.requested { "Requested" }
            }
        }
        (table(days))
    }
}

fn bar(day: DayFigures, top: u64) -> Markup {
    let left = u64::from(day.day - 1) * DAY;
    // Failures stand at the bottom, where they show even if they are few.
    let parts = [
        ("failed", day.failed),
        ("synced", day.synced),
        ("ignored", day.ignored),
    ];
    let mut floor = HEIGHT;
    let mut drawn = Vec::new();
    for (kind, count) in parts {
        let height = height(count, top).min(floor);
        floor -= height;
        if height > 0 {
            drawn.push((kind, floor, height));
        }
    }
    let asked = HEIGHT - height(day.requested, top).min(HEIGHT);
    html! {
        g {
            title {
                "Day " (day.day) ": requested " (number(day.requested)) ", synced " (number(day.synced))
                ", failed " (number(day.failed)) ", ignored " (number(day.ignored))
            }
            @for (kind, y, height) in drawn {
                rect class=(kind) x=(left + 3) y=(y) width=(DAY - 6) height=(height) {}
            }
            @if day.requested > 0 {
                line.requested x1=(left + 1) x2=(left + DAY - 1) y1=(asked) y2=(asked) {}
            }
        }
    }
}

fn height(count: u64, top: u64) -> u64 {
    if count == 0 {
        return 0;
    }
    let exact = u128::from(count) * u128::from(HEIGHT) / u128::from(top.max(1));
    u64::try_from(exact).unwrap_or(HEIGHT).max(LEAST)
}

/// The least of 2, 4, 6, 8, 10, 20, 40 … that is not below any day.
fn scale(days: &[DayFigures]) -> u64 {
    let of_day = |day: &DayFigures| (day.synced + day.failed + day.ignored).max(day.requested);
    let most = days.iter().map(of_day).max().unwrap_or(0);
    let mut power: u64 = 1;
    loop {
        for step in [2, 4, 6, 8, 10] {
            let top = power.saturating_mul(step);
            if top >= most {
                return top;
            }
        }
        power = power.saturating_mul(10);
    }
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
    html! {
        details.behind {
            summary { "The days as a table" }
            div.scroll tabindex="0" role="group" aria-label="Figures by day" {
                table {
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
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(synced: u64, failed: u64) -> DayFigures {
        DayFigures {
            day: 3,
            synced,
            failed,
            requested: synced,
            ..DayFigures::default()
        }
    }

    #[test]
    fn the_scale_ends_at_a_round_number() {
        for (most, top) in [
            (0, 2),
            (1, 2),
            (3, 4),
            (5, 6),
            (10, 10),
            (11, 20),
            (1_000_001, 2_000_000),
        ] {
            assert_eq!(scale(&[day(most, 0)]), top);
        }
        assert!(scale(&[day(u64::MAX / 2, 0)]) >= u64::MAX / 2);
    }

    #[test]
    fn one_failure_among_thousands_is_seen_and_nothing_leaves_the_chart() {
        let drawn = bar(day(10_000, 1), 10_000).into_string();
        for part in [
            "class=\"failed\" x=\"43\" y=\"988\" width=\"14\" height=\"12\"",
            "class=\"synced\" x=\"43\" y=\"0\" width=\"14\" height=\"988\"",
        ] {
            assert!(drawn.contains(part), "{drawn}");
        }
    }
}
