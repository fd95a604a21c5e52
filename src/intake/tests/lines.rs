//! The reader of lines.

use std::io::{BufReader, Cursor};

use proptest::prelude::*;

use super::*;
use crate::model::{MAX_NAME_BYTES, ObjectName, RejectReason};

/// All lines, read through a buffer of `buffer` bytes; the unended one too.
fn lines_of(content: &[u8], encoding: ListEncoding, buffer: usize) -> Vec<Line> {
    let mut lines = Lines::new(BufReader::with_capacity(buffer, content), encoding);
    let mut found = Vec::new();
    while let Some(line) = lines.next_line().unwrap() {
        found.push(line);
    }
    found.extend(lines.take_unended());
    assert_eq!(lines.counted_bytes(), content.len() as u64);
    assert_eq!(lines.counted_lines(), found.len() as u64);
    found
}

fn plain(content: &[u8]) -> Vec<Line> {
    lines_of(content, ListEncoding::Plain, 7)
}

fn name(name: &str) -> Line {
    Line::Name(ObjectName::new(name).unwrap())
}

fn reasons(content: &[u8], encoding: ListEncoding) -> Vec<Option<RejectReason>> {
    let reason = |line| match line {
        Line::Rejected { reason, .. } => Some(reason),
        Line::Blank | Line::Name(_) => None,
    };
    lines_of(content, encoding, 8_192)
        .into_iter()
        .map(reason)
        .collect()
}

#[test]
fn lines_end_with_lf_or_crlf_and_only_an_empty_one_is_blank() {
    assert_eq!(
        plain(b"a\r\nb\n\n\r\n \nc\r\rd\r\n\r\r\ne"),
        [
            name("a"),
            name("b"),
            Line::Blank,
            Line::Blank,
            name(" "),
            name("c\r\rd"),
            name("\r"),
            name("e")
        ]
    );
}

#[test]
fn a_byte_order_mark_is_dropped_at_the_start_of_the_file_only() {
    assert_eq!(
        plain(b"\xef\xbb\xbfa\n\xef\xbb\xbfb\n"),
        [name("a"), name("\u{feff}b")]
    );
    assert_eq!(plain(b"\xef\xbb\xbf\n"), [Line::Blank]);
    assert_eq!(plain(b"\xef\xbb\xbf"), [Line::Blank]);
    assert_eq!(plain(b""), []);
}

#[test]
fn a_name_may_have_1024_bytes_and_no_more_however_it_is_encoded() {
    let name = "ü".repeat(512);
    let url = ObjectName::new(&name).unwrap().url_encoded();
    for end in ["", "\n", "\r\n"] {
        for bom in ["", "\u{feff}"] {
            let fits = format!("{bom}{name}{end}");
            assert_eq!(reasons(fits.as_bytes(), ListEncoding::Plain), [None]);
            let over = format!("{bom}{name}x{end}");
            assert_eq!(
                reasons(over.as_bytes(), ListEncoding::Plain),
                [Some(RejectReason::TooLong)]
            );
            let fits = format!("{bom}{url}{end}");
            assert_eq!(reasons(fits.as_bytes(), ListEncoding::Url), [None]);
            for more in ["x", "%41"] {
                let over = format!("{bom}{url}{more}{end}");
                assert_eq!(
                    reasons(over.as_bytes(), ListEncoding::Url),
                    [Some(RejectReason::TooLong)]
                );
            }
        }
    }
}

#[test]
fn url_encoded_names_are_decoded_and_a_plus_stays_a_plus() {
    let lines = lines_of(
        b"a%20b+%2B%c3%bc\n%2\n%zz\n%\n%+1\n%ff\n%00\n%2e%2E/x\n%0A\n",
        ListEncoding::Url,
        64,
    );
    assert_eq!(lines[0], name("a b++ü"));
    assert_eq!(lines[8], name("\n"));
    assert_eq!(
        reasons(b"%2\n%zz\n%\n%+1\n%ff\n%00\n%2e%2E/x\n", ListEncoding::Url),
        [
            Some(RejectReason::BadPercentEncoding),
            Some(RejectReason::BadPercentEncoding),
            Some(RejectReason::BadPercentEncoding),
            Some(RejectReason::BadPercentEncoding),
            Some(RejectReason::NotUtf8),
            Some(RejectReason::Nul),
            Some(RejectReason::DotSegment)
        ]
    );
    assert_eq!(plain(b"a%20b%\n"), [name("a%20b%")]);
}

