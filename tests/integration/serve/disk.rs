//! Disks that are full, or refuse in the middle of a write.

use super::{House, event};
use crate::trouble::disk::Disk;

#[test]
fn when_the_disk_is_full_callers_are_told_to_come_again_and_nothing_else_is_kept() {
    let house = House::new();
    let Some(disk) = Disk::mount_at(house.data(), "32m") else {
        return;
    };
    let serving = house.serve();
    serving.accepts(&["a"]);
    house.wait_requested(1);
    disk.fill();
    let name = "x".repeat(1_000);
    let names: Vec<String> = (0..900).map(|n| format!("{n}{name}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    // What was reserved may take the first; soon nothing is taken any more.
    let mut accepted = 0;
    let refused = loop {
        let answer = serving.post(
            super::EVENTS,
            &[("X-Auth-Token", super::PHOTOS)],
            &event(&names),
        );
        if answer.status != 200 {
            break answer;
        }
        accepted += names.len();
    };
    assert_eq!(refused.status, 503, "{refused:?}");
    assert!(refused.head.contains("retry-after: 30"), "{refused:?}");
    assert!(
        refused.error().1.contains("the disk is full"),
        "{refused:?}"
    );
    assert_eq!(house.lines().len(), 1 + accepted);
    disk.make_room();
    serving.accepts(&["b"]);
    assert_eq!(house.lines().len(), 2 + accepted);
    assert!(house.lists().values().all(|text| text.ends_with('\n')));
    house.wait_requested(2 + accepted);
    let ended = serving.stop();
    assert_eq!(ended.code, Some(0));
    assert!(
        ended.stderr.contains("names are recorded again"),
        "{}",
        ended.stderr
    );
    house.check_books();
}

#[test]
fn what_was_written_of_names_that_could_not_be_written_whole_is_taken_back() {
    let house = House::new();
    // No file may have more than 2 MiB; a write that would goes as far as that.
    let serving = house.serve_after("trap '' XFSZ; ulimit -f 2048");
    let name = "x".repeat(1_000);
    let mut accepted = 0;
    let mut refused = 0;
    while house.lists().len() < 3 {
        let names: Vec<String> = (0..300).map(|n| format!("{accepted}-{n}-{name}")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let answer = serving.send(&names);
        match answer.status {
            200 => accepted += names.len(),
            status => {
                assert_eq!(status, 503, "{answer:?}");
                assert!(
                    answer.error().1.contains("the disk refuses them"),
                    "{answer:?}"
                );
                refused += 1;
            }
        }
    }
    assert_eq!(refused, 2);
    let lists = house.lists();
    assert!(lists.values().all(|text| text.ends_with('\n')));
    let mut lines = house.lines();
    assert_eq!(lines.len(), accepted);
    lines.sort();
    lines.dedup();
    assert_eq!(lines.len(), accepted);
    // The ledger was not to grow either; now it may.
    assert_eq!(serving.stop().code, Some(0));
    let serving = house.serve();
    house.wait_requested(accepted);
    assert_eq!(serving.stop().code, Some(0));
    house.check_books();
}
