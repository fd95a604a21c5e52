//! JSON that may be shown on a terminal.

use std::io::{self, Write};

use serde_json::ser::Formatter;

use super::text::is_hidden;

/// Compact JSON in which everything is escaped that could steer a terminal;
/// JSON itself asks for that only below U+0020.
pub struct Harmless;

impl Formatter for Harmless {
    fn write_string_fragment<W: ?Sized + Write>(
        &mut self,
        writer: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        for piece in fragment.split_inclusive(is_hidden) {
            match piece.char_indices().next_back() {
                Some((at, hidden)) if is_hidden(hidden) => {
                    write!(writer, "{}\\u{:04x}", &piece[..at], u32::from(hidden))?;
                }
                _ => writer.write_all(piece.as_bytes())?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde::Serialize;
    use serde_json::Serializer;

    use super::*;

    #[test]
    fn what_is_escaped_reads_back_as_it_was() {
        let name = "a\u{9b}31m\u{202e}gpj.\u{7f}\u{1b}[2J \"\\ ü 🛳";
        let mut json = Vec::new();
        let mut serializer = Serializer::with_formatter(&mut json, Harmless);
        name.serialize(&mut serializer).unwrap();
        let json = String::from_utf8(json).unwrap();
        assert_eq!(json, r#""a\u009b31m\u202egpj.\u007f\u001b[2J \"\\ ü 🛳""#);
        assert_eq!(serde_json::from_str::<String>(&json).unwrap(), name);
    }
}
