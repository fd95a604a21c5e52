//! Percent-encoding as it is used in S3's paths, queries, signatures and listings.

/// Replaces every `%XX` by the byte it stands for; anything else stays as it is.
pub(super) fn decode(text: &str) -> Vec<u8> {
    let bytes = text.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let escaped = (bytes[at] == b'%')
            .then(|| text.get(at + 1..at + 3))
            .flatten()
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        decoded.push(escaped.unwrap_or(bytes[at]));
        at += if escaped.is_some() { 3 } else { 1 };
    }
    decoded
}

/// Encodes a path or a value as Signature Version 4 prescribes.
pub(super) fn encode_for_signature(bytes: &[u8], keep_slash: bool) -> String {
    encode(bytes, |byte| {
        byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) || (keep_slash && byte == b'/')
    })
}

/// Encodes a key as listings with `encoding-type=url` do: as in an HTML form, but `/` is kept.
pub(super) fn encode_for_listing(key: &str) -> String {
    encode(key.as_bytes(), |byte| {
        byte.is_ascii_alphanumeric() || b"-._*/ ".contains(&byte)
    })
    .replace(' ', "+")
}

fn encode(bytes: &[u8], keep: impl Fn(u8) -> bool) -> String {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    let mut encoded = String::with_capacity(bytes.len());
    for &byte in bytes {
        if keep(byte) {
            encoded.push(byte.into());
        } else {
            encoded.push('%');
            encoded.push(DIGITS[usize::from(byte >> 4)].into());
            encoded.push(DIGITS[usize::from(byte & 15)].into());
        }
    }
    encoded
}
