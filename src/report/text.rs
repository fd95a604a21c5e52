//! Names, numbers and times as people read them.

use std::fmt::Write;

use bytesize::ByteSize;

use crate::model::{LocalTime, Tuning};

/// `text` with everything escaped that could move the cursor, end a line, turn the
/// direction of writing, or be taken for a margin: what a terminal shows is what is
/// there.
#[must_use]
pub fn visible(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let inner = text.trim_start_matches(' ');
    let before = text.len() - inner.len();
    let behind = inner.len() - inner.trim_end_matches(' ').len();
    shown.extend(std::iter::repeat_n('␣', before));
    for character in inner[..inner.len() - behind].chars() {
        match character {
            '\\' => shown.push_str("\\\\"),
            '\t' => shown.push_str("\\t"),
            '\n' => shown.push_str("\\n"),
            '\r' => shown.push_str("\\r"),
            hidden if is_hidden(hidden) => {
                // Writing to a String cannot fail.
                let _ = write!(shown, "{}", hidden.escape_unicode());
            }
            plain => shown.push(plain),
        }
    }
    shown.extend(std::iter::repeat_n('␣', behind));
    shown
}

/// Words of ours about what others have chosen, in which that is written out
/// already, on one line.
#[must_use]
pub fn told(words: &str) -> String {
    harmless(words).replace('\n', "\\n")
}

/// As [`visible`], but for text of several lines, in which backslashes stand for
/// themselves: what is for people, and may quote what they do not control.
#[must_use]
pub fn harmless(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        if character != '\n' && is_hidden(character) {
            // Writing to a String cannot fail.
            let _ = write!(shown, "{}", character.escape_unicode());
        } else {
            shown.push(character);
        }
    }
    shown
}

