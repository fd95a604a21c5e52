//! Events as OMS takes them: `{"object_keys": ["photos%2F001.jpg", …]}`.

use serde::Deserialize;

use super::answer::Refusal;
use super::bounded::Bounded;
use super::routes::Names;
use crate::intake::{NameForm, excerpt, name_of};

#[derive(Deserialize)]
struct Events {
    object_keys: Bounded<String>,
}

/// The names that `body` asks for in this `form`, 1 to `most`. If one of them cannot be
/// requested, none is.
pub(super) fn names(
    body: &[u8],
    form: &NameForm,
    plus_is_space: bool,
    most: usize,
) -> Result<Names, Refusal> {
    let events: Events = serde_json::from_slice(body).map_err(|error| {
        // Its own words repeat what stands there, at any length.
        Refusal::Wrong(format!(
            "the body is not {{\"object_keys\": [\"…\"]}} (line {}, column {}).",
            error.line(),
            error.column()
        ))
    })?;
    let count = events.object_keys.count;
    if count == 0 || count > most {
        return Err(Refusal::Wrong(format!(
            "object_keys has {count} names; send 1 to {most} in one call."
        )));
    }
    let mut names = Names::default();
    for (place, key) in events.object_keys.kept.iter().enumerate() {
        let spaced = plus_is_space.then(|| key.replace('+', " "));
        let raw = spaced.as_deref().unwrap_or(key).as_bytes();
        let name = name_of(raw, form).map_err(|reason| {
            Refusal::Wrong(format!(
                "object_keys[{place}] cannot be requested ({reason}): {}",
                excerpt(key.as_bytes())
            ))
        })?;
        names.lines.extend_from_slice(name.url_encoded().as_bytes());
        names.lines.push(b'\n');
        names.count += 1;
    }
    Ok(names)
}

#[cfg(test)]
mod tests {
    use percent_encoding::percent_decode_str;
    use proptest::prelude::*;

    use super::*;
    use crate::config::ListEncoding;

    fn lines(body: &str, plus_is_space: bool) -> Result<String, String> {
        match names(body.as_bytes(), &ListEncoding::Url.into(), plus_is_space, 3) {
            Ok(names) => {
                let lines = String::from_utf8(names.lines).unwrap();
                assert_eq!(names.count, lines.lines().count() as u64);
                Ok(lines)
            }
            Err(Refusal::Wrong(how)) => Err(how),
            Err(other) => panic!("{other:?}"),
        }
    }

    #[test]
    fn names_are_decoded_and_written_in_the_one_form_of_lists() {
        let body = r#"{"object_keys":["photos%2F001.jpg","a/b c","ü%C3%BC"],"more":1}"#;
        assert_eq!(
            lines(body, false).unwrap(),
            "photos%2F001.jpg\na%2Fb%20c\n%C3%BC%C3%BC\n"
        );
    }

    #[test]
    fn a_plus_is_a_plus_unless_the_task_says_otherwise() {
        let body = r#"{"object_keys":["a+b","a%2Bb"]}"#;
        assert_eq!(lines(body, false).unwrap(), "a%2Bb\na%2Bb\n");
        assert_eq!(lines(body, true).unwrap(), "a%20b\na%2Bb\n");
    }

    #[test]
    fn one_name_that_cannot_be_requested_is_named_and_refuses_all() {
        for (key, said) in [
            (
                "b%zz",
                "object_keys[1] cannot be requested (bad_percent_encoding): b%zz",
            ),
            ("", "object_keys[1] cannot be requested (empty_name): "),
            ("%00", "object_keys[1] cannot be requested (nul): %00"),
            ("%FF", "object_keys[1] cannot be requested (not_utf8): %FF"),
            (
                "a%2F..%2Fb",
                "object_keys[1] cannot be requested (dot_segment): a%2F..%2Fb",
            ),
            (
                "oms/sync_task/x",
                "object_keys[1] cannot be requested (reserved_prefix): oms/sync_task/x",
            ),
        ] {
            let body = format!(r#"{{"object_keys":["good",{key:?}]}}"#);
            assert_eq!(lines(&body, false).unwrap_err(), said);
        }
        let long = format!(r#"{{"object_keys":["{}"]}}"#, "x".repeat(1_025));
        let said = lines(&long, false).unwrap_err();
        assert!(
            said.contains("(too_long): xxx") && said.len() < 200,
            "{said}"
        );
    }

    #[test]
    fn too_few_and_too_many_names_are_refused() {
        for (body, count) in [
            (r#"{"object_keys":[]}"#, 0),
            (r#"{"object_keys":["a","b","c","d"]}"#, 4),
        ] {
            let said = lines(body, false).unwrap_err();
            assert_eq!(
                said,
                format!("object_keys has {count} names; send 1 to 3 in one call.")
            );
        }
    }

    #[test]
    fn what_is_something_else_is_said_to_be_so_and_not_repeated() {
        for body in [
            "",
            "[]",
            "{}",
            r#"{"object_keys":"secret"}"#,
            r#"{"object_keys":[1]}"#,
            "\u{0}",
        ] {
            let said = lines(body, false).unwrap_err();
            assert!(
                said.starts_with("the body is not {\"object_keys\""),
                "{said}"
            );
            assert!(!said.contains("secret"), "{said}");
        }
    }

    proptest! {
        #[test]
        fn whatever_bytes_come_they_are_names_or_refused(body in prop::collection::vec(any::<u8>(), 0..200)) {
            drop(names(&body, &ListEncoding::Url.into(), true, 3));
        }

        #[test]
        fn every_string_is_one_ended_line_that_says_its_name_or_is_refused(
            keys in prop::collection::vec(prop_oneof![any::<String>(), "[a%0-9A-F+/.\n\r]{0,12}"], 1..4),
        ) {
            let body = serde_json::json!({ "object_keys": keys }).to_string();
            if let Ok(lines) = lines(&body, false) {
                let decoded: Vec<String> = lines
                    .split_terminator('\n')
                    .map(|line| percent_decode_str(line).decode_utf8().unwrap().into_owned())
                    .collect();
                let asked: Vec<String> = keys
                    .iter()
                    .map(|key| percent_decode_str(key).decode_utf8().unwrap().into_owned())
                    .collect();
                prop_assert_eq!(decoded, asked);
            }
        }
    }
}
