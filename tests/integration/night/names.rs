//! Awkward names and contents, from the list to the list.

use super::Harbour;
use crate::s3_server::NewObject;

/// Names that can stand in a plain list.
fn one_line_names() -> Vec<String> {
    let mut names: Vec<String> = [
        " ",
        " two  spaces ",
        "a+b%20c&d#e?f=g\"h'i<j>k|l\\m",
        "%41%zz%",
        "🛳 ferry/👩‍👩‍👧",
        "e\u{301}", // decomposed
        "\u{e9}",   // composed
        "/lead",
        "//",
        "a//b",
        "folder/",
        "marker/",
        "...",
        "#comment",
        "\u{1b}[31mred",
        "\u{202e}gpj.exe",
        "-0",
        "tab\there",
    ]
    .map(str::to_owned)
    .into();
    names.push("é".repeat(512));
    names.push("x".repeat(1024));
    names
}

/// Names that stand percent-encoded, and how.
const ENCODED: [(&str, &str); 4] = [
    ("line\nbreak", "line%0Abreak"),
    ("tab\tstop\r", "tab%09stop%0D"),
    ("plus+stays", "plus+stays"),
    ("a%b", "a%25b"),
];

fn escaped(name: &str) -> String {
    name.replace('\\', "\\\\")
        .replace('\t', "\\t")
        .replace('\n', "\\n")
        .replace('\r', "\\r")
}

#[test]
fn awkward_names_arrive_and_stand_escaped_in_the_lists() {
    let harbour = Harbour::new();
    let names = one_line_names();
    for name in &names {
        let body = if name == "marker/" { "" } else { name };
        harbour.put(name, body);
    }
    for (name, _) in ENCODED {
        harbour.put(name, name);
    }
    harbour.list("plain.txt", names.join("\n") + "\n");
    harbour.list(
        "encoded.url.txt",
        ENCODED.map(|(_, line)| line).join("\n") + "\n",
    );
    let end = harbour.night();
    assert_eq!((end.code, end.stderr.as_str()), (0, ""));

    let mut all: Vec<String> = names;
    all.extend(ENCODED.map(|(name, _)| name.to_owned()));
    all.sort_unstable();
    assert_eq!(harbour.copies(), all);
    for name in &all {
        let body = if name == "marker/" { "" } else { name };
        assert_eq!(
            harbour.copy(name).unwrap().body(),
            body.as_bytes(),
            "{name:?}"
        );
    }
    let mut listed: Vec<String> = harbour
        .list_of(1, "success")
        .iter()
        .map(|line| {
            let fields: Vec<&str> = line.split('\t').collect();
            let [_, name, size] = fields.as_slice() else {
                panic!("{line:?}");
            };
            format!("{name}|{size}")
        })
        .collect();
    listed.sort_unstable();
    let mut expected: Vec<String> = all
        .iter()
        .map(|name| {
            let bytes = if name == "marker/" { 0 } else { name.len() };
            format!("{}|{bytes}", escaped(name))
        })
        .collect();
    expected.sort_unstable();
    assert_eq!(listed, expected);

    assert_eq!(harbour.run(&["verify", "--task", "photos"]).code, 0);
}

#[test]
fn a_second_night_knows_awkward_names_again() {
    let harbour = Harbour::new();
    let names = one_line_names();
    let list = names.join("\n") + "\n";
    for name in &names {
        harbour.put(name, name.as_str());
    }
    harbour.list("one.txt", &list);
    harbour.night();
    harbour.list("two.txt", format!("{}{list}", "\u{feff}"));
    let end = harbour.night();
    let count = names.len();
    assert_eq!(end.code, 0, "{}", end.stderr);
    assert_eq!(
        harbour.rows("SELECT reason, count(*) FROM requests WHERE run = 2 GROUP BY reason"),
        [format!("already_copied|{count}")]
    );
}

#[test]
fn failed_lists_hold_the_encoded_and_the_escaped_name() {
    let harbour = Harbour::new();
    harbour.list("one.url.txt", "line%0Abreak%5C%C3%BC%20~+\n");
    assert_eq!(harbour.night().code, 4);
    let line = harbour.list_of(1, "failed").remove(0);
    let fields: Vec<&str> = line.split('\t').collect();
    assert_eq!(
        (fields[0], fields[2], fields[3], fields[4], fields.len()),
        (
            "source_missing",
            "line%0Abreak%5C%C3%BC%20~%2B",
            "line\\nbreak\\\\ü ~+",
            "NoSuchKey",
            5
        )
    );
}

#[test]
fn a_task_may_say_that_its_lists_are_encoded() {
    let harbour = Harbour::with("", "object_lists_encoding = \"url\"");
    harbour.put("a b+c", "1");
    harbour.list("one.txt", "a%20b+c\n%4\n");
    assert_eq!(harbour.night().code, 4);
    assert_eq!(harbour.copies(), ["a b+c"]);
    assert_eq!(
        harbour.rows("SELECT list, line, reason, excerpt FROM rejected_lines"),
        ["object_lists/one.txt|2|bad_percent_encoding|%4"]
    );
}

#[test]
fn headers_metadata_and_packed_bytes_arrive_as_they_were() {
    let harbour = Harbour::new();
    let pair = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
    harbour.put(
        "app.log.gz",
        NewObject {
            body: b"\x1f\x8b\x08\x00not really packed".to_vec(),
            content_type: Some("text/plain; charset=utf-8".into()),
            headers: [
                ("cache-control", "max-age=60, public"),
                ("content-disposition", "attachment; filename=\"a b.txt\""),
                ("content-encoding", "gzip"),
                ("content-language", "de, en"),
                ("expires", "Thu, 01 Dec 2033 16:00:00 GMT"),
            ]
            .map(pair)
            .into(),
            metadata: [("owner", "Zoë 東京"), ("empty", "")].map(pair).into(),
            last_modified: None,
        },
    );
    harbour.put("empty", "");
    harbour.list("one.txt", "app.log.gz\nempty\n");
    assert_eq!(harbour.night().code, 0);
    let original = harbour.server.object("src", "app.log.gz").unwrap();
    let copy = harbour.copy("app.log.gz").unwrap();
    assert_eq!(copy.body(), original.body());
    assert_eq!(copy.headers, original.headers);
    assert_eq!(copy.metadata, original.metadata);
    assert_eq!(harbour.copy("empty").unwrap().size, 0);
}
