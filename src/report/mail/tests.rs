//! What mails say, on real ledgers.

use super::*;
use crate::ledger::fixture::{Fixture, at, failed, photos, synced};
use crate::model::FailureCause::{self, SourceMissing};

fn signature() -> Signature {
    Signature {
        host: "carrier".to_owned(),
        config: "/etc/nightferry/nightferry.toml".to_owned(),
        entropy: 7,
    }
}

fn ran(number: u64) -> Happened {
    Happened {
        schedules: BTreeMap::new(),
        tasks: vec![(photos(), Ended::Ran(number))],
        troubles: Vec::new(),
    }
}

fn mail_of(fixture: &Fixture, happened: &Happened) -> Mail {
    let now = at("2026-10-09T07:00:00+08:00");
    night(&fixture.ledger, happened, &signature(), now).unwrap()
}

#[test]
fn three_nights_have_their_subjects() {
    let fixture = Fixture::three_nights();
    let subjects = [1, 2, 3].map(|number| mail_of(&fixture, &ran(number)).subject);
    assert_eq!(
        subjects,
        [
            "photos: 1 synced, 2 failed, 2 ignored",
            "photos: 2 synced, 1 deferred",
            "photos: could not begin: bucket_missing, 1 deferred",
        ]
    );
}

#[test]
fn a_night_that_could_not_begin_tells_why_and_what_waits() {
    let fixture = Fixture::three_nights();
    let mail = mail_of(&fixture, &ran(3));
    assert_eq!(
        mail.text,
        "photos\n\
         could not begin: bucket_missing, 1 deferred\n\
         \n\
         Run 3, 2026-10-09 01:00 to 01:00 (Asia/Shanghai), 0 seconds\n\
         \n\
         \x20 Taken     1  the books balance\n\
         \x20 Synced    0\n\
         \x20 Failed    0\n\
         \x20 Ignored   0\n\
         \x20 Deferred  1  could_not_begin\n\
         \n\
         \x20 could not begin: bucket_missing: the source refused. The bucket is not there:\n\
         \x20 check bucket, region and endpoint in the configuration.\n\
         \n\
         \x20 1 deferred: Nothing was tried; the next run takes them.\n\
         \n\
         October 2026\n\
         \n\
         \x20 Pending at start  0\n\
         \x20 Requested         7\n\
         \x20 Synced            3  8.0 MiB\n\
         \x20 Failed            1\n\
         \x20 Ignored           2\n\
         \x20 Pending at end    1  the oldest waits for 2 days\n\
         \n\
         -- \n\
         Nightferry 0.1.0 on carrier, configured by /etc/nightferry/nightferry.toml.\n\
         `nightferry status` says how its tasks stand now.\n"
    );
    assert_eq!(mail.attachment, None);
    assert_eq!(
        mail.id,
        "run.6ad6d4d00000000000000007".replace("6ad6d4d0", &mail.id[4..12])
    );
}

#[test]
fn a_mail_is_what_the_ledger_says_however_often_it_is_made() {
    let fixture = Fixture::three_nights();
    assert_eq!(mail_of(&fixture, &ran(1)), mail_of(&fixture, &ran(1)));
}

#[test]
fn what_goes_with_it_tells_new_failures_from_old_ones() {
    let mut fixture = Fixture::three_nights();
    let when = "2026-10-10T01:00:00+08:00";
    fixture.ask("object_lists/again.txt", when, &["#c.jpg", "z"]);
    let night = fixture.begin(when);
    for name in ["#c.jpg", "z"] {
        let attempt = failed(name, when, SourceMissing, "No\tSuch\nKey", 404);
        fixture.settle(&night, attempt);
    }
    fixture.end(&night, when, 4, "failed");
    let mail = mail_of(&fixture, &ran(4));
    assert_eq!(
        mail.attachment.unwrap().text,
        "task\tstanding\tcause\ttime\tURL-encoded name\tname\terror code\n\
         photos\tnew\tsource_missing\t2026-10-10T01:00:00.000+08:00\t%23c.jpg\t#c.jpg\tNo Such Key\n\
         photos\tnew\tsource_missing\t2026-10-10T01:00:00.000+08:00\tz\tz\tNo Such Key\n"
    );
}

