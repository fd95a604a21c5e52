//! The bill of a night is what the servers were asked, request by request.

use std::collections::BTreeMap;

use super::Harbour;
use crate::s3_server::{Fault, LoggedRequest, S3Server};

/// Requests by side and kind.
type Bill = BTreeMap<(&'static str, &'static str), u64>;

const KINDS: [&str; 9] = [
    "lists",
    "heads",
    "gets",
    "puts",
    "parts",
    "creates",
    "completes",
    "aborts",
    "deletes",
];

/// As what providers bill a request.
fn kind(request: &LoggedRequest) -> &'static str {
    match request.operation.as_str() {
        "ListObjectsV2" | "ListParts" => "lists",
        "HeadObject" => "heads",
        "GetObject" | "GetObjectTagging" => "gets",
        "PutObject" | "PutObjectTagging" | "CopyObject" => "puts",
        "UploadPart" | "UploadPartCopy" => "parts",
        "CreateMultipartUpload" => "creates",
        "CompleteMultipartUpload" => "completes",
        "AbortMultipartUpload" => "aborts",
        "DeleteObject" => "deletes",
        _ => panic!("{request:?}"),
    }
}

/// What the server was asked. The source is `src`, the destination `dst`.
fn seen(server: &S3Server) -> Bill {
    let mut bill = Bill::new();
    for request in server.requests() {
        let side = match request.bucket.as_str() {
            "src" => "source",
            _ => "destination",
        };
        *bill.entry((side, kind(&request))).or_default() += 1;
    }
    bill
}

/// What the ledger's rows of `view` say in all.
fn billed(harbour: &Harbour, view: &str) -> Bill {
    let mut bill = Bill::new();
    for side in ["source", "destination"] {
        for kind in KINDS {
            let sum = format!("SELECT coalesce(sum({kind}), 0) FROM {view} WHERE side = '{side}'");
            let count = harbour.rows(&sum)[0].parse().unwrap();
            if count > 0 {
                bill.insert((side, kind), count);
            }
        }
    }
    bill
}

/// The bytes that the server took with a request.
fn bytes_taken(request: &LoggedRequest) -> u64 {
    let is_write = ["PutObject", "UploadPart"].contains(&request.operation.as_str());
    match request.header("content-length") {
        Some(length) if is_write && request.status == Some(200) => length.parse().unwrap(),
        _ => 0,
    }
}

const MIB: u64 = 1 << 20;

/// A queue of everything: small objects, one in parts, one that is there already,
/// one that the destination refuses, and one that is missing.
fn harbour(task_settings: &str) -> Harbour {
    let harbour = Harbour::with("memory = \"16MiB\"", task_settings);
    for name in ["a", "b", "there", "refused"] {
        harbour.put(name, "four");
    }
    harbour.server.put_random("src", "large", 40 * MIB, 7);
    harbour.server.put("dst", "there", "four");
    let refusal = Fault::answer(403, "AccessDenied")
        .operation("PutObject")
        .key("refused");
    harbour.server.on(refusal);
    harbour.list("one.txt", "a\nb\nthere\nrefused\nlarge\ngone\n");
    harbour
}

#[test]
fn the_bill_of_a_night_is_what_the_servers_saw() {
    let harbour = harbour("");
    harbour.server.clear_requests();
    assert_eq!(harbour.night().code, 4);
    assert_eq!(harbour.runs(), ["6|3|2|1|0|4"]);
    let seen = seen(&harbour.server);
    assert!(seen[&("destination", "parts")] > 1);
    for view in ["request_bill", "request_bill_days", "request_bill_months"] {
        assert_eq!(billed(&harbour, view), seen, "{view}");
    }
    // Read are three copies and what is refused; written, what the server took.
    let taken: u64 = harbour.server.requests().iter().map(bytes_taken).sum();
    assert_eq!(
        harbour
            .rows("SELECT side, read_bytes, written_bytes FROM request_bill WHERE side = 'source'"),
        [format!("source|{}|0", 40 * MIB + 12)]
    );
    assert_eq!(
        harbour.rows("SELECT written_bytes FROM request_bill WHERE side = 'destination'"),
        [taken.to_string()]
    );

    // Another night adds to it.
    harbour.server.clear_faults();
    harbour.list("two.txt", "a\n");
    assert_eq!(harbour.night().code, 0);
    assert_eq!(
        billed(&harbour, "request_bill_months"),
        self::seen(&harbour.server)
    );
    assert_eq!(harbour.run(&["ledger", "check"]).code, 0);
}

#[test]
fn what_the_server_copies_by_itself_is_a_put_without_bytes() {
    let harbour = Harbour::new();
    let task = harbour.task("photos", "", "src", "dst");
    harbour.configure(&task.replace("\"never\"", "\"auto\""));
    harbour.put("a", "four");
    harbour.list("one.txt", "a\n");
    harbour.server.clear_requests();
    assert_eq!(harbour.night().code, 0);
    let copies = harbour.server.requests();
    let copies = copies
        .iter()
        .filter(|request| request.operation == "CopyObject");
    assert_eq!(copies.count(), 1);
    assert_eq!(billed(&harbour, "request_bill"), seen(&harbour.server));
}

