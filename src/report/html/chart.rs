//! Upright bars along an axis, the same figures as a table, and bars within tables.

use maud::{Markup, html};

use super::scale::Unit;

/// The drawing's own units: so many for a column, and for the tallest one.
const WIDE: u64 = 20;
const HEIGHT: u64 = 1000;

/// What is not nothing is at least so high, so that one failure among thousands shows.
const LEAST: u64 = 12;

/// So many letters stand side by side under a chart on paper, under one of half the
/// width, and on a telephone.
const LETTERS_WIDE: usize = 96;
const LETTERS_HALF: usize = 44;
const LETTERS_NARROW: usize = 36;

/// With so few columns a chart need not be as wide as the page.
const FEW: usize = 9;

/// One kind of figures: its class in the style sheet, and its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kind {
    /// The class, which gives it its colour.
    pub class: &'static str,
    /// What it is called.
    pub name: &'static str,
}

/// The kinds that outcomes are; failures stand at the bottom, where they show even if
/// they are few.
pub const OUTCOMES: [Kind; 3] = [
    Kind::new("failed", "Failed"),
    Kind::new("synced", "Synced"),
    Kind::new("ignored", "Ignored"),
];

impl Kind {
    /// A kind.
    #[must_use]
    pub const fn new(class: &'static str, name: &'static str) -> Self {
        Self { class, name }
    }
}

/// A chart of upright bars.
#[derive(Debug, Clone)]
pub struct Bars<'a> {
    /// What its parts' ids begin with; once in a document.
    pub id: &'a str,
    /// What it shows.
    pub title: &'a str,
    /// What can be seen in it, in a sentence.
    pub told: &'a str,
    /// What the columns are: `Day`, `Hour`.
    pub axis: &'a str,
    /// What is counted.
    pub unit: Unit,
    /// What stands in each bar, from the bottom.
    pub kinds: &'a [Kind],
    /// What is marked across each bar.
    pub mark: Option<Kind>,
    /// Whether another one stands beside it.
    pub half: bool,
    /// The columns.
    pub columns: Vec<Column>,
}

/// One column of a chart.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Column {
    /// What stands under it.
    pub label: String,
    /// What it is called where it stands alone.
    pub name: String,
    /// A figure for each kind.
    pub values: Vec<u64>,
    /// Where the mark is.
    pub mark: u64,
}

impl Column {
    fn most(&self) -> u64 {
        self.values.iter().sum::<u64>().max(self.mark)
    }
}

impl Bars<'_> {
    /// The chart, and behind it the table.
    #[must_use]
    pub fn with_table(&self) -> Markup {
        html! { (self.figure()) (self.table()) }
    }

    /// The chart alone.
    #[must_use]
    pub fn figure(&self) -> Markup {
        let top = self
            .unit
            .top(self.columns.iter().map(Column::most).max().unwrap_or(0));
        let wide = self.columns.len() as u64 * WIDE;
        let (title, told) = (format!("{}-title", self.id), format!("{}-told", self.id));
        html! {
            figure class={ "chart" @if self.columns.len() <= FEW { " few" } } {
                div.plot {
                    div.scale aria-hidden="true" {
                        span { (self.unit.label(top)) } span { (self.unit.label(top / 2)) } span { "0" }
                    }
                    svg role="img" aria-labelledby={ (title) " " (told) }
                        viewBox={ "0 0 " (wide) " " (HEIGHT) } preserveAspectRatio="none" {
                        title id=(title) { (self.title) }
                        desc id=(told) { (self.told) }
                        @for line in [0, HEIGHT / 2] {
                            line.grid x1="0" x2=(wide) y1=(line) y2=(line) {}
                        }
                        @for (place, column) in (0_u64..).zip(&self.columns) {
                            @if column.most() > 0 { (self.bar(place, column, top)) }
                        }
                        line.base x1="0" x2=(wide) y1=(HEIGHT) y2=(HEIGHT) {}
                    }
                    (labels(&self.columns, if self.half { LETTERS_HALF } else { LETTERS_WIDE }))
                }
                figcaption {
                    @for kind in self.kinds.iter().rev().chain(&self.mark) {
                        span class={ "key " (kind.class) } { (kind.name) }
                    }
                }
            }
        }
    }

    fn bar(&self, place: u64, column: &Column, top: u64) -> Markup {
        let left = place * WIDE;
        let mut floor = HEIGHT;
        let mut drawn = Vec::new();
        for (kind, value) in self.kinds.iter().zip(&column.values) {
            let height = height(*value, top).min(floor);
            floor -= height;
            if height > 0 {
                drawn.push((kind.class, floor, height));
            }
        }
        let marked = HEIGHT - height(column.mark, top).min(HEIGHT);
        html! {
            g {
                title { (self.axis) " " (column.name) ": " (self.said(column)) }
                @for (class, y, height) in drawn {
                    rect class=(class) x=(left + 3) y=(y) width=(WIDE - 6) height=(height) {}
                }
                @if let Some(kind) = self.mark.filter(|_| column.mark > 0) {
                    line class=(kind.class) x1=(left + 1) x2=(left + WIDE - 1) y1=(marked) y2=(marked) {}
                }
            }
        }
    }

    fn said(&self, column: &Column) -> String {
        let mark = self.mark.iter().map(|kind| (kind, &column.mark));
        let said = self.kinds.iter().zip(&column.values).chain(mark);
        let said = said.map(|(kind, value)| {
            format!("{} {}", kind.name.to_lowercase(), self.unit.words(*value))
        });
        said.collect::<Vec<_>>().join(", ")
    }

    /// The columns that have something, as a table.
    fn table(&self) -> Markup {
        let columns = self.columns.iter().filter(|column| column.most() > 0);
        behind(
            self.title,
            &html! {
                thead { tr {
                    th scope="col" { (self.axis) }
                    @for kind in self.kinds { th.number scope="col" { (kind.name) } }
                } }
                tbody { @for column in columns { tr {
                    th scope="row" { (column.name) }
                    @for value in &column.values { td.number { (self.unit.words(*value)) } }
                } } }
            },
        )
    }
}