#[test]
fn no_name_and_no_word_of_a_server_is_markup_or_leaves_its_line() {
    let hostile = [
        "<img src=x onerror=alert(1)>",
        "a\" onmouseover=\"alert(1)",
        "x\nphotos: 9 synced",
        "\u{202e}gpj.exe",
        "\u{1b}[2J",
        "`code` & </td></table>",
    ];
    let when = "2026-10-05T01:00:00Z";
    for name in hostile {
        let mut fixture = Fixture::new("UTC");
        fixture.ask("object_lists/a.txt", when, &[name]);
        let night = fixture.begin(when);
        fixture.settle(&night, failed(name, when, SourceMissing, "NoSuchKey", 404));
        fixture.end(&night, when, 4, "failed");
        let mail = mail_of(&fixture, &ran(1));
        for hidden in ['\u{202e}', '\u{1b}'] {
            assert!(!mail.text.contains(hidden) && !mail.html.contains(hidden));
        }
        for markup in ["<img", "\" onmouseover", "</td></table>"] {
            assert!(!mail.html.contains(markup), "{name:?} {markup}");
        }
        let lines = mail.text.lines();
        assert_eq!(
            lines.filter(|line| line.contains("9 synced")).count(),
            usize::from(name.contains("9 synced"))
        );
    }
}

#[test]
fn without_a_ledger_the_mail_tells_what_is_known_without_one() {
    let happened = Happened {
        schedules: BTreeMap::new(),
        tasks: vec![
            (
                photos(),
                Ended::NotRun {
                    reason: ExitReason::Unusable,
                    said: "secret_access_key: the environment variable S is not set".to_owned(),
                },
            ),
            ("films".parse().unwrap(), Ended::NotBegun),
        ],
        troubles: vec![Trouble {
            reason: ExitReason::Owed,
            short: "no backup".to_owned(),
            said: "the disk is full".to_owned(),
        }],
    };
    let mail = bare(&happened, &signature(), at("2026-10-09T00:00:00Z"));
    assert_eq!(
        mail.subject,
        "photos: did not run: configuration or ledger unusable; films: not begun, for a stop was \
         asked for; no backup"
    );
    let begins = "  no backup: the disk is full\n\nphotos\ndid not run: configuration or ledger \
                  unusable\n\n  Why: secret_access_key: the environment variable S is not set\n\nfilms\n";
    assert!(mail.text.starts_with(begins), "{}", mail.text);
}

#[test]
fn every_ending_has_a_place_and_a_subject() {
    let mut fixture = Fixture::new("UTC");
    let when = "2026-10-05T01:00:00Z";
    fixture.ask("object_lists/a.txt", when, &["a", "b"]);
    let night = fixture.begin(when);
    fixture.settle(&night, synced("a", when, 1));
    fixture.end(&night, when, 8, "unbalanced,deferred");
    let later = "2026-10-06T01:00:00Z";
    let empty = fixture.begin(later);
    fixture.end(&empty, later, 6, "deferred");
    let latest = "2026-10-07T01:00:00Z";
    fixture.refused(latest, FailureCause::ClockSkew, "RequestTimeTooSkewed");
    let paused = Ended::Paused(fixture.zone.local(at(when)));
    let locked = Ended::NotRun {
        reason: ExitReason::Locked,
        said: "held".to_owned(),
    };
    for (ended, subject) in [
        (
            Ended::Ran(1),
            "photos: BOOKS DO NOT BALANCE, 1 synced, 1 deferred",
        ),
        (
            Ended::Ran(3),
            "photos: could not begin: clock_skew, 1 deferred",
        ),
        (locked, "photos: did not run: another run is at work"),
        (paused, "photos: paused"),
        (
            Ended::NotBegun,
            "photos: not begun, for a stop was asked for",
        ),
    ] {
        let happened = Happened {
            schedules: BTreeMap::new(),
            tasks: vec![(photos(), ended)],
            troubles: Vec::new(),
        };
        assert_eq!(mail_of(&fixture, &happened).subject, subject);
    }
}

#[test]
fn a_month_is_told_by_itself() {
    let fixture = Fixture::three_nights();
    let now = at("2026-10-09T07:00:00+08:00");
    let mail = month(&fixture.ledger, None, MonthChoice::This, &signature(), now).unwrap();
    assert_eq!(
        mail.subject,
        "photos, 2026-10: 3 synced, 1 failed, 1 pending"
    );
    assert!(mail.id.starts_with("summary."));
    for line in [
        "photos\n\nOctober 2026\n",
        "  Requested         7\n",
        "  source_missing: The source has no object of this name: compare it byte for\n",
    ] {
        assert!(mail.text.contains(line), "{}", mail.text);
    }
}
