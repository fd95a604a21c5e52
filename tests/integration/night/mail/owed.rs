//! Mails that are not taken, and when one is sent at all.

use std::collections::BTreeSet;
use std::fs;

use super::{Desk, parsed, text};
use crate::night::hook::Hook;
use crate::smtp_server::{PASSWORD, Trouble};
use crate::trouble::process::Night;

/// What the ledger says of owed mails.
fn owed(desk: &Desk) -> Vec<String> {
    desk.harbour
        .rows("SELECT subject, problem FROM owed_mails ORDER BY made_at, id")
}

fn reasons(desk: &Desk) -> Vec<String> {
    desk.harbour
        .rows("SELECT exit_code, exit_reasons FROM run_history ORDER BY run")
}

#[test]
fn a_mail_that_is_not_taken_is_owed_and_sent_by_the_next_run() {
    for (trouble, said) in [
        (
            Trouble::RefusesLogin,
            "refused the login: its words are withheld, for they quote the password; correct user and password in [mail]",
        ),
        (
            Trouble::RefusesRecipient,
            "did not take it: permanent error (550): 5.1.1 no such user here",
        ),
        (
            Trouble::HasNoRoom,
            "did not take it: transient error (452): no room for now",
        ),
        (Trouble::HangsUp, "did not take it: "),
        (
            Trouble::OffersNoTls,
            "does not offer STARTTLS, so nothing was sent to it",
        ),
    ] {
        let desk = Desk::new();
        desk.server.is_in(trouble);
        desk.ask("first.txt", &["a"]);
        let end = desk.harbour.night();
        assert_eq!(end.code, 7, "{trouble:?} {end:?}");
        assert!(end.stderr.contains(said), "{trouble:?} {}", end.stderr);
        assert_eq!(reasons(&desk), ["7|owed"]);
        assert_eq!(desk.subjects(), [""; 0]);
        let rows = owed(&desk);
        assert!(
            rows[0].starts_with("photos: 1 synced|the mail server 127.0.0.1:"),
            "{rows:?}"
        );
        let status = desk.harbour.run(&["status"]);
        assert!(
            status
                .stdout
                .starts_with("1 mail owed, which the next run sends: the mail server"),
            "{status:?}"
        );
        for shown in [&end.stdout, &end.stderr, &status.stdout, &rows.concat()] {
            assert!(!shown.contains(PASSWORD), "{shown}");
        }
        let run_ids = desk.harbour.rows("SELECT run_id FROM run_history");

        desk.server.is_in(Trouble::None);
        desk.harbour.list("second.txt", "gone\n");
        let end = desk.harbour.night();
        assert_eq!(end.code, 4, "{end:?}");
        assert_eq!(
            desk.subjects(),
            ["photos: 1 synced", "photos: 0 synced, 1 failed"]
        );
        let received = desk.server.received();
        let id = format!("run.{}@example.com", run_ids[0]);
        assert_eq!(parsed(&received[0]).message_id(), Some(id.as_str()));
        assert_eq!(owed(&desk), [""; 0]);
        assert_eq!(reasons(&desk), ["7|owed", "4|failed"]);
        let ledger = fs::read(desk.harbour.data_dir().join("ledger.sqlite")).unwrap();
        let password = PASSWORD.as_bytes();
        assert!(!ledger.windows(password.len()).any(|part| part == password));
    }
}

#[test]
fn a_login_that_is_refused_is_tried_once_a_run_however_many_mails_are_owed() {
    let desk = Desk::new();
    desk.server.is_in(Trouble::RefusesLogin);
    for night in 1..=3 {
        assert_eq!(desk.harbour.night().code, 7);
        assert_eq!(desk.server.connections(), night);
        assert_eq!(owed(&desk).len(), night);
    }
}

#[test]
fn a_failed_night_stays_failed_when_its_mail_is_owed() {
    let desk = Desk::new();
    desk.server.is_in(Trouble::HasNoRoom);
    desk.harbour.list("first.txt", "gone\n");
    assert_eq!(desk.harbour.night().code, 4);
    assert_eq!(reasons(&desk), ["4|failed,owed"]);
    let check = desk.harbour.run(&["ledger", "check"]);
    assert_eq!(check.code, 0, "{check:?}");
}

#[test]
fn a_mail_is_sent_when_it_is_wanted() {
    for (when, after_good, after_bad) in [("always", 1, 2), ("problems", 0, 1), ("never", 0, 0)] {
        let desk = Desk::with(&format!("when = \"{when}\""));
        desk.ask("first.txt", &["a"]);
        assert_eq!(desk.harbour.run(&["run", "--dry-run"]).code, 0);
        assert_eq!(desk.server.connections(), 0, "{when}");
        assert_eq!(desk.harbour.night().code, 0);
        assert_eq!(desk.subjects().len(), after_good, "{when}");
        desk.harbour.list("second.txt", "gone\n");
        let before = desk.server.connections();
        assert_eq!(desk.harbour.run(&["run", "--dry-run"]).code, 4);
        assert_eq!(desk.server.connections(), before, "{when}");
        assert_eq!(desk.harbour.night().code, 4);
        assert_eq!(desk.subjects().len(), after_bad, "{when}");
    }
}