/// A table that is opened where somebody wants the figures of the chart `title`.
#[must_use]
pub fn behind(title: &str, rows: &Markup) -> Markup {
    html! {
        details.behind {
            summary { (title) ", as a table" }
            div.scroll tabindex="0" role="group" aria-label=(title) { table { (rows) } }
        }
    }
}

/// A bar that lies in a row of a table, beside the figure that it draws.
#[must_use]
pub fn lying(class: &str, value: u64, most: u64) -> Markup {
    let width = height(value, most).min(HEIGHT);
    html! {
        svg.lying aria-hidden="true" viewBox={ "0 0 " (HEIGHT) " 10" } preserveAspectRatio="none" {
            rect class=(class) x="0" y="0" width=(width) height="10" {}
        }
    }
}

/// What stands under the columns: no more than there is room for, and less where
/// there is little.
fn labels(columns: &[Column], room: usize) -> Markup {
    let letters = columns.iter().map(|column| column.label.chars().count());
    let letters = letters.max().unwrap_or(0) + 1;
    let every = |room: usize| (columns.len() * letters).div_ceil(room).max(1);
    let wide = round_step(every(room));
    // A multiple, so that one set of labels is part of the other.
    let narrow = wide * round_step(every(LETTERS_NARROW).div_ceil(wide));
    html! {
        div.axis aria-hidden="true" {
            @for (place, column) in columns.iter().enumerate() {
                @if place % narrow == 0 { span { (column.label) } }
                @else if place % wide == 0 { span.fine { (column.label) } }
                @else { span {} }
            }
        }
    }
}

/// Steps by which people count.
fn round_step(least: usize) -> usize {
    let steps = [1, 2, 3, 4, 5, 6, 10, 12];
    steps
        .into_iter()
        .find(|step| *step >= least)
        .unwrap_or(least)
}

fn height(value: u64, top: u64) -> u64 {
    if value == 0 {
        return 0;
    }
    let exact = u128::from(value) * u128::from(HEIGHT) / u128::from(top.max(1));
    u64::try_from(exact).unwrap_or(HEIGHT).max(LEAST)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcomes(columns: Vec<Column>) -> Bars<'static> {
        Bars {
            id: "days",
            title: "Outcomes",
            told: "",
            axis: "Day",
            unit: Unit::Count,
            kinds: &OUTCOMES,
            mark: None,
            half: false,
            columns,
        }
    }

    fn column(label: &str, values: [u64; 3]) -> Column {
        Column {
            label: label.to_owned(),
            name: label.to_owned(),
            values: values.into(),
            mark: 0,
        }
    }

    #[test]
    fn one_failure_among_thousands_is_seen_and_nothing_leaves_the_chart() {
        let bars = outcomes(vec![column("1", [0; 3]), column("2", [1, 9_999, 0])]);
        let drawn = bars.figure().into_string();
        for part in [
            "class=\"failed\" x=\"23\" y=\"988\" width=\"14\" height=\"12\"",
            "class=\"synced\" x=\"23\" y=\"0\" width=\"14\" height=\"988\"",
            "<title>Day 2: failed 1, synced 9,999, ignored 0</title>",
        ] {
            assert!(drawn.contains(part), "{drawn}");
        }
    }

    #[test]
    fn labels_leave_each_other_room() {
        let shown = |count: usize, label: &str| {
            let columns = (0..count)
                .map(|_| column(label, [0; 3]))
                .collect::<Vec<_>>();
            let drawn = labels(&columns, LETTERS_WIDE).into_string();
            let every = drawn.matches("</span>").count();
            let fine = drawn.matches("class=\"fine\"").count();
            (
                every,
                drawn.matches(label).count() - fine,
                drawn.matches(label).count(),
            )
        };
        // Columns, labels on a telephone, labels elsewhere.
        assert_eq!(shown(31, "31"), (31, 11, 31));
        assert_eq!(shown(24, "23"), (24, 12, 24));
        assert_eq!(shown(48, "01:35"), (48, 6, 16));
        assert_eq!(shown(3, "1 KiB"), (3, 3, 3));
    }
}
