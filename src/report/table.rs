//! Tables for terminals; the one place that knows of tabled.

use tabled::Table;
use tabled::builder::Builder;
use tabled::settings::object::Columns;
use tabled::settings::{Alignment, Padding, Style, Width};

/// Everything for people fits a terminal of this width.
pub const WIDTH: usize = 80;

/// Where the cells of a column stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// Text.
    Left,
    /// Numbers.
    Right,
}

/// Columns under their headings; long cells make long lines, so that names stay
/// whole.
#[must_use]
pub fn columns(headings: &[(&str, Side)], rows: &[Vec<String>]) -> String {
    let names = headings.iter().map(|(heading, _)| (*heading).to_owned());
    let sides: Vec<Side> = headings.iter().map(|(_, side)| *side).collect();
    let mut records = vec![names.collect()];
    records.extend_from_slice(rows);
    plain(&sides, &records)
}

/// Rows without headings.
#[must_use]
pub fn plain(sides: &[Side], rows: &[Vec<String>]) -> String {
    let mut table = Builder::from_iter(rows).build();
    table.with(Style::empty()).with(Padding::new(0, 2, 0, 0));
    for (index, side) in sides.iter().enumerate() {
        if *side == Side::Right {
            table.modify(Columns::one(index), Alignment::right());
        }
    }
    trimmed(&table)
}

/// Text folded between words, each line behind `indent` blanks.
#[must_use]
pub fn paragraph(text: &str, indent: usize) -> String {
    let mut table = Table::nohead([[text]]);
    table
        .with(Style::empty())
        .with(Padding::new(indent, 0, 0, 0))
        .with(Width::wrap(WIDTH).keep_words(true));
    trimmed(&table)
}

/// The table without blanks at the ends of lines, each line ended.
fn trimmed(table: &Table) -> String {
    let mut text = String::new();
    for line in table.to_string().lines() {
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}
