//! What is ignored although both ends hold other bytes, through whole nights.

use std::fs;

use super::Harbour;

const SUSPECTS: &str = "SELECT name, run, reason, size_bytes, source_etag, destination_etag
                        FROM suspect_objects ORDER BY name";

/// The MD5s of `one` and `two`.
const ONE: &str = "f97c5d29941bfb1b2fdab0874906ab82";
const TWO: &str = "b8a9f715dbb64fd5c56e7783c6820a61";

/// Asks for `names`, in a list of its own.
fn ask(harbour: &Harbour, list: &str, names: &[String]) {
    harbour.list(list, names.join("\n") + "\n");
}

fn names(names: &[&str]) -> Vec<String> {
    names.iter().map(|&name| name.to_owned()).collect()
}

/// How many HEADs about objects came to each bucket, and how often each was listed
/// along the names.
fn asked(harbour: &Harbour) -> [usize; 4] {
    let requests = harbour.server.requests();
    let count = |bucket: &str, operation: &str, is_meant: fn(&str) -> bool| {
        let counts = requests.iter().filter(|request| {
            request.bucket == bucket
                && request.operation == operation
                && is_meant(if operation == "HeadObject" {
                    &request.key
                } else {
                    &request.query
                })
        });
        counts.count()
    };
    let object = |key: &str| key.starts_with("k/");
    let along = |query: &str| query.contains("start-after=") && !query.contains("prefix=");
    [
        count("src", "HeadObject", object),
        count("dst", "HeadObject", object),
        count("src", "ListObjectsV2", along),
        count("dst", "ListObjectsV2", along),
    ]
}

#[test]
fn a_copy_that_was_altered_in_place_is_suspect_until_it_is_copied_again() {
    let harbour = Harbour::new();
    for name in ["a", "b", "c"] {
        harbour.put(name, "one");
    }
    ask(&harbour, "first.txt", &names(&["a", "b", "c"]));
    let end = harbour.night();
    assert!(!end.stdout.contains("suspect"), "{end:?}");
    harbour.server.put("dst", "b", "two");
    harbour.server.put("dst", "c", "longer");
    ask(&harbour, "again.txt", &names(&["a", "b", "b", "c"]));
    let end = harbour.night();
    assert_eq!(end.code, 0, "{end:?}");
    let expected = "  1 of the ignored suspect: same size, another ETag\n";
    assert!(end.stdout.contains(expected), "{end:?}");
    assert!(
        end.stdout
            .contains("1 object of the ignored is suspect: as long as"),
        "{end:?}"
    );
    assert_eq!(
        harbour.copy("b").unwrap().body(),
        b"two",
        "not copied unasked"
    );
    let found = [format!("b|2|newer_at_destination|3|{ONE}|{TWO}")];
    assert_eq!(harbour.rows(SUSPECTS), found);
    let why = harbour.run(&["why", "--task", "photos", "b"]);
    let suspect = "    suspect      as long as the source's, but its ETag, an MD5, is another";
    assert_eq!(why.stdout.matches(suspect).count(), 1, "{why:?}");
    let summary = harbour.run(&["summary", "--format", "json"]);
    assert!(
        !summary.stdout.contains("suspect"),
        "its keys are the view's: {summary:?}"
    );

    // All of it is made again from what the bucket holds.
    fs::remove_dir_all(harbour.data_dir()).unwrap();
    let rebuilt = harbour.run(&["ledger", "rebuild"]);
    assert_eq!(rebuilt.code, 0, "{rebuilt:?}");
    assert_eq!(harbour.rows(SUSPECTS), found);
    let check = harbour.run(&["ledger", "check"]);
    assert_eq!(check.code, 0, "{check:?}");

    let task = harbour.task("photos", "overwrite = \"checksum\"", "src", "dst");
    harbour.configure(&task);
    ask(&harbour, "checksum.txt", &names(&["b"]));
    assert_eq!(harbour.night().code, 0);
    assert_eq!(harbour.copy("b").unwrap().body(), b"one");
    assert_eq!(harbour.rows(SUSPECTS), [""; 0]);
    let summary = harbour.run(&["summary"]);
    assert!(!summary.stdout.contains("suspect"), "{summary:?}");
    let why = harbour.run(&["why", "--task", "photos", "b"]);
    assert!(why.stdout.contains(suspect), "it was one: {why:?}");
}

#[test]
fn what_a_task_never_overwrites_is_suspect_at_equal_size_alone() {
    let harbour = Harbour::with("", "overwrite = \"never\"");
    for name in ["a", "b", "c"] {
        harbour.put(name, "one");
    }
    harbour.server.put("dst", "a", "two");
    harbour.server.put("dst", "b", "one");
    harbour.server.put("dst", "c", "longer");
    ask(&harbour, "first.txt", &names(&["a", "b", "c"]));
    assert_eq!(harbour.night().code, 0);
    let found = [format!("a|1|exists|3|{ONE}|{TWO}")];
    assert_eq!(harbour.rows(SUSPECTS), found);
}

#[test]
fn among_many_that_listings_are_enough_for_only_candidates_are_asked_about() {
    let harbour = Harbour::new();
    let all: Vec<String> = (0..300).map(|number| format!("k/{number:03}")).collect();
    for name in &all {
        harbour.put(name, "one");
    }
    ask(&harbour, "first.txt", &all);
    assert_eq!(harbour.night().code, 0);
    ask(&harbour, "again.txt", &all);
    harbour.server.clear_requests();
    assert_eq!(harbour.night().code, 0);
    let listings = asked(&harbour)[2..].to_owned();
    assert_eq!(
        asked(&harbour)[..2],
        [0, 0],
        "without a candidate as before"
    );
    // One is the same again, as another's; tags of parts are no MD5s.
    harbour.server.put("dst", &all[7], "one");
    for name in [&all[20], &all[120], &all[299]] {
        harbour.server.put("dst", name, "two");
    }
    ask(&harbour, "altered.txt", &all);
    harbour.server.clear_requests();
    let end = harbour.night();
    assert_eq!(end.code, 0, "{end:?}");
    let expected = "  3 of the ignored suspect: same size, another ETag\n";
    assert!(end.stdout.contains(expected), "{end:?}");
    let found = ["k/020", "k/120", "k/299"];
    assert_eq!(
        harbour.rows("SELECT name FROM suspect_objects ORDER BY name"),
        found
    );
    let asked = asked(&harbour);
    assert_eq!((&asked[..2], &asked[2..]), (&[3, 3][..], &listings[..]));
}
