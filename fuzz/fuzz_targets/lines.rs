//! Any bytes as a list, however the reads of them are cut.
//!
//! The first byte chooses the encoding, the next ones are the lengths of reads.

#![no_main]

use std::io::{self, BufRead, Read};

use libfuzzer_sys::fuzz_target;
use nightferry::config::ListEncoding;
use nightferry::intake::{Line, Lines};
use nightferry::model::ObjectName;

const CUTS: usize = 8;

/// Gives its bytes in pieces of these lengths, in turn.
struct Pieces<'a> {
    bytes: &'a [u8],
    lengths: &'a [u8],
    next: usize,
    left: usize,
}

impl<'a> Pieces<'a> {
    fn new(bytes: &'a [u8], lengths: &'a [u8]) -> Self {
        Self {
            bytes,
            lengths,
            next: 0,
            left: 0,
        }
    }
}

impl Read for Pieces<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.fill_buf()?.read(buffer)?;
        self.consume(count);
        Ok(count)
    }
}

impl BufRead for Pieces<'_> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.left == 0 {
            self.left = usize::from(self.lengths[self.next % self.lengths.len()]) + 1;
            self.next += 1;
        }
        Ok(&self.bytes[..self.left.min(self.bytes.len())])
    }

    fn consume(&mut self, count: usize) {
        self.bytes = &self.bytes[count..];
        self.left -= count;
    }
}

/// All lines, and how many bytes they are with which hash.
fn read<R: BufRead>(mut lines: Lines<R>) -> (Vec<Line>, u64, u64, String) {
    let mut found = Vec::new();
    while let Some(line) = lines.next_line().unwrap() {
        found.push(line);
    }
    found.extend(lines.take_unended());
    assert_eq!(lines.read_bytes(), lines.counted_bytes());
    assert_eq!(lines.read_sha256(), lines.counted_sha256());
    (
        found,
        lines.counted_bytes(),
        lines.counted_lines(),
        lines.counted_sha256(),
    )
}

fuzz_target!(|data: &[u8]| {
    if data.len() < 1 + CUTS {
        return;
    }
    let encoding = if data[0].is_multiple_of(2) {
        ListEncoding::Plain
    } else {
        ListEncoding::Url
    };
    let (lengths, content) = data[1..].split_at(CUTS);
    let whole = read(Lines::new(content, encoding));
    let pieces = read(Lines::new(Pieces::new(content, lengths), encoding));
    assert_eq!(whole, pieces);

    let (found, bytes, number, _) = &whole;
    assert_eq!(*bytes, content.len() as u64);
    assert_eq!(*number, found.len() as u64);
    for line in found {
        match line {
            Line::Blank => {}
            Line::Name(name) => assert!(ObjectName::new(name.as_str()).is_ok()),
            Line::Rejected { excerpt, .. } => {
                assert!(excerpt.chars().count() <= 81);
                assert!(!excerpt.contains(|c: char| c.is_control()));
            }
        }
    }

    // Read up to a line end by one reader, and on by another.
    let cut = usize::from(lengths[0]) * content.len() / 256;
    let cut = content[..cut].iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
    let mut resumed = Lines::new(Pieces::new(content, lengths), encoding);
    let before = read(Lines::new(&content[..cut], encoding)).0;
    assert!(resumed.pass_to(cut as u64).unwrap());
    resumed.continue_after(before.len() as u64);
    let (after, bytes, number, hash) = read(resumed);
    assert_eq!([before, after].concat(), *found);
    assert_eq!((bytes, number, hash), (whole.1, whole.2, whole.3));
});
