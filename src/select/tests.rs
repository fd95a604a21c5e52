use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::model::{ETag, Limit, Pattern, Patterns};

fn patterns(texts: &[&str]) -> Option<Patterns> {
    let patterns = texts.iter().map(|text| Pattern::new(text).unwrap());
    let patterns: Vec<Pattern> = patterns.collect();
    (!patterns.is_empty()).then(|| Patterns::new(patterns).unwrap())
}

fn by_name(include: &[&str], exclude: &[&str]) -> Selection {
    Selection {
        include: patterns(include),
        exclude: patterns(exclude),
        ..Selection::default()
    }
}

fn limit<T>(value: T, text: &str) -> Limit<T> {
    let text = text.to_owned();
    Limit { value, text }
}

fn object(size_bytes: u64, modified_ms: i64) -> ObjectFacts {
    ObjectFacts {
        etag: ETag::new("x"),
        size_bytes,
        modified_at: Timestamp::from_ms(modified_ms),
        md5_hex: None,
        checksums: Vec::new(),
        readiness: crate::model::Readiness::Ready,
    }
}

#[test]
fn the_truth_table_of_names() {
    let excluded = |pattern: &str| Some(Exclusion::Excluded(pattern.to_owned()));
    for (include, exclude, expected) in [
        (&[][..], &[][..], None),
        (&[], &["*.jpg"], excluded("*.jpg")),
        (&["x/"], &["*.jpg"], excluded("*.jpg")),
        (&["y/"], &["*.jpg"], excluded("*.jpg")),
        (&["x/"], &["*.png"], None),
        (&["x/"], &[], None),
        (&["y/"], &["*.png"], Some(Exclusion::NotIncluded)),
        (&["y/"], &[], Some(Exclusion::NotIncluded)),
        (&["y/", "*.jpg"], &[], None),
        (&[], &["*.jpg", "!a.jpg"], None),
    ] {
        let verdict = excluded_by_name(&by_name(include, exclude), "x/a.jpg");
        assert_eq!(verdict, expected, "{include:?} {exclude:?}");
    }
}

#[test]
fn the_truth_table_of_facts() {
    let selection = Selection {
        min_size_bytes: Some(limit(10, "10B")),
        max_size_bytes: Some(limit(20, "20B")),
        max_age: Some(limit(Duration::from_secs(5), "5s")),
        ..Selection::default()
    };
    let small = Some(Exclusion::TooSmall("10B".to_owned()));
    let large = Some(Exclusion::TooLarge("20B".to_owned()));
    let old = Some(Exclusion::TooOld("5s".to_owned()));
    let began = Timestamp::from_ms(100_000);
    for (size_bytes, modified_ms, expected) in [
        (9, 0, &small),
        (9, 100_000, &small),
        (10, 95_000, &None),
        (20, 95_000, &None),
        (21, 100_000, &large),
        (15, 94_999, &old),
        (15, 95_000, &None),
        (15, 200_000, &None),
        (15, i64::MIN, &old),
    ] {
        let verdict = excluded_by_facts(&selection, &object(size_bytes, modified_ms), began);
        assert_eq!(&verdict, expected, "{size_bytes} {modified_ms}");
    }
    assert!(selection.asks_for_facts());
}

#[test]
fn what_leaves_an_object_out_is_said_as_it_stands_in_the_configuration() {
    for (exclusion, said) in [
        (Exclusion::NotIncluded, "no pattern of include matches"),
        (
            Exclusion::Excluded("*.t\"mp".to_owned()),
            "exclude = \"*.t\\\"mp\"",
        ),
        (
            Exclusion::TooSmall("1 KiB".to_owned()),
            "min_size = \"1 KiB\"",
        ),
        (Exclusion::TooLarge("5GB".to_owned()), "max_size = \"5GB\""),
        (Exclusion::TooOld("30d".to_owned()), "max_age = \"30d\""),
    ] {
        assert_eq!(exclusion.to_string(), said);
    }
}

proptest! {
    #[test]
    fn without_rules_everything_is_taken(name in "\\PC{1,9}", size in any::<u64>(), ms in any::<i64>()) {
        let all = Selection::default();
        prop_assert_eq!(excluded_by_name(&all, &name), None);
        prop_assert_eq!(excluded_by_facts(&all, &object(size, ms), Timestamp::from_ms(0)), None);
        prop_assert!(!all.asks_for_facts());
    }

    #[test]
    fn a_name_is_taken_if_one_includes_it_and_none_excludes_it(
        include in prop::collection::vec("[ab*]{1,2}", 0..3),
        exclude in prop::collection::vec("[ab*]{1,2}", 0..3),
        name in "[ab]{1,2}(/[ab]{1,2}){0,2}",
    ) {
        let texts = |texts: &[String]| patterns(&texts.iter().map(String::as_str).collect::<Vec<_>>());
        let (included, excluded) = (texts(&include), texts(&exclude));
        let matches = |patterns: &Option<Patterns>| patterns.as_ref().is_some_and(|it| it.matching(&name).is_some());
        let taken = (included.is_none() || matches(&included)) && !matches(&excluded);
        let selection = Selection { include: included, exclude: excluded, ..Selection::default() };
        prop_assert_eq!(excluded_by_name(&selection, &name).is_none(), taken);
    }

    #[test]
    fn an_object_is_taken_within_all_limits_and_only_there(
        size in 0_u64..6, age_ms in -3_i64..6, min in 0_u64..6, max in 0_u64..6, most_ms in 0_u64..6,
    ) {
        let selection = Selection {
            min_size_bytes: Some(limit(min, "min")),
            max_size_bytes: Some(limit(max, "max")),
            max_age: Some(limit(Duration::from_millis(most_ms), "age")),
            ..Selection::default()
        };
        let taken = size >= min && size <= max && age_ms <= most_ms.cast_signed();
        let verdict = excluded_by_facts(&selection, &object(size, 50 - age_ms), Timestamp::from_ms(50));
        prop_assert_eq!(verdict.is_none(), taken);
    }
}
