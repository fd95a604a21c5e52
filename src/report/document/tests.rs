//! What a report says, from ledgers of some nights.

use super::*;
use crate::ledger::fixture::{Fixture, Night, at, failed, ignored, photos, synced};
use crate::model::{FailureCause, Side, ThrottledMinute, Traffic};

const NOW: &str = "2026-12-05T12:00:00+08:00";

/// The document, and that it says nothing twice by one id.
fn document(fixture: &Fixture, span: Span) -> String {
    let document = Document::plan(&fixture.ledger, None, span, at(NOW)).unwrap();
    let mut out = Vec::new();
    document.write(&fixture.ledger, &mut out).unwrap();
    let text = String::from_utf8(out).unwrap();
    let ids = text.split(" id=\"").skip(1);
    let ids: Vec<&str> = ids.map(|rest| rest.split('"').next().unwrap()).collect();
    for id in &ids {
        assert_eq!(ids.iter().filter(|other| *other == id).count(), 1, "{id}");
    }
    for labelled in text.split("aria-labelledby=\"").skip(1) {
        for id in labelled.split('"').next().unwrap().split(' ') {
            assert!(ids.contains(&id), "{id}");
        }
    }
    text
}

/// Its words, one blank between them; what stands in the head is left out.
fn words(document: &str) -> String {
    let body = document.split_once("<main>").unwrap().1;
    let mut text = String::new();
    let mut is_mark = false;
    for character in body.chars() {
        match character {
            '<' => is_mark = true,
            '>' => {
                is_mark = false;
                text.push(' ');
            }
            _ if is_mark => {}
            other => text.push(other),
        }
    }
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn month(fixture: &Fixture, month: &str) -> String {
    document(fixture, Span::Month(month.parse().unwrap()))
}

fn assert_says(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "{part}\n\n{text}");
    }
}

/// Marks the run as listed, as a night does once its lists are written.
fn listed(fixture: &mut Fixture, night: &Night, when: &str) {
    let run = fixture.end(night, when, 4, "failed");
    fixture.ledger.note_listed(run).unwrap();
}

/// The SHA-256 of the manifest of `photos`'s run of this number, made the long way.
fn manifest_sha256(fixture: &Fixture, number: u64) -> String {
    let run = fixture
        .ledger
        .run_numbered(&photos(), number)
        .unwrap()
        .unwrap();
    let folder = tempfile::tempdir().unwrap();
    let files = super::super::write_run(
        &fixture.ledger,
        run,
        folder.path(),
        crate::data_dir::Modes::PRIVATE,
    );
    files.unwrap().pop().unwrap().sha256
}

/// Keeps this as the SHA-256 of the manifest of `photos`'s run of this number.
fn keep_manifest(fixture: &mut Fixture, number: u64, sha256: &str) {
    let run = fixture.ledger.run_numbered(&photos(), number);
    let run = run.unwrap().unwrap();
    fixture.ledger.note_manifest(run, sha256).unwrap();
}

#[test]
fn a_month_says_what_the_ledger_says() {
    let mut fixture = Fixture::three_nights();
    for run in fixture
        .ledger
        .month_runs(&photos(), "2026-10".parse().unwrap())
        .unwrap()
    {
        fixture.ledger.note_listed(run).unwrap();
    }
    // Of the second run the hash was kept when its manifest was written.
    let (first, kept) = (manifest_sha256(&fixture, 1), "5e".repeat(32));
    keep_manifest(&mut fixture, 2, &kept);
    let text = words(&month(&fixture, "2026-10"));
    assert_says(
        &text,
        &[
            "Requested 7 Synced 3 Failed 1 Ignored 2 Synced size 8.0 MiB Pending at end 1",
            "Books: 0 pending at start + 7 requested = 3 synced + 1 failed + 2 ignored + 1 pending at end.",
            "Day 6: failed 1, synced 1, ignored 2, requested 2",
            "photos, October 2026 Figures Requested",
            "Day 7: synced size 5.0 MiB",
            "Day 6: time at work 10.0 s",
            "Hour 01:00 to 02:00: failed 1, synced 3, ignored 2",
            "Neither end asked for a slower pace.",
            "source_missing 1 The source has no object of this name",
            "duplicate 1 an earlier request",
            "Size 1 B to 1 KiB: objects copied 1",
        ],
    );
    assert_says(
        &text,
        &[
            "Size 1 MiB to 4 MiB: bytes copied 3.0 MiB",
            "Size 4 MiB to 16 MiB: objects copied 1",
            "The month is not closed.",
            // d.jpg failed in the first night and was copied in the second; f.jpg
            // waited for the third, which could not begin.
            "have 3 lines, 1 of them in creation_failures/ by runs that could not begin. They stand for 3 requests :",
            "copied since 1 left alone since 0 pending now 1 failed still, and not tried after the month 1 failed once more after the month 0 together 3",
            "1 2026-10-06 01:00:00 10.0 s 5 1 2 2 0 3.0 MiB failed",
            &format!("{first} (made again from the ledger; not delivered)"),
            &format!("{kept} (not to be delivered)"),
            "3 runs",
        ],
    );
}

