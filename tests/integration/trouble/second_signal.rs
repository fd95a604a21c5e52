//! A second signal, wherever the run is: it records and ends, and waits for nobody.

use std::sync::mpsc;

use super::process::{Ended, Night};
use super::{CANARY_PUTS, World};
use crate::s3_server::{Fault, FaultAction};

/// Two different ones: the system may make one of two that are the same.
fn twice(night: Night) -> Ended {
    night.signal("TERM");
    night.signal("INT");
    night.end()
}

/// Requests that the fault meets are never answered; the receiver hears of them.
fn stalls(world: &World, fault: impl Fn(FaultAction) -> Fault) -> mpsc::Receiver<()> {
    let (sender, arrived) = mpsc::channel();
    let tell = FaultAction::call_back(move |_| {
        let _ = sender.send(());
    });
    world.server.on(fault(tell));
    world.server.on(fault(FaultAction::StallForever));
    arrived
}

#[test]
fn a_check_of_the_buckets_is_not_waited_for() {
    for (operation, bucket) in [("ListObjectsV2", "src"), ("PutObject", "dst")] {
        let world = World::asked_for(&["a", "b"]);
        let arrived = stalls(&world, |action| {
            Fault::new(action).operation(operation).bucket(bucket)
        });
        let night = world.begins(&["run"]);
        arrived.recv().unwrap();
        let ended = twice(night);
        assert_eq!(ended.code, Some(6), "{ended:?}");
        assert_eq!(world.runs(), ["ended|2|0|0|0|2|6|deferred,owed"]);
        assert_eq!(
            world.rows("SELECT DISTINCT deferral FROM pending_requests"),
            ["stopped"]
        );
        assert_eq!(world.manifests(), 1);
        world.server.clear_faults();
        world.night(0);
        world.check_delivered();
        world.check_books();
    }
}

#[test]
fn the_delivery_of_a_list_is_not_waited_for() {
    for operation in ["HeadObject", "PutObject"] {
        let world = World::asked_for(&["a", "b"]);
        // The canary and two copies pass, or one look at each.
        let passing = if operation == "PutObject" {
            CANARY_PUTS + 2
        } else {
            2
        };
        let arrived = stalls(&world, |action| {
            Fault::new(action)
                .operation(operation)
                .bucket("dst")
                .after(passing)
        });
        let night = world.begins(&["run"]);
        arrived.recv().unwrap();
        let ended = twice(night);
        assert_eq!(ended.code, Some(7), "{ended:?}");
        assert!(
            ended
                .stderr
                .contains("not waited for, as the run was asked to stop twice"),
            "{ended:?}"
        );
        assert_eq!(world.runs(), ["ended|2|2|0|0|0|7|owed"]);
        assert_eq!(world.manifests(), 1);
        world.server.clear_faults();
        world.night(0);
        world.check_delivered();
        world.check_books();
    }
}

#[test]
fn a_list_in_the_bucket_is_not_waited_for() {
    let list = "oms/sync_task/photos/object_lists/list.txt";
    let stall_body = FaultAction::StallBody { after_bytes: 3 };
    for action in [FaultAction::StallForever, stall_body] {
        let world = World::new();
        world.configure(&super::Setup {
            task_lines: "read_lists_from_destination = true",
            ..world.setup()
        });
        world.put(&["a", "b"]);
        world.server.put("dst", list, "a\nb\n");
        let (sender, arrived) = mpsc::channel();
        let tell = FaultAction::call_back(move |_| {
            let _ = sender.send(());
        });
        for action in [tell, action] {
            // The check of the bucket reads the canary; nothing else is read.
            let fault = Fault::new(action).operation("GetObject").key(list);
            world.server.on(fault);
        }
        let night = world.begins(&["run"]);
        arrived.recv().unwrap();
        let ended = twice(night);
        assert_eq!(ended.code, Some(6), "{ended:?}");
        assert_eq!(world.runs(), ["ended|0|0|0|0|0|6|deferred"]);
        world.server.clear_faults();
        world.night(0);
        assert_eq!(world.copies(), ["a", "b"]);
        world.check_books();
    }
}

#[test]
fn a_dry_run_waits_for_nobody_either() {
    for operation in ["ListObjectsV2", "HeadObject"] {
        let world = World::asked_for(&["a", "b"]);
        let arrived = stalls(&world, |action| {
            Fault::new(action).operation(operation).bucket("src")
        });
        let night = world.begins(&["run", "--dry-run"]);
        arrived.recv().unwrap();
        let ended = twice(night);
        assert!(ended.stdout.contains("would take 2 requests"), "{ended:?}");
    }
}
