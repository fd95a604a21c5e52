//! Nights that could not start.

use nightferry::run::TaskLock;

use super::{Desk, parsed, text};
use crate::smtp_server::Trouble;

#[test]
fn a_run_that_could_not_begin_tells_why() {
    let desk = Desk::new();
    let task = desk.harbour.task("photos", "", "nowhere", "dst");
    desk.harbour
        .configure(&format!("{}\n{task}", desk.section("")));
    desk.harbour.list("first.txt", "a\n");
    assert_eq!(desk.harbour.night().code, 9);
    assert_eq!(
        desk.subjects(),
        ["photos: could not begin: bucket_missing, 1 deferred"]
    );
    let received = desk.server.received();
    let said = text(&parsed(&received[0]));
    assert!(
        said.contains("  could not begin: bucket_missing: "),
        "{said}"
    );
    assert!(
        said.contains("  1 deferred: Nothing was tried; the next run takes them."),
        "{said}"
    );
}

#[test]
fn a_task_at_which_another_run_is_at_work_is_told() {
    let desk = Desk::new();
    assert_eq!(desk.harbour.night().code, 0);
    let lock = desk.harbour.data_dir().join("locks/photos.lock");
    let held = TaskLock::take(&lock, 0o600).unwrap();
    assert_eq!(desk.harbour.night().code, 5);
    drop(held);
    assert_eq!(
        desk.subjects()[1..],
        ["photos: did not run: another run is at work"]
    );
}

#[test]
fn keys_that_are_not_there_are_told_without_a_ledger() {
    let desk = Desk::new();
    let broken = desk.text("").replacen(
        "secret_access_key = \"",
        "secret_access_key = { env = \"NIGHTFERRY_NO_SUCH_VARIABLE\" }\n# \"",
        1,
    );
    desk.harbour.configure(&broken);
    assert_eq!(desk.harbour.night().code, 3);
    assert_eq!(
        desk.subjects(),
        ["photos: did not run: configuration or ledger unusable"]
    );
    let received = desk.server.received();
    let said = text(&parsed(&received[0]));
    assert!(
        said.contains("NIGHTFERRY_NO_SUCH_VARIABLE is not set"),
        "{said}"
    );
}

#[test]
fn a_configuration_with_mistakes_is_told_by_what_is_right_of_it() {
    let desk = Desk::new();
    desk.harbour
        .configure(&desk.text("").replace("[[task]]", "wokers = 4\n[[task]]"));
    let end = desk.harbour.night();
    assert_eq!(end.code, 3, "{end:?}");
    assert_eq!(desk.subjects(), [""; 0], "the mistake stands in [mail]");
    desk.harbour
        .configure(&format!("wokers = 4\n{}", desk.text("")));
    assert_eq!(desk.harbour.run(&["run", "--dry-run"]).code, 3);
    assert_eq!(desk.harbour.run(&["status"]).code, 3);
    assert_eq!(desk.subjects(), [""; 0]);
    assert_eq!(desk.harbour.night().code, 3);
    assert_eq!(
        desk.subjects(),
        ["Nightferry: did not run: configuration or ledger unusable"]
    );
    let received = desk.server.received();
    let said = text(&parsed(&received[0]));
    let said = said.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(
        said.contains("wokers: unknown key; did you mean `workers`?"),
        "{said}"
    );
}

#[test]
fn a_ledger_that_is_none_is_told_and_what_cannot_be_kept_is_said() {
    let desk = Desk::new();
    assert_eq!(desk.harbour.night().code, 0);
    std::fs::write(desk.harbour.data_dir().join("ledger.sqlite"), "none").unwrap();
    assert_eq!(desk.harbour.night().code, 3);
    let told = "photos: did not run: configuration or ledger unusable";
    assert_eq!(desk.subjects()[1..], [told]);
    desk.server.is_in(Trouble::HasNoRoom);
    let end = desk.harbour.night();
    assert_eq!(end.code, 3);
    assert!(
        end.stderr.contains(
            "the mail was not sent, and without a ledger it cannot be kept for a later run: "
        ),
        "{end:?}"
    );
}
