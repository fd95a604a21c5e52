//! Lines of a list, one at a time, in little memory however long a line is.

use std::io::{self, BufRead, ErrorKind};

use sha2::{Digest, Sha256};

use super::decode::{NameForm, excerpt, name_of};
use crate::model::{ObjectName, RejectReason};

const BOM: &[u8] = b"\xef\xbb\xbf";

/// What stands in a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Line {
    /// Nothing at all.
    Blank,
    /// An object's name.
    Name(ObjectName),
    /// Something that cannot be a request.
    Rejected {
        /// Why.
        reason: RejectReason,
        /// What it looks like: short and printable.
        excerpt: String,
    },
}

/// Reads lines and hashes what it reads.
///
/// A line ends with LF or CRLF. What follows the last line end is no line until
/// [`take_unended`](Self::take_unended) says so.
#[derive(Debug)]
pub struct Lines<R> {
    content: R,
    form: NameForm,
    /// Of all bytes read, and how many they are.
    hash: Sha256,
    read_bytes: u64,
    /// The hash as it was after the last counted byte, where more is read by now.
    counted_hash: Option<Sha256>,
    counted_bytes: u64,
    /// The number of the last line counted.
    number: u64,
    /// The first bytes of the line being read, and how long it is so far.
    line: Vec<u8>,
    line_bytes: u64,
    /// What the line being read was counted as when it still ended here.
    counted_as: Option<Line>,
}

impl<R: BufRead> Lines<R> {
    /// The lines of `content`, which is at its first byte.
    pub fn new(content: R, form: impl Into<NameForm>) -> Self {
        Self {
            content,
            form: form.into(),
            hash: Sha256::new(),
            read_bytes: 0,
            counted_hash: None,
            counted_bytes: 0,
            number: 0,
            line: Vec::new(),
            line_bytes: 0,
            counted_as: None,
        }
    }

    /// Reads up to the byte at `offset` without taking lines; says whether
    /// there are so many bytes.
    ///
    /// # Errors
    /// What the content says.
    pub fn pass_to(&mut self, offset: u64) -> io::Result<bool> {
        while self.read_bytes < offset {
            let chunk = filled(&mut self.content)?;
            if chunk.is_empty() {
                return Ok(false);
            }
            let wanted = usize::try_from(offset - self.read_bytes).unwrap_or(usize::MAX);
            let chunk = &chunk[..wanted.min(chunk.len())];
            let mut open = chunk;
            if let Some(end) = chunk.iter().rposition(|byte| *byte == b'\n') {
                self.line.clear();
                self.line_bytes = 0;
                open = &chunk[end + 1..];
            }
            keep(&mut self.line, open, &self.form);
            self.line_bytes += open.len() as u64;
            self.hash.update(chunk);
            self.read_bytes += chunk.len() as u64;
            let length = chunk.len();
            self.content.consume(length);
        }
        Ok(true)
    }

    /// Reads on in `content`, which begins with the byte after the last one read.
    pub fn go_on_in(&mut self, content: R) {
        self.content = content;
    }

    /// Takes all that was passed as counted, `lines` lines of it. If the last
    /// of them was not ended there, the line is taken again only if it has
    /// become another name by its end.
    pub fn continue_after(&mut self, lines: u64) {
        self.counted_bytes = self.read_bytes;
        self.number = lines;
        if self.line_bytes > 0 {
            self.counted_as = Some(self.read_line(false));
        }
    }

    /// The next line that is ended; `None` at the end of the content.
    ///
    /// # Errors
    /// What the content says.
    pub fn next_line(&mut self) -> io::Result<Option<Line>> {
        while self.reach_line_end()? {
            if let Some(line) = self.count_line(true) {
                return Ok(Some(line));
            }
        }
        Ok(None)
    }

    /// Whether something follows the last line end that is not counted.
    #[must_use]
    pub const fn has_unended(&self) -> bool {
        self.read_bytes > self.counted_bytes
    }

    /// Counts what follows the last line end as a line.
    pub fn take_unended(&mut self) -> Option<Line> {
        if self.has_unended() {
            self.count_line(false)
        } else {
            None
        }
    }

