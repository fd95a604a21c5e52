//! Encoded names: as lists hold them, and as they are written into lists.

#![no_main]

use libfuzzer_sys::fuzz_target;
use nightferry::config::ListEncoding;
use nightferry::intake::{excerpt, name_of};
use nightferry::model::{MAX_NAME_BYTES, ObjectName};
use nightferry::report::text::{is_hidden, visible};
use percent_encoding::percent_decode_str;

fuzz_target!(|data: &[u8]| {
    assert!(!excerpt(data).contains(|c: char| c.is_control()));
    for encoding in [ListEncoding::Plain, ListEncoding::Url] {
        if let Ok(name) = name_of(data, &encoding.into()) {
            written_and_read(&name);
        }
    }
    let Ok(text) = str::from_utf8(data) else {
        return;
    };
    if let Some(name) = ObjectName::from_escaped(text) {
        // TAB and line ends stand for themselves nowhere; all else is written
        // in one way only.
        if !text.contains(['\t', '\n', '\r']) {
            assert_eq!(name.escaped(), text);
        }
        written_and_read(&name);
    }
    assert!(!visible(text).contains(is_hidden));
});

fn written_and_read(name: &ObjectName) {
    assert!(name.as_str().len() <= MAX_NAME_BYTES);
    assert_eq!(ObjectName::new(name.as_str()).as_ref(), Ok(name));
    let escaped = name.escaped();
    assert!(!escaped.contains(['\t', '\n', '\r']));
    assert_eq!(ObjectName::from_escaped(&escaped).as_ref(), Some(name));
    let url = name.url_encoded();
    let safe = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~%".contains(&byte);
    assert!(url.bytes().all(safe));
    let decoded = percent_decode_str(&url).decode_utf8().unwrap();
    assert_eq!(decoded, name.as_str());
    assert_eq!(name_of(url.as_bytes(), &ListEncoding::Url.into()).as_ref(), Ok(name));
}