#[test]
fn a_restated_month_shows_both_figures_and_what_is_between() {
    let mut fixture = Fixture::new("Asia/Shanghai");
    fixture.ask(
        "object_lists/a.txt",
        "2026-10-30T12:00:00+08:00",
        &["a", "b", "c"],
    );
    let (when, slow) = ("2026-10-31T01:00:00+08:00", FailureCause::Throttled);
    let night = fixture.begin(when);
    fixture.settle(&night, synced("a", when, 100));
    for name in ["b", "c"] {
        fixture.settle(&night, failed(name, when, slow, "SlowDown", 503));
    }
    listed(&mut fixture, &night, when);
    // The first night of November closes October, and takes up what failed.
    let when = "2026-11-01T01:00:00+08:00";
    let night = fixture.begin(when);
    fixture.settle(&night, synced("b", when, 5));
    fixture.settle(&night, failed("c", when, slow, "SlowDown", 503));
    listed(&mut fixture, &night, when);
    let text = words(&month(&fixture, "2026-10"));
    assert_says(
        &text,
        &[
            "At close, 2026-11-01 01:00:00 Now Restated since Requested 3 3 0 Synced 1 1 0 Failed 2 0 \u{2212}2 Ignored 0 0 0 Synced size 100 B 100 B 0",
            "The month was restated:",
            "have 2 lines. They stand for 2 requests :",
            "copied since 1 left alone since 0 pending now 0 failed still, and not tried after the month 0 failed once more after the month 1 together 2",
        ],
    );
    let november = words(&month(&fixture, "2026-11"));
    assert_says(
        &november,
        &["Synced 1 Failed 1", "The month is not closed."],
    );
}

#[test]
fn a_month_that_was_pruned_keeps_its_figures_and_its_runs_and_says_what_is_gone() {
    let mut fixture = Fixture::new("UTC");
    fixture.ask("object_lists/a.txt", "2026-10-04T12:00:00Z", &["a", "b"]);
    let when = "2026-10-05T01:00:00Z";
    let night = fixture.begin(when);
    fixture.settle(&night, synced("a", when, 100));
    fixture.settle(
        &night,
        failed("b", when, FailureCause::SourceMissing, "NoSuchKey", 404),
    );
    let manifest = manifest_of_delivered(&mut fixture, &night, when);
    fixture.ask("object_lists/b.txt", "2026-11-04T12:00:00Z", &["c"]);
    let night = fixture.begin("2026-11-05T01:00:00Z");
    listed(&mut fixture, &night, "2026-11-05T01:00:01Z");
    assert_eq!(
        fixture
            .ledger
            .prune("2026-11".parse().unwrap())
            .unwrap()
            .requests,
        2
    );
    let text = words(&month(&fixture, "2026-10"));
    assert_says(
        &text,
        &[
            "Requested 2 Synced 1 Failed 1 Ignored 0 Synced size 100 B",
            "Day 5: failed 1, synced 1, ignored 0",
            "Nothing was copied.",
            "Pruned. Detail of requests that were settled before 2026-11 was taken away, with 2 of the 2 attempts",
            "Nothing was restated since the close.",
            "have 1 line. They stand for 0 requests :",
            "Of the lines 1 stood for requests whose detail was pruned",
            &format!(
                "1 2026-10-05 01:00:00 0 ms 2 1 1 0 0 100 B failed {manifest} camera-archive-20261005010000000_1 Detail of 2 attempts was pruned."
            ),
        ],
    );
    let run = words(&document(&fixture, Span::Run(1)));
    assert_says(
        &run,
        &[
            "Nothing was settled that the ledger has the time of.",
            "The detail of 2 of 2 attempts was taken away",
            &manifest,
        ],
    );
}

