//! Tables and paragraphs for terminals; the one place that knows of tabled.

use tabled::Table;
use tabled::builder::Builder;
use tabled::settings::object::Columns;
use tabled::settings::{Alignment, Padding, Style};
use textwrap::{Options, WordSeparator, WordSplitter, WrapAlgorithm};

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

/// Text folded between words, each line behind `indent` blanks; a word stays whole
/// even if it is longer than a line.
#[must_use]
pub fn paragraph(text: &str, indent: usize) -> String {
    let indent = " ".repeat(indent);
    let options = Options::new(WIDTH)
        .initial_indent(&indent)
        .subsequent_indent(&indent)
        .break_words(false)
        .word_separator(WordSeparator::AsciiSpace)
        .word_splitter(WordSplitter::NoHyphenation)
        .wrap_algorithm(WrapAlgorithm::FirstFit);
    textwrap::fill(text, options) + "\n"
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folded_line_begins_behind_its_indent_even_if_the_one_before_is_full() {
        let full = "x".repeat(WIDTH - 2);
        let text = format!("{full} two words");
        assert_eq!(paragraph(&text, 2), format!("  {full}\n  two words\n"));
        let words = format!("one {} {}", "y".repeat(WIDTH - 6), "z".repeat(WIDTH - 2));
        for line in paragraph(&words, 2).lines() {
            assert!(line.len() <= WIDTH && line.starts_with("  ") && !line.starts_with("   "));
        }
    }

    #[test]
    fn no_word_is_lost_or_cut_by_folding() {
        let text = "Nothing answers at the endpoint: check its address, DNS, firewall and proxy, \
                    and whether it speaks TLS at all, which shows in the first bytes of an answer.";
        for indent in 0..20 {
            let folded = paragraph(text, indent);
            let words: Vec<&str> = folded.split_whitespace().collect();
            assert_eq!(words.join(" "), text);
            assert!(folded.lines().all(|line| line.len() <= WIDTH));
        }
        let name = "n".repeat(2 * WIDTH);
        assert_eq!(
            paragraph(&format!("of {name}"), 2),
            format!("  of\n  {name}\n")
        );
    }
}
