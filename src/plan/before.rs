//! Names as places in a listing.

/// A string that sorts before `name` with hardly any key between them, to begin a
/// listing after: `name` with its last character made one smaller and with
/// tildes behind, `img/0042~~~~` for `img/0043`. Empty if there is none: a
/// listing from its beginning.
pub(super) fn just_before(name: &str) -> String {
    let mut before = name.to_owned();
    if let Some(smaller) = before.pop().and_then(one_smaller) {
        before.push(smaller);
        before.push_str("~~~~");
    }
    before
}

/// The printable character before this one; `None` if that is not one for a query.
fn one_smaller(last: char) -> Option<char> {
    let smaller = u32::from(last).checked_sub(1).and_then(char::from_u32)?;
    let printable = !smaller.is_control() && !smaller.is_whitespace();
    printable.then_some(smaller)
}

/// Whether every server that lists in byte order lists `name` as it is. Some say
/// that they encode names and do not, which confuses `+`, `%` and spaces; some
/// drop or join slashes; XML cannot hold control characters.
pub(super) fn is_listed_as_it_is(name: &str) -> bool {
    let odd = |c: char| c.is_control() || matches!(c, ' ' | '+' | '%' | '\u{fffe}' | '\u{ffff}');
    !name.contains(odd) && !name.starts_with('/') && !name.ends_with('/') && !name.contains("//")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_place_before_a_name_is_close_to_it() {
        for (name, before) in [
            ("img/0043", "img/0042~~~~"),
            ("a", "`~~~~"),
            ("a/", "a.~~~~"),
            ("a!", "a"),
            ("a\t", "a"),
            ("é", "è~~~~"),
            ("\u{e000}", ""),
            ("a\u{80}", "a"),
        ] {
            assert_eq!(just_before(name), before, "{name:?}");
        }
    }

    #[test]
    fn odd_names_are_not_left_to_a_listing() {
        for name in [
            "a b",
            "a+b",
            "100%",
            "/a",
            "a//b",
            "a/",
            "a\nb",
            "a\u{ffff}",
        ] {
            assert!(!is_listed_as_it_is(name), "{name:?}");
        }
        for name in ["a", "dt=2026-11-22/a_b-c.~1", "ü/é&<>\"'?#[]", "a/b"] {
            assert!(is_listed_as_it_is(name), "{name:?}");
        }
    }

    proptest! {
        #[test]
        fn it_is_before_the_name(name in "\\PC{1,8}|[ -~]{1,8}|[\u{0}-\u{ff}]{1,4}") {
            prop_assert!(just_before(&name).as_bytes() < name.as_bytes());
        }
    }
}