#[test]
fn what_is_owed_is_sent_by_a_run_that_is_not_told_itself() {
    let desk = Desk::with("when = \"never\"");
    desk.ask("first.txt", &["a"]);
    assert_eq!(desk.harbour.night().code, 0);
    desk.server.is_in(Trouble::HasNoRoom);
    let end = desk.harbour.run(&["summary", "--mail"]);
    assert_eq!(end.code, 7, "{end:?}");
    assert_eq!(desk.subjects(), [""; 0]);
    desk.server.is_in(Trouble::None);
    assert_eq!(desk.harbour.night().code, 0);
    assert_eq!(desk.subjects().len(), 1);
}

#[test]
fn a_copy_of_the_ledger_that_is_not_made_is_told() {
    let desk = Desk::new();
    let settings = "[backup]\npath = \"nowhere\"\n";
    desk.harbour
        .configure(&format!("{settings}{}", desk.text("")));
    assert_eq!(desk.harbour.night().code, 7);
    assert_eq!(desk.subjects(), ["photos: nothing to do; no backup"]);
    let received = desk.server.received();
    let said = text(&parsed(&received[0]));
    assert!(said.starts_with("  no backup: "), "{said}");
}

#[test]
fn a_mail_server_that_says_nothing_is_given_up_at_a_signal() {
    let desk = Desk::new();
    desk.ask("first.txt", &["a"]);
    desk.server.is_in(Trouble::SaysNothing);
    let night = Night::begin(&desk.harbour.config(), &["run"]);
    desk.server.wait_for_connections(1);
    night.signal("INT");
    let ended = night.end();
    assert_eq!(ended.code, Some(7), "{ended:?}");
    assert!(
        ended
            .stderr
            .contains("not waited for, as a stop was asked for"),
        "{ended:?}"
    );
    assert_eq!(owed(&desk).len(), 1);
    assert_eq!(desk.harbour.runs(), ["1|1|0|0|0|7"]);
}

#[test]
fn a_killed_process_loses_no_mail() {
    let desk = Desk::new();
    desk.ask("first.txt", &["a"]);
    desk.server.is_in(Trouble::SaysNothing);
    let night = Night::begin(&desk.harbour.config(), &["run"]);
    desk.server.wait_for_connections(1);
    night.kill();
    desk.server.is_in(Trouble::None);
    assert_eq!(desk.harbour.night().code, 0);
    assert_eq!(
        desk.subjects(),
        ["photos: 1 synced", "photos: nothing to do"]
    );
}

#[test]
fn whoever_is_pinged_is_told_why_a_mail_was_not_sent() {
    let desk = Desk::new();
    let hook = Hook::start();
    let ping = format!("[ping]\nurl = \"{}\"\n", hook.url());
    desk.harbour.configure(&format!("{ping}{}", desk.text("")));
    desk.server.is_in(Trouble::HasNoRoom);
    desk.ask("first.txt", &["a"]);
    assert_eq!(desk.harbour.night().code, 7);
    let call = &hook.calls()[1];
    assert_eq!(call.path, "/hush/7");
    let (said, shown) = call.body.split_once("\n\nphotos: run 1: ").unwrap();
    let server = format!("127.0.0.1:{}", desk.server.port);
    assert_eq!(
        said,
        format!(
            "exit code 7 (owed)\n\na mail was not sent: the mail server {server} did not take it: \
             transient error (452): no room for now\n\
             1 mail owed; the next run sends what is owed first"
        )
    );
    assert!(shown.starts_with("1 taken = 1 synced + "), "{shown}");
}

#[test]
fn of_two_processes_that_send_at_once_each_mail_comes_once() {
    let desk = Desk::new();
    desk.server.is_in(Trouble::HasNoRoom);
    desk.ask("first.txt", &["a"]);
    assert_eq!(desk.harbour.night().code, 7);
    assert_eq!(owed(&desk).len(), 1);
    // Both find the night's mail owed: the first is held up while it sends.
    desk.server.is_in(Trouble::SaysNothing);
    let first = Night::begin(&desk.harbour.config(), &["summary", "--mail"]);
    desk.server.wait_for_connections(2);
    let second = Night::begin(&desk.harbour.config(), &["summary", "--mail"]);
    while owed(&desk).len() < 3 {
        std::thread::yield_now();
    }
    desk.server.is_in(Trouble::None);
    first.kill();
    let ended = second.end();
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let subjects = desk.subjects();
    assert_eq!(subjects.len(), 3, "{subjects:?}");
    assert_eq!(subjects[0], "photos: 1 synced");
    let received = desk.server.received();
    let ids = received
        .iter()
        .map(|mail| parsed(mail).message_id().unwrap().to_owned());
    assert_eq!(ids.collect::<BTreeSet<String>>().len(), 3);
    // Neither is in the other's way, and nothing is sent twice.
    let both = [(), ()].map(|()| Night::begin(&desk.harbour.config(), &["summary", "--mail"]));
    for night in both {
        assert_eq!(night.end().code, Some(0));
    }
    assert_eq!(desk.subjects().len(), 5);
}