#[test]
fn a_pruned_run_that_was_not_to_be_delivered_keeps_the_hash_of_its_manifest() {
    let said = |keeps: bool| {
        let mut fixture = Fixture::new("UTC");
        fixture.ask("object_lists/a.txt", "2026-10-04T12:00:00Z", &["a"]);
        let when = "2026-10-05T01:00:00Z";
        let night = fixture.begin(when);
        fixture.settle(&night, synced("a", when, 100));
        listed(&mut fixture, &night, when);
        if keeps {
            let sha256 = manifest_sha256(&fixture, 1);
            keep_manifest(&mut fixture, 1, &sha256);
        }
        let made = manifest_sha256(&fixture, 1);
        fixture.ask("object_lists/b.txt", "2026-11-04T12:00:00Z", &["b"]);
        let night = fixture.begin("2026-11-05T01:00:00Z");
        listed(&mut fixture, &night, "2026-11-05T01:00:01Z");
        fixture.ledger.prune("2026-11".parse().unwrap()).unwrap();
        (made, words(&month(&fixture, "2026-10")))
    };
    let (made, text) = said(true);
    assert_says(
        &text,
        &[&format!("{made} (not to be delivered) camera-archive")],
    );
    // As an older release left it.
    let (_, text) = said(false);
    let gone = "Not known: it was not to be delivered, and its detail was pruned.";
    assert_says(&text, &[gone]);
}

/// Ends the run and enters its lists as delivered; the SHA-256 of the manifest.
fn manifest_of_delivered(fixture: &mut Fixture, night: &Night, when: &str) -> String {
    use crate::ledger::{Deliverable, Delivery};
    let run = fixture.end(night, when, 4, "failed");
    let folder = tempfile::tempdir().unwrap();
    let modes = crate::data_dir::Modes::PRIVATE;
    let files = super::super::write_run(&fixture.ledger, run, folder.path(), modes).unwrap();
    fixture.ledger.note_listed(run).unwrap();
    for file in &files {
        let list = Deliverable {
            path: file.path.clone(),
            run: Some(run),
            lines: file.lines,
            bytes: file.bytes,
            sha256: file.sha256.clone(),
            etag: None,
        };
        fixture.ledger.owe(fixture.task, &list).unwrap();
        let delivered = Delivery::Delivered {
            etag: "e".to_owned(),
            at: at(when),
        };
        fixture
            .ledger
            .note_delivery(fixture.task, &file.path, &delivered)
            .unwrap();
    }
    files.last().unwrap().sha256.clone()
}

#[test]
fn a_month_in_which_nothing_happened_is_a_whole_document() {
    let fixture = Fixture::three_nights();
    let text = month(&fixture, "2027-02");
    assert!(text.ends_with("</body></html>\n"));
    assert_says(
        &words(&text),
        &[
            "photos, February 2027",
            "Requested 0 Synced 0 Failed 0 Ignored 0 Synced size 0 B Pending at end 1",
            "Nothing was copied.",
            "No object's time is known.",
            "The month's runs have no failed lists.",
            "No run began in the month.",
        ],
    );
    let folder = tempfile::tempdir().unwrap();
    let ledger = Ledger::open(&folder.path().join("ledger.sqlite"), 0o600).unwrap();
    let span = Span::Month("this".parse().unwrap());
    let empty = Document::plan(&ledger, None, span, at(NOW)).unwrap();
    let mut out = Vec::new();
    empty.write(&ledger, &mut out).unwrap();
    let text = String::from_utf8(out).unwrap();
    assert!(
        text.contains("No task has had anything to do yet."),
        "{text}"
    );
}

#[test]
fn a_run_is_shown_through_its_night() {
    let mut fixture = Fixture::new("Asia/Kathmandu");
    fixture.ask(
        "object_lists/a.txt",
        "2026-10-30T12:00:00Z",
        &["a", "b", "c"],
    );
    let night = fixture.begin("2026-10-30T18:10:00Z");
    fixture.settle(&night, synced("a", "2026-10-30T18:14:59.999Z", 3 << 20));
    fixture.settle(&night, ignored("b", "2026-10-30T18:15:00Z", 5));
    let (end, missing) = ("2026-10-30T22:09:59Z", FailureCause::SourceMissing);
    fixture.settle(&night, failed("c", end, missing, "NoSuchKey", 404));
    let minutes =
        [(Side::Source, 3), (Side::Destination, 4)].map(|(side, times)| ThrottledMinute {
            side,
            minute_at: at("2026-10-30T18:16:00Z"),
            times,
        });
    let traffic = Traffic {
        throttled: minutes.into(),
        ..Traffic::default()
    };
    fixture
        .ledger
        .note_traffic(night.run.key, &traffic)
        .unwrap();
    listed(&mut fixture, &night, "2026-10-30T22:10:00Z");
    // Four hours, a quarter to midnight by its own clocks the first minute.
    let text = words(&document(&fixture, Span::Run(1)));
    assert_says(
        &text,
        &[
            "failed 2026-10-30 23:55:00 to 2026-10-31 03:55:00 , 4 h 00 min",
            "Books: 3 taken = 1 synced + 1 failed + 1 ignored + 0 deferred.",
            "Settled through the night, by 10 minutes",
            "From 2026-10-30 23:50: failed 0, synced 1, ignored 0",
            "From 2026-10-31 00:00: failed 0, synced 0, ignored 1",
            "From 2026-10-31 03:50: failed 1, synced 0, ignored 0",
            "From 2026-10-30 23:50: bytes copied 3.0 MiB",
            "From 2026-10-31 00:00: source 3, destination 4",
            "In all 7 answers asked for a slower pace.",
            &manifest_sha256(&fixture, 1),
        ],
    );
    let settled = "Settled through the night, by 10 minutes, as a table";
    let table = text.split_once(settled).unwrap().1;
    assert!(
        table.starts_with(" From Failed Synced Ignored 2026-10-30 23:50 0 1 0 2026-10-31 00:00 0 0 1 2026-10-31 03:50 1 0 0 Bytes"),
        "{table}"
    );
}