/// Without what begins a run: a look at each bucket, its first object read, and
/// the trial of the destination.
fn of_objects(mut bill: Bill) -> Bill {
    for (of, count) in [
        (("source", "lists"), 1),
        (("source", "gets"), 1),
        (("destination", "lists"), 1),
        (("destination", "puts"), 6),
        (("destination", "gets"), 1),
        (("destination", "deletes"), 1),
    ] {
        *bill.get_mut(&of).unwrap() -= count;
    }
    bill.retain(|_, count| *count > 0);
    bill
}

#[test]
fn a_rehearsal_tells_what_will_be_asked_about_objects() {
    let harbour = harbour("deliver_lists = false");
    harbour.list("one.txt", "a\nb\nthere\nlarge\ngone\n");
    let rehearsed = harbour.run(&["run", "--dry-run"]);
    assert_eq!(rehearsed.code, 4, "{}", rehearsed.stderr);
    assert_eq!(
        rehearsed.stdout,
        "photos: would take 5 requests (5 of them in lists not loaded yet, 0 lines rejected)\n  \
         5 names: 3 to copy (40.0 MiB), 1 to ignore, 1 would fail\n  \
         about 31 HTTP requests for objects, besides lists\n    \
         source: 2 HEAD, 12 GET; 40.0 MiB read\n    \
         destination: 5 HEAD, 2 PUT, 8 Part, 1 Create, 1 Complete; 40.0 MiB written\n  \
         forecast: too little history (0 of 3 past runs that are needed)\n"
    );
    harbour.server.clear_requests();
    assert_eq!(harbour.night().code, 4);
    let expected = [
        (("source", "heads"), 2),
        (("source", "gets"), 12),
        (("destination", "heads"), 5),
        (("destination", "puts"), 2),
        (("destination", "parts"), 8),
        (("destination", "creates"), 1),
        (("destination", "completes"), 1),
    ];
    assert_eq!(of_objects(seen(&harbour.server)), Bill::from(expected));
}

#[test]
fn what_copies_are_written_with_is_on_the_bill_and_foretold() {
    // In the trial tags of the source's first object, and the canary with a tag and in
    // a class, each looked at.
    let trial = [
        (("source", "gets"), 1),
        (("destination", "puts"), 2),
        (("destination", "heads"), 2),
    ];
    for (side, heads_at_source) in [("never", 2), ("auto", 5)] {
        let harbour = Harbour::with("memory = \"16MiB\"", "");
        for name in ["a", "there"] {
            harbour.put(name, "four");
        }
        harbour.server.put("dst", "there", "four");
        harbour.server.put_random("src", "large", 40 * MIB, 7);
        let task = harbour.task(
            "photos",
            "copy_tags = true\ndeliver_lists = false",
            "src",
            "dst",
        );
        let task = task.replace("\"never\"", &format!("\"{side}\""));
        harbour.configure(&format!(
            "memory = \"16MiB\"\n{task}storage_class = \"GLACIER\"\n"
        ));
        harbour.list("one.txt", "a\nthere\nlarge\n");
        let rehearsed = harbour.run(&["run", "--dry-run"]).stdout;
        harbour.server.clear_requests();
        assert_eq!(harbour.night().code, 0);
        let seen = seen(&harbour.server);
        assert_eq!(billed(&harbour, "request_bill"), seen);
        let mut of_objects = of_objects(seen);
        for (of, count) in trial {
            *of_objects.get_mut(&of).unwrap() -= count;
        }
        assert_eq!(of_objects[&("source", "heads")], heads_at_source, "{side}");
        let count = |kind: &str| of_objects.get(&("source", kind)).copied().unwrap_or(0);
        let told = format!("source: {} HEAD, {} GET", count("heads"), count("gets"));
        assert!(rehearsed.contains(&told), "{side}: {told}: {rehearsed}");
    }
}

#[test]
fn the_bill_is_shown_by_month_day_and_run() {
    let harbour = Harbour::new();
    assert_eq!(
        harbour.run(&["bill"]).code,
        3,
        "there is no ledger yet, as for `runs`"
    );
    assert_eq!(harbour.night().code, 0);
    let nothing = harbour.run(&["bill", "--month", "2020-01"]);
    assert_eq!(nothing.stdout, "Nothing was asked of any bucket.\n");
    // A queue of nothing, and nothing to deliver: it asks which lists there are.
    let shown = harbour.run(&["bill", "--by", "run"]);
    assert_eq!(
        shown.stdout,
        "Task    Run  Side         LIST  HEAD  GET  PUT  Part  Create  Complete  Abort  Delete  Read  Written\n\
         photos    1  destination     1     0    0    0     0       0         0      0       0   0 B      0 B\n"
    );
    for by in ["month", "day", "run"] {
        let json = harbour.run(&["bill", "--by", by, "--month", "this", "--json"]);
        assert!(
            json.stdout.contains("\"lists\":1,\"heads\":0,"),
            "{by}: {}",
            json.stdout
        );
    }
}

#[test]
fn a_ledger_made_again_knows_only_how_many_requests_were_sent() {
    let harbour = harbour("");
    harbour.night();
    let rebuilt = harbour.run(&["ledger", "rebuild", "--replace"]);
    assert_eq!(rebuilt.code, 0, "{}", rebuilt.stderr);
    assert_eq!(billed(&harbour, "request_bill"), Bill::new());
    assert_eq!(
        harbour.rows("SELECT requests_sent > 20 FROM run_history"),
        ["1"]
    );
    assert_eq!(harbour.run(&["ledger", "check"]).code, 0);
}
