//! What a task takes of what it is asked for, through whole nights.

use std::time::{Duration, SystemTime};

use super::{Harbour, hours_ago};
use crate::s3_server::{Fault, NewObject};

fn of_size(bytes: usize) -> NewObject {
    NewObject {
        last_modified: Some(hours_ago(1)),
        ..NewObject::from("x".repeat(bytes).as_str())
    }
}

fn of_age(hours: u64) -> NewObject {
    NewObject {
        last_modified: Some(hours_ago(hours)),
        ..NewObject::from("xx")
    }
}

/// Each request with the rule that left it out.
fn left_out(harbour: &Harbour) -> Vec<String> {
    harbour.rows("SELECT name, rule FROM excluded_requests ORDER BY request")
}

/// The names about whose objects the server was asked.
fn asked(harbour: &Harbour) -> Vec<String> {
    let mut keys: Vec<String> = harbour
        .server
        .requests()
        .into_iter()
        .map(|request| request.key)
        .filter(|key| !key.is_empty() && !key.starts_with("oms/"))
        .collect();
    keys.sort();
    keys.dedup();
    keys
}

#[test]
fn patterns_settle_names_without_a_request_and_the_books_balance() {
    let harbour = Harbour::with("", "include = [\"*.jpg\"]\nexclude = [\"thumbs/\"]");
    for name in ["a.jpg", "thumbs/a.jpg", "b.png"] {
        harbour.put(name, "1");
    }
    harbour.list("one.txt", "a.jpg\nthumbs/a.jpg\nb.png\ngone.png\nb.png\n");
    let end = harbour.night();
    assert_eq!(end.code, 0, "{end:?}");
    assert_eq!(harbour.runs(), ["5|1|0|4|0|0"]);
    assert_eq!(
        harbour.requests(),
        [
            "a.jpg|synced|",
            "thumbs/a.jpg|ignored|excluded",
            "b.png|ignored|excluded",
            "gone.png|ignored|excluded",
            "b.png|ignored|duplicate",
        ]
    );
    assert_eq!(
        left_out(&harbour),
        [
            "thumbs/a.jpg|exclude = \"thumbs/\"",
            "b.png|no pattern of include matches",
            "gone.png|no pattern of include matches",
        ]
    );
    assert_eq!(harbour.copies(), ["a.jpg"]);
    // The first listed object and the canary try both ends out.
    assert_eq!(asked(&harbour), ["a.jpg"]);
    assert_eq!(
        harbour.rows("SELECT requested, synced, ignored, balanced FROM books"),
        ["5|1|4|1"]
    );
    let skipped = harbour.list_of(1, "skip");
    let names: Vec<&str> = skipped
        .iter()
        .map(|line| line.split('\t').nth(1).unwrap())
        .collect();
    assert_eq!(names.len(), 4, "{skipped:?}");
    for name in ["thumbs/a.jpg", "b.png", "gone.png"] {
        assert!(names.contains(&name), "{skipped:?}");
    }
    let why = harbour.run(&["why", "--task", "photos", "thumbs/a.jpg"]);
    assert!(
        why.stdout.contains(
            "    ignored (excluded): the task does not take it: its patterns, sizes or age leave it out\n"
        ),
        "{}",
        why.stdout
    );
    assert!(
        why.stdout
            .contains("\n    left out by  exclude = \"thumbs/\"\n"),
        "{}",
        why.stdout
    );
}

#[test]
fn a_night_in_which_every_name_is_excluded_asks_nothing_and_ends_well() {
    let harbour = Harbour::with("", "exclude = [\"*\"]");
    let names: Vec<String> = (0..2_500).map(|number| format!("{number:04}\n")).collect();
    harbour.list("many.txt", names.concat());
    let end = harbour.night();
    assert_eq!(end.code, 0, "{end:?}");
    assert_eq!(harbour.runs(), ["2500|0|0|2500|0|0"]);
    assert!(asked(&harbour).is_empty());
}

