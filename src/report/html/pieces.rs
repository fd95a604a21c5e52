//! Names, numbers, times and states, as all that is made of HTML shows them.

use maud::{Markup, html};

use crate::model::{LocalTime, Month, RunState};
use crate::report::text::{is_hidden, size as words_of_size, thousands};

/// A count, its digits in groups.
#[must_use]
pub fn number(count: u64) -> String {
    thousands(count.cast_signed())
}

/// A length in words, with every byte of it behind.
#[must_use]
pub fn size(bytes: u64) -> Markup {
    html! {
        span title={ (number(bytes)) " bytes" } { (words_of_size(bytes.cast_signed())) }
    }
}

/// A time on its zone's clocks, to the second.
#[must_use]
pub fn time(local: LocalTime) -> Markup {
    let exact = local.rfc3339();
    let (day, clock) = exact.split_at(10);
    let shown = format!("{day} {}", clock.get(1..9).unwrap_or(""));
    html! { time datetime=(exact) title=(exact) { (shown) } }
}

/// A name of an object, or whatever else others have chosen: with everything
/// marked that would not show itself, and kept from turning what stands around it.
#[must_use]
pub fn name(name: &str) -> Markup {
    marked(name, Written::AsItIs)
}

/// Words of ours about what others have chosen, in which that is written out
/// already: as [`name`], but a backslash stands as it is.
#[must_use]
pub fn told(words: &str) -> Markup {
    marked(words, Written::Out)
}

/// Words of ours alone: what stands between backticks is code.
#[must_use]
pub fn prose(words: &str) -> Markup {
    html! {
        @for (place, words) in words.split('`').enumerate() {
            @if place % 2 == 1 { code { (words) } } @else { (words) }
        }
    }
}

/// How a text comes here.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Written {
    /// As somebody chose it.
    AsItIs,
    /// With all written out that would not show itself.
    Out,
}

fn marked(text: &str, written: Written) -> Markup {
    html! {
        bdi.name {
            @for piece in pieces(text, written) {
                @if piece.marked { span.mark { (piece.text) } } @else { (piece.text) }
            }
        }
    }
}

struct Piece {
    text: String,
    marked: bool,
}

/// `name` in pieces that show themselves and pieces that are written out, as lists do.
fn pieces(name: &str, written: Written) -> Vec<Piece> {
    let mut pieces: Vec<Piece> = Vec::new();
    let blanks_end = name.trim_end_matches(' ').len();
    let blanks_begin = name.len() - name.trim_start_matches(' ').len();
    for (at, character) in name.char_indices() {
        let written = match character {
            '\\' if written == Written::AsItIs => Some("\\\\".to_owned()),
            '\t' => Some("\\t".to_owned()),
            '\n' => Some("\\n".to_owned()),
            '\r' => Some("\\r".to_owned()),
            ' ' if at >= blanks_end || at < blanks_begin => Some("␣".to_owned()),
            hidden if is_hidden(hidden) => Some(hidden.escape_unicode().to_string()),
            _ => None,
        };
        let marked = written.is_some();
        let text = written.unwrap_or_else(|| character.to_string());
        match pieces.last_mut() {
            Some(last) if last.marked == marked => last.text.push_str(&text),
            _ => pieces.push(Piece { text, marked }),
        }
    }
    pieces
}

/// A month in words.
#[must_use]
pub fn month(month: Month) -> String {
    const NAMES: [&str; 12] = [
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ];
    let text = month.to_string();
    let (year, number) = text.rsplit_once('-').unwrap_or((&text, ""));
    let name = number.parse::<usize>().ok();
    let name = name.and_then(|number| NAMES.get(number.checked_sub(1)?));
    format!("{} {year}", name.unwrap_or(&number))
}

/// How a run stands or ended, as a word in a colour.
#[must_use]
pub fn run_state(state: RunState, reasons: Option<&str>, died: bool) -> Markup {
    let (kind, word) = match (state, reasons) {
        (RunState::Running, _) if died => ("bad", "its process is gone"),
        (RunState::Running, _) => ("busy", "at work"),
        (RunState::Interrupted, _) => ("bad", "interrupted"),
        (RunState::Ended, None) => ("plain", "ended"),
        (RunState::Ended, Some(reasons)) => (
            match reasons {
                "done" => "good",
                "deferred" => "wait",
                _ => "bad",
            },
            reasons,
        ),
    };
    html! { span class={ "state " (kind) } { (word) } }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        name(text).into_string()
    }

    #[test]
    fn no_name_is_markup_and_none_hides_anything() {
        for (text, inside) in [
            ("plain/日本.jpg", "plain/日本.jpg"),
            (
                "<script>alert(1)</script>",
                "&lt;script&gt;alert(1)&lt;/script&gt;",
            ),
            ("\"'&", "&quot;'&amp;"),
            ("a\nb", "a<span class=\"mark\">\\n</span>b"),
            ("a\\nb", "a<span class=\"mark\">\\\\</span>nb"),
            ("x\u{202e}gpj", "x<span class=\"mark\">\\u{202e}</span>gpj"),
            ("\t\r", "<span class=\"mark\">\\t\\r</span>"),
            (
                " a b ",
                "<span class=\"mark\">␣</span>a b<span class=\"mark\">␣</span>",
            ),
        ] {
            assert_eq!(shown(text), format!("<bdi class=\"name\">{inside}</bdi>"));
        }
    }

    #[test]
    fn words_that_are_written_out_already_are_not_written_out_again() {
        for (text, inside) in [
            (
                r#"failed to read "two\nlines\\.jpg""#,
                r"failed to read &quot;two\nlines\\.jpg&quot;",
            ),
            (r"a\u{202e}<b>", r"a\u{202e}&lt;b&gt;"),
            // What was not written out all the same.
            (
                "x\u{202e}y\n",
                "x<span class=\"mark\">\\u{202e}</span>y<span class=\"mark\">\\n</span>",
            ),
        ] {
            let shown = told(text).into_string();
            assert_eq!(shown, format!("<bdi class=\"name\">{inside}</bdi>"));
        }
    }

    #[test]
    fn what_stands_between_backticks_is_code() {
        for (words, shown) in [
            ("plain <b>", "plain &lt;b&gt;"),
            ("a `b` c `d`", "a <code>b</code> c <code>d</code>"),
        ] {
            assert_eq!(prose(words).into_string(), shown);
        }
    }

    #[test]
    fn a_month_has_a_name() {
        assert_eq!(month("2026-10".parse().unwrap()), "October 2026");
    }
}