    /// SHA-256 of all bytes read or passed, in lower-case hexadecimal.
    #[must_use]
    pub fn read_sha256(&self) -> String {
        hexadecimal(&self.hash)
    }

    /// How many bytes were read or passed.
    #[must_use]
    pub const fn read_bytes(&self) -> u64 {
        self.read_bytes
    }

    /// SHA-256 of the bytes up to the end of the last line taken, in lower-case hexadecimal.
    #[must_use]
    pub fn counted_sha256(&self) -> String {
        hexadecimal(self.counted_hash.as_ref().unwrap_or(&self.hash))
    }

    /// How many bytes these are.
    #[must_use]
    pub const fn counted_bytes(&self) -> u64 {
        self.counted_bytes
    }

    /// How many lines these are, blank ones included: the number of the last line taken.
    #[must_use]
    pub const fn counted_lines(&self) -> u64 {
        self.number
    }

    /// Reads on to a line end; `false` if there is none.
    fn reach_line_end(&mut self) -> io::Result<bool> {
        loop {
            let chunk = filled(&mut self.content)?;
            if chunk.is_empty() {
                return Ok(false);
            }
            let end = chunk.iter().position(|byte| *byte == b'\n');
            if end.is_none() && self.counted_hash.is_none() {
                self.counted_hash = Some(self.hash.clone());
            }
            let piece = end.map_or(chunk, |end| &chunk[..=end]);
            keep(&mut self.line, piece, &self.form);
            self.line_bytes += piece.len() as u64;
            self.hash.update(piece);
            self.read_bytes += piece.len() as u64;
            let length = piece.len();
            self.content.consume(length);
            if end.is_some() {
                return Ok(true);
            }
        }
    }

    /// Counts the line being read; `None` if it was counted as the same before.
    fn count_line(&mut self, ended: bool) -> Option<Line> {
        let line = self.read_line(ended);
        self.line.clear();
        self.line_bytes = 0;
        self.counted_hash = None;
        self.counted_bytes = self.read_bytes;
        let Some(before) = self.counted_as.take() else {
            self.number += 1;
            return Some(line);
        };
        let both_rejected = matches!(
            (&before, &line),
            (Line::Rejected { .. }, Line::Rejected { .. })
        );
        (before != line && !both_rejected).then_some(line)
    }

    fn read_line(&self, ended: bool) -> Line {
        let mut raw = self.line.as_slice();
        if self.line_bytes == self.read_bytes {
            raw = raw.strip_prefix(BOM).unwrap_or(raw);
        }
        if self.line_bytes > self.line.len() as u64 {
            return rejected(RejectReason::TooLong, raw);
        }
        if ended {
            raw = raw.strip_suffix(b"\n").unwrap_or(raw);
            raw = raw.strip_suffix(b"\r").unwrap_or(raw);
        }
        if raw.is_empty() {
            return Line::Blank;
        }
        match name_of(raw, &self.form) {
            Ok(name) => Line::Name(name),
            Err(reason) => rejected(reason, raw),
        }
    }
}

fn rejected(reason: RejectReason, raw: &[u8]) -> Line {
    let excerpt = excerpt(raw);
    Line::Rejected { reason, excerpt }
}

/// Adds `piece` to `line`, but no more than the longest name with all that may stand around it.
fn keep(line: &mut Vec<u8>, piece: &[u8], form: &NameForm) {
    let most = BOM.len() + form.longest_name() + b"\r\n".len();
    let room = most.saturating_sub(line.len());
    line.extend_from_slice(&piece[..piece.len().min(room)]);
}

fn filled(content: &mut impl BufRead) -> io::Result<&[u8]> {
    // Asked twice because the borrow checker does not let a loop return the first answer.
    loop {
        match content.fill_buf() {
            Ok(_) => break,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    content.fill_buf()
}

/// SHA-256 of what `hash` has taken in, in lower-case hexadecimal.
fn hexadecimal(hash: &Sha256) -> String {
    base16ct::lower::encode_string(&hash.clone().finalize())
}