#[test]
fn names_that_others_chose_stay_text() {
    let mut fixture = Fixture::new("UTC");
    let names = ["<script>alert(1)</script>", "x\u{202e}gpj.exe", "\"'&<b>"];
    fixture.ask("object_lists/a.txt", "2026-10-04T12:00:00Z", &names);
    let night = fixture.begin("2026-10-05T01:00:00Z");
    for name in names {
        fixture.settle(&night, synced(name, "2026-10-05T01:00:01Z", 7));
    }
    listed(&mut fixture, &night, "2026-10-05T01:00:02Z");
    for text in [month(&fixture, "2026-10"), document(&fixture, Span::Run(1))] {
        assert!(!text.contains("<script") && !text.contains('\u{202e}') && !text.contains("<b>"));
        for part in [
            "<bdi class=\"name\">&lt;script&gt;alert(1)&lt;/script&gt;</bdi>",
            "x<span class=\"mark\">\\u{202e}</span>gpj.exe",
            "&quot;'&amp;&lt;b&gt;",
            "content=\"default-src 'none'; style-src 'unsafe-inline'\"",
        ] {
            assert!(text.contains(part), "{part}");
        }
        for host in ["http://", "https://", "src=", "url(", "@import"] {
            assert!(!text.contains(host), "{host}");
        }
    }
}

#[test]
fn what_there_is_not_is_refused() {
    let fixture = Fixture::three_nights();
    let plan = |task: Option<&TaskId>, span| Document::plan(&fixture.ledger, task, span, at(NOW));
    let films: TaskId = "films".parse().unwrap();
    let this = Span::Month(MonthChoice::This);
    assert!(matches!(
        plan(Some(&films), this),
        Err(ReportError::UnknownTask(_))
    ));
    assert!(matches!(
        plan(None, Span::Run(4)),
        Err(ReportError::UnknownRun(4))
    ));
    assert!(plan(Some(&photos()), Span::Run(3)).is_ok());
}

#[test]
fn of_several_tasks_each_has_its_section_and_a_place_in_the_contents() {
    let mut fixture = Fixture::three_nights();
    let now = fixture.zone.local(at(NOW));
    let films = "films".parse().unwrap();
    fixture
        .ledger
        .enter_task(&films, fixture.zone, 7, now)
        .unwrap();
    let text = month(&fixture, "2026-10");
    for part in [
        "<h1>All tasks, October 2026</h1>",
        "<a href=\"#t1\">films, October 2026</a>",
        "<h2 id=\"t2\">photos, October 2026</h2>",
    ] {
        assert!(text.contains(part), "{part}");
    }
}

#[test]
fn a_run_of_any_length_has_a_chart_of_round_stretches() {
    let started = "2026-10-30T23:47:31.005+08:00"
        .parse::<crate::model::LocalTime>()
        .unwrap();
    for (minutes, step, most) in [
        (0, 1, 1),
        (45, 1, 48),
        (60, 2, 32),
        (240, 10, 26),
        (600, 15, 42),
        (1440, 60, 26),
        (3000, 120, 27),
        (60 * 24 * 40, 2 * 1440, 23),
    ] {
        let end = started.at.plus_ms(minutes * 60_000);
        let stretches = run::Stretches::of(started, end);
        assert_eq!(stretches.step_ms, step * 60_000, "{minutes}");
        assert!(stretches.count <= most, "{minutes}: {}", stretches.count);
        let past = stretches
            .first
            .at
            .plus_ms(stretches.count * stretches.step_ms);
        assert!(stretches.first.at <= started.at && past >= end, "{minutes}");
    }
}