#[test]
fn a_line_of_megabytes_is_skipped_in_little_memory_but_hashed() {
    let megabytes = 8 << 20;
    let content = io::repeat(b'x')
        .take(megabytes)
        .chain(Cursor::new(b"\nb\n"));
    let mut lines = Lines::new(BufReader::new(content), ListEncoding::Url);
    let Some(Line::Rejected { reason, excerpt }) = lines.next_line().unwrap() else {
        panic!("not rejected")
    };
    assert_eq!(
        (reason, excerpt),
        (RejectReason::TooLong, format!("{}…", "x".repeat(80)))
    );
    assert_eq!(lines.next_line().unwrap(), Some(name("b")));
    assert_eq!(lines.counted_bytes(), megabytes + 3);
    let mut whole = vec![b'x'; usize::try_from(megabytes).unwrap()];
    whole.extend(b"\nb\n");
    assert_eq!(lines.counted_sha256(), sha256(&whole));
    assert!(format!("{lines:?}").len() < 100_000, "the line is kept");
}

#[test]
fn an_unended_piece_is_neither_counted_nor_hashed_until_it_is_taken() {
    let mut lines = Lines::new(
        BufReader::with_capacity(3, &b"ab\ncdefghi"[..]),
        ListEncoding::Plain,
    );
    assert_eq!(lines.next_line().unwrap(), Some(name("ab")));
    assert_eq!(lines.next_line().unwrap(), None);
    assert!(lines.has_unended());
    assert_eq!(lines.counted_sha256(), sha256(b"ab\n"));
    assert_eq!((lines.counted_bytes(), lines.counted_lines()), (3, 1));
    assert_eq!(lines.take_unended(), Some(name("cdefghi")));
    assert_eq!(lines.counted_sha256(), sha256(b"ab\ncdefghi"));
    assert_eq!((lines.counted_bytes(), lines.counted_lines()), (10, 2));
    assert_eq!(lines.take_unended(), None);
}

#[test]
fn excerpts_are_short_and_printable() {
    assert_eq!(
        excerpt(b"a\xffb\x1b[31m\0\t'\"\\ \xe2\x80\xae\xc3"),
        "a\\xffb\\u{1b}[31m\\0\\t'\"\\ \\u{202e}\\xc3"
    );
    assert_eq!(excerpt("ü".repeat(80).as_bytes()), "ü".repeat(80));
    assert_eq!(
        excerpt("ü".repeat(81).as_bytes()),
        format!("{}…", "ü".repeat(80))
    );
}

fn sha256(bytes: &[u8]) -> String {
    use sha2::Digest;
    base16ct::lower::encode_string(&sha2::Sha256::digest(bytes))
}

/// Bytes in which line ends, percent signs and the like are frequent.
fn any_content() -> impl Strategy<Value = Vec<u8>> {
    let special = prop::sample::select(b"\n\r%/.\0\xff\xef\xbb\xbfaB2".to_vec());
    prop::collection::vec(prop_oneof![3 => special, 1 => any::<u8>()], 0..400)
}

proptest! {
    #[test]
    fn any_bytes_are_read_line_by_line(content in any_content(), buffer in 1_usize..50, url: bool) {
        let encoding = if url { ListEncoding::Url } else { ListEncoding::Plain };
        let lines = lines_of(&content, encoding, buffer);
        let mut expected = content.split(|byte| *byte == b'\n').count();
        if content.is_empty() || content.ends_with(b"\n") {
            expected -= 1;
        }
        prop_assert_eq!(lines.len(), expected);
        prop_assert_eq!(&lines, &lines_of(&content, encoding, 8_192));
    }

    #[test]
    fn wherever_reading_stops_it_goes_on_with_the_same_lines(
        content in any_content(),
        cut in any::<prop::sample::Index>(),
    ) {
        // Cut behind a line end, as an intake does that meets an unended line.
        let cut = content[..cut.index(content.len() + 1)].iter().rposition(|b| *b == b'\n').map_or(0, |end| end + 1);
        let mut before = Lines::new(&content[..cut], ListEncoding::Plain);
        let mut found = Vec::new();
        while let Some(line) = before.next_line().unwrap() {
            found.push(line);
        }
        let mut after = Lines::new(&content[..], ListEncoding::Plain);
        prop_assert!(after.pass_to(before.counted_bytes()).unwrap());
        prop_assert_eq!(after.read_sha256(), before.counted_sha256());
        after.continue_after(before.counted_lines());
        while let Some(line) = after.next_line().unwrap() {
            found.push(line);
        }
        found.extend(after.take_unended());
        prop_assert_eq!(found, plain(&content));
        prop_assert_eq!(after.counted_sha256(), sha256(&content));
    }

    #[test]
    fn every_name_reads_back_from_its_url_encoded_form(text in "\\PC{1,60}|[\\x01-\\x7f]{1,60}") {
        if let Ok(name) = ObjectName::new(&text) {
            let content = format!("{}\n", name.url_encoded());
            prop_assert!(content.len() <= 3 * MAX_NAME_BYTES + 1);
            prop_assert_eq!(lines_of(content.as_bytes(), ListEncoding::Url, 16), [Line::Name(name)]);
        }
    }
}