/// Whether a terminal would not just show it: control characters, line
/// separators, marks without width or that turn the direction of writing.
#[must_use]
pub const fn is_hidden(character: char) -> bool {
    matches!(character,
        '\0'..='\u{1f}' | '\u{7f}'..='\u{9f}' | '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}'
        | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

/// `1,234,567`.
#[must_use]
pub fn thousands(number: i64) -> String {
    let digits = number.unsigned_abs().to_string();
    let mut grouped = String::with_capacity(digits.len() * 4 / 3 + 1);
    if number < 0 {
        grouped.push('-');
    }
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// `1 list`, `2,000 lists`; for words that take an s.
#[must_use]
pub fn counted(number: u64, word: &str) -> String {
    let s = if number == 1 { "" } else { "s" };
    format!("{} {word}{s}", thousands(number.cast_signed()))
}

/// `1.5 GiB`.
#[must_use]
pub fn size(bytes: i64) -> String {
    let bytes = ByteSize::b(u64::try_from(bytes).unwrap_or(0));
    bytes.display().iec().to_string()
}

/// `05:30`: what clocks show then.
#[must_use]
pub fn clock_time(local: LocalTime) -> String {
    local.rfc3339().chars().skip(11).take(5).collect()
}

/// How a setting of a run stands: `16`, `50 MB/s`, `05:30`, or `none`.
#[must_use]
pub fn tuned(tuning: Tuning) -> String {
    match tuning {
        Tuning::Workers(workers) => workers.to_string(),
        Tuning::Bandwidth(Some(cap)) => format!("{}/s", ByteSize::b(cap).display().si()),
        Tuning::Until(Some(until)) => clock_time(until),
        Tuning::Bandwidth(None) | Tuning::Until(None) => "none".to_owned(),
    }
}

/// `3 days`: a length of time in its largest unit, rounded down.
#[must_use]
pub fn age(ms: i64) -> String {
    let seconds = ms.max(0) / 1000;
    let units = [
        (86_400, "day"),
        (3600, "hour"),
        (60, "minute"),
        (1, "second"),
    ];
    let (length, unit) = units
        .into_iter()
        .find(|(length, _)| seconds >= *length)
        .unwrap_or((1, "second"));
    counted((seconds / length).unsigned_abs(), unit)
}

/// `2 h 05 min`: a length of time in its two largest units, rounded.
#[must_use]
pub fn length(ms: u64) -> String {
    let seconds = ms.saturating_add(500) / 1000;
    let minutes = seconds.saturating_add(30) / 60;
    if seconds < 60 {
        format!("{seconds} s")
    } else if minutes < 60 {
        format!("{minutes} min")
    } else if minutes < 48 * 60 {
        format!("{} h {:02} min", minutes / 60, minutes % 60)
    } else {
        counted(minutes.saturating_add(12 * 60) / (24 * 60), "day")
    }
}

/// `1 h 05 min`, `4 min 10 s`, `12.3 s`, `350 ms`: a length of time in its two largest
/// units, rounded down.
#[must_use]
pub fn duration(ms: u64) -> String {
    let seconds = ms / 1000;
    match seconds {
        0 => format!("{ms} ms"),
        1..60 => format!("{seconds}.{} s", ms % 1000 / 100),
        60..3600 => format!("{} min {:02} s", seconds / 60, seconds % 60),
        _ => format!(
            "{} h {:02} min",
            thousands((seconds / 3600).cast_signed()),
            seconds / 60 % 60
        ),
    }
}

/// `text` as a cell that no spreadsheet takes for a formula.
#[must_use]
pub fn spreadsheet_safe(text: &str) -> String {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']) {
        format!("'{text}")
    } else {
        text.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_name_can_forge_a_line_or_steer_a_terminal() {
        let cases = [
            ("plain ünïcödé/日本.jpg", "plain ünïcödé/日本.jpg"),
            ("a\nphotos  forged", "a\\nphotos  forged"),
            ("\u{1b}[2Jgone\u{7}", "\\u{1b}[2Jgone\\u{7}"),
            ("\u{9b}31m\u{7f}", "\\u{9b}31m\\u{7f}"),
            ("gpj.\u{202e}exe\u{2066}", "gpj.\\u{202e}exe\\u{2066}"),
            ("back\\slash\t\r", "back\\\\slash\\t\\r"),
            ("e\u{301}", "e\u{301}"),
            ("  two a b ", "␣␣two a b␣"),
            ("  ", "␣␣"),
        ];
        for (name, shown) in cases {
            assert_eq!(visible(name), shown);
        }
    }

    #[test]
    fn lines_for_people_keep_their_ends_and_steer_no_terminal() {
        let text = "one\\two\n\u{1b}[2J\r\tthree\u{202e}";
        let shown = "one\\two\n\\u{1b}[2J\\u{d}\\u{9}three\\u{202e}";
        assert_eq!(harmless(text), shown);
    }

    #[test]
    fn what_is_written_out_already_is_not_written_out_twice() {
        assert_eq!(
            told("esc\\u{1b} \u{1b}[2J\nforged"),
            "esc\\u{1b} \\u{1b}[2J\\nforged"
        );
    }

    #[test]
    fn numbers_and_ages_are_readable() {
        assert_eq!(thousands(0), "0");
        assert_eq!(thousands(999), "999");
        assert_eq!(thousands(1000), "1,000");
        assert_eq!(thousands(-1_234_567), "-1,234,567");
        assert_eq!(size(0), "0 B");
        assert_eq!(size(3 << 29), "1.5 GiB");
        assert_eq!(counted(1, "list"), "1 list");
        assert_eq!(counted(2_000, "list"), "2,000 lists");
        assert_eq!(age(400), "0 seconds");
        assert_eq!(age(61_000), "1 minute");
        assert_eq!(age(3 * 86_400_000 + 5), "3 days");
        assert_eq!(length(1_499), "1 s");
        assert_eq!(length(89_000), "1 min");
        assert_eq!(length(7_500_000), "2 h 05 min");
        assert_eq!(length(60 * 3_600_000), "3 days");
        assert_eq!(length(u64::MAX), "213,503,982,335 days");
        assert_eq!(duration(0), "0 ms");
        assert_eq!(duration(999), "999 ms");
        assert_eq!(duration(12_399), "12.3 s");
        assert_eq!(duration(250_000), "4 min 10 s");
        assert_eq!(duration(3_900_000), "1 h 05 min");
        assert_eq!(duration(100 * 3_600_000), "100 h 00 min");
    }

    #[test]
    fn a_cell_never_begins_a_formula() {
        for formula in ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1"] {
            assert_eq!(spreadsheet_safe(formula), format!("'{formula}"));
        }
        assert_eq!(spreadsheet_safe("photos=1"), "photos=1");
    }
}
