//! Buckets whose readers pay.

use std::fs;

use super::{Ended, Setup, World};

/// `names` are asked for, and the source answers only who pays.
fn world(names: &[&str], server_side: bool) -> World {
    let world = World::asked_for(names);
    world.server.set_requester_pays("src");
    world.configure(&Setup {
        server_side,
        ..world.setup()
    });
    world
}

/// Has the source's requests say that we pay.
fn pays(world: &World) {
    let text = fs::read_to_string(world.config()).unwrap();
    let text = text.replace(
        "bucket = \"src\"\n",
        "bucket = \"src\"\nrequester_pays = true\n",
    );
    fs::write(world.config(), text).unwrap();
}

/// Every request about the source says it, and no other.
fn check_said(world: &World) {
    for request in world.server.requests() {
        let source = request.header("x-amz-copy-source");
        let is_about_source = request.bucket == "src" || source.is_some();
        let payer = request.header("x-amz-request-payer");
        assert_eq!(payer, is_about_source.then_some("requester"), "{request:?}");
    }
}

#[test]
fn a_source_that_its_readers_pay_for_refuses_who_does_not_say_so() {
    let world = world(&["a"], false);
    let ended: Ended = world.night(9);
    assert!(ended.stderr.contains("(permission_missing): "), "{ended:?}");
    pays(&world);
    world.server.clear_requests();
    world.night(0);
    assert_eq!(world.copies(), ["a"]);
    check_said(&world);
}

#[test]
fn every_request_about_the_source_says_that_we_pay_and_is_signed_so() {
    for server_side in [false, true] {
        let world = world(&["a", "b", "gone", "large"], server_side);
        world.server.remove("src", "gone");
        world.server.put_random("src", "large", 9 << 20, 7);
        pays(&world);
        assert_eq!(world.does(&["doctor"]).code, Some(0));
        world.night(4);
        assert_eq!(world.copies(), ["a", "b", "large"]);
        let operations: Vec<String> = world
            .server
            .requests()
            .into_iter()
            .map(|request| request.operation)
            .collect();
        let wanted = if server_side {
            "CopyObject"
        } else {
            "GetObject"
        };
        assert!(operations.iter().any(|operation| operation == wanted));
        check_said(&world);
    }
}