#[test]
fn sizes_and_age_are_those_at_the_source() {
    let harbour = Harbour::with("", "min_size = \"2B\"\nmax_size = \"3B\"\nmax_age = \"2h\"");
    let put = |name: &str, object: NewObject| harbour.server.put("src", name, object);
    put("1 small", of_size(1));
    put("2 least", of_size(2));
    put("3 most", of_size(3));
    put("4 large", of_size(4));
    put("5 old", of_age(3));
    put(
        "6 tomorrow",
        NewObject {
            last_modified: Some(SystemTime::now() + Duration::from_hours(24)),
            ..NewObject::from("xx")
        },
    );
    // What the destination has does not matter.
    harbour.server.put("dst", "5 old", of_size(2));
    harbour.list(
        "one.txt",
        "1 small\n2 least\n3 most\n4 large\n5 old\n6 tomorrow\n7 gone\n",
    );
    let end = harbour.night();
    assert_eq!(end.code, 4, "{end:?}");
    assert_eq!(harbour.runs(), ["7|3|1|3|0|4"]);
    assert_eq!(
        left_out(&harbour),
        [
            "1 small|min_size = \"2B\"",
            "4 large|max_size = \"3B\"",
            "5 old|max_age = \"2h\"",
        ]
    );
    assert_eq!(
        harbour.rows("SELECT name, reason FROM failed_requests JOIN requests USING (name)"),
        ["7 gone|source_missing"]
    );
    // Nothing was read of what was left out.
    let read: Vec<String> = harbour
        .server
        .requests()
        .into_iter()
        .filter(|request| request.method == "GET" && !request.key.is_empty())
        .map(|request| request.key)
        .collect();
    // The first of the bucket is what the source is tried out with.
    for name in ["4 large", "5 old"] {
        assert!(!read.iter().any(|key| key == name), "{read:?}");
    }
}

#[test]
fn sizes_of_many_names_are_known_from_the_listing() {
    let harbour = Harbour::with("", "min_size = \"2B\"");
    let mut list = String::new();
    for number in 0..200 {
        let name = format!("n{number:03}");
        harbour.server.put("src", &name, of_size(1 + number % 2));
        list += &name;
        list.push('\n');
    }
    harbour.list("many.txt", list);
    harbour.server.clear_requests();
    assert_eq!(harbour.night().code, 0);
    assert_eq!(harbour.runs(), ["200|100|0|100|0|0"]);
    let small = |key: &str| {
        key.strip_prefix('n')
            .is_some_and(|it| it.parse::<u32>().unwrap() % 2 == 0)
    };
    let mut asked = asked(&harbour);
    asked.retain(|key| small(key));
    // The first of the bucket is what the source is tried out with.
    assert!(asked.is_empty() || asked == ["n000"], "{asked:?}");
}

#[test]
fn what_was_excluded_is_taken_when_it_is_asked_for_again_under_other_patterns() {
    let harbour = Harbour::with("", "exclude = [\"*.raw\"]");
    harbour.put("a.raw", "1");
    harbour.list("one.txt", "a.raw\n");
    assert_eq!(harbour.night().code, 0);
    // Final: a night does not take it up by itself.
    let other = harbour.task("photos", "exclude = [\"*.tmp\"]", "src", "dst");
    harbour.configure(&other);
    assert_eq!(harbour.night().code, 0);
    assert!(harbour.copies().is_empty());
    harbour.list("two.txt", "a.raw\n");
    assert_eq!(harbour.night().code, 0);
    assert_eq!(
        harbour.requests(),
        ["a.raw|ignored|excluded", "a.raw|synced|"]
    );
    assert_eq!(harbour.copies(), ["a.raw"]);
}

#[test]
fn what_failed_and_is_excluded_since_is_ignored_when_it_is_carried_over() {
    let harbour = Harbour::new();
    harbour.put("a.raw", "1");
    harbour.put("b", "1");
    let refusal = Fault::answer(403, "AccessDenied")
        .operation("PutObject")
        .key("a.raw");
    harbour.server.on(refusal);
    harbour.list("one.txt", "a.raw\nb\n");
    assert_eq!(harbour.night().code, 4);
    let other = harbour.task("photos", "exclude = [\"*.raw\"]", "src", "dst");
    harbour.configure(&other);
    assert_eq!(harbour.run(&["retry", "--task", "photos"]).code, 0);
    assert_eq!(harbour.night().code, 0);
    assert_eq!(harbour.requests(), ["a.raw|ignored|excluded", "b|synced|"]);
    assert_eq!(left_out(&harbour), ["a.raw|exclude = \"*.raw\""]);
}

#[test]
fn a_rehearsal_counts_what_is_excluded() {
    let harbour = Harbour::with("", "exclude = [\"*.tmp\"]\nmax_size = \"1B\"");
    harbour.server.put("src", "a", of_size(1));
    harbour.server.put("src", "large", of_size(2));
    harbour.list("one.txt", "a\nlarge\nx.tmp\n");
    let end = harbour.run(&["run", "--dry-run"]);
    assert_eq!(end.code, 0, "{end:?}");
    assert!(
        end.stdout.contains(
            "  3 names: 1 to copy (1 B), 2 to ignore (2 of them excluded), 0 would fail\n"
        ),
        "{}",
        end.stdout
    );
}

#[test]
fn a_pattern_that_cannot_be_read_is_a_mistake_of_the_configuration() {
    let harbour = Harbour::with("", "exclude = [\"[a\"]");
    let end = harbour.night();
    assert_eq!(end.code, 3);
    assert!(
        end.stderr
            .contains("exclude: the pattern \"[a\" cannot be read"),
        "{}",
        end.stderr
    );
}
