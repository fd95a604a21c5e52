//! What a task takes.

use std::time::Duration;

use super::*;
use crate::model::{ObjectFacts, Selection, Timestamp};
use crate::select::{excluded_by_facts, excluded_by_name};

fn with(lines: &str) -> Result<Selection, ConfigError> {
    let text = format!("data_dir = 'd'\n[[task]]\nid = 'photos'\n{lines}\n{SOURCE}{DESTINATION}");
    parse(&text).map(|config| config.tasks[0].selection.clone())
}

#[test]
fn a_task_takes_everything_unless_it_says_otherwise() {
    assert_eq!(with("").unwrap(), Selection::default());
}

#[test]
fn patterns_sizes_and_age_are_read() {
    let selection = with(
        "include = ['/albums/', '*.jpg']\nexclude = ['thumbs/', '!thumbs/keep/']\n\
         min_size = '1KiB'\nmax_size = '5 GB'\nmax_age = '30d'",
    );
    let selection = selection.unwrap();
    let said = |name: &str| excluded_by_name(&selection, name).map(|it| it.to_string());
    assert_eq!(said("albums/a.png"), None);
    assert_eq!(
        said("a.png").as_deref(),
        Some("no pattern of include matches")
    );
    assert_eq!(
        said("thumbs/a.jpg").as_deref(),
        Some("exclude = \"thumbs/\"")
    );
    let limits = (
        selection.min_size_bytes.as_ref().unwrap().value,
        selection.max_size_bytes.as_ref().unwrap().value,
        selection.max_age.as_ref().unwrap().value,
    );
    let days = Duration::from_hours(30 * 24);
    assert_eq!(limits, (1024, 5_000_000_000, days));
    let facts = ObjectFacts {
        etag: crate::model::ETag::new("x"),
        size_bytes: 1023,
        modified_at: Timestamp::from_ms(0),
        md5_hex: None,
        checksums: Vec::new(),
        readiness: crate::model::Readiness::Ready,
    };
    let said = excluded_by_facts(&selection, &facts, Timestamp::from_ms(0)).unwrap();
    assert_eq!(said.to_string(), "min_size = \"1KiB\"");
}

#[test]
fn all_that_is_wrong_is_said_at_once_with_its_line() {
    let said = with(
        "include = ['!a']\nexclude = ['[a', 'ok', '# b', 7]\nmin_size = '2GiB'\n\
         max_size = '1GiB'\nmax_age = 'a month'",
    );
    assert_eq!(
        said.unwrap_err().to_string(),
        "nightferry.toml:4: task \"photos\", include: the pattern \"!a\" stands first and takes back what none before it matched; write one without `!` before it\n\
         nightferry.toml:5: task \"photos\", exclude: the pattern \"[a\" cannot be read: unclosed character class; missing ']'\n\
         nightferry.toml:5: task \"photos\", exclude: the pattern \"# b\" would be a comment; write \\# for a name with a `#`\n\
         nightferry.toml:5: task \"photos\", exclude: has an element that is no string in quotes\n\
         nightferry.toml:7: task \"photos\", max_size: is less than min_size, \"2GiB\", so that nothing would be taken; write more\n\
         nightferry.toml:8: task \"photos\", max_age: \"a month\" is no duration; write one with its unit, such as \"30d\""
    );
    for (lines, why) in [
        ("include = []", "include: has 0 elements; write 1 to 1000"),
        (
            "include = '*.jpg'",
            "include: is of type string; write a list",
        ),
        ("max_age = '0s'", "write \"1s\" to \"36525d\""),
        ("min_size = 'big'", "min_size: \"big\" is no size"),
        ("exclude = ['']", "the pattern \"\" matches no name"),
    ] {
        let said = with(lines).unwrap_err().to_string();
        assert!(said.contains(why), "{said}");
    }
}
