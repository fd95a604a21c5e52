//! What `doctor` says of trouble that is none for a run, or none of the buckets.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use super::{DESTINATION_KEY, SOURCE_KEY, World};
use crate::s3_server::{Fault, FaultAction, Rights};

#[test]
fn a_destination_that_may_not_be_deleted_from_is_only_a_note() {
    let world = World::asked_for(&["a"]);
    let rights = Rights {
        delete: false,
        ..Rights::FULL
    };
    world.server.set_rights(DESTINATION_KEY, rights);
    let doctor = world.does(&["doctor"]);
    assert_eq!(doctor.code, Some(0), "{doctor:?}");
    assert!(
        doctor
            .stdout
            .contains("note     photos       destination delete "),
        "{doctor:?}"
    );
    assert!(!doctor.stdout.contains("PROBLEM"), "{doctor:?}");
    world.night(0);
    assert_eq!(world.copies(), ["a"]);
    world.check_delivered();
}

#[test]
fn a_right_that_is_missing_is_named_with_what_it_is_missing_on() {
    let without = |change: fn(&mut Rights)| {
        let mut rights = Rights::FULL;
        change(&mut rights);
        rights
    };
    for (key, rights, subject, said) in [
        (
            SOURCE_KEY,
            without(|rights| rights.list = false),
            "source list",
            "Allow the source key s3:ListBucket on src.",
        ),
        (
            SOURCE_KEY,
            without(|rights| rights.read = false),
            "source read",
            "Allow the source key s3:GetObject on src/*.",
        ),
        (
            DESTINATION_KEY,
            without(|rights| rights.list = false),
            "destination list",
            "Allow the destination key s3:ListBucket on dst.",
        ),
        (
            DESTINATION_KEY,
            without(|rights| rights.write = false),
            "destination write",
            "Allow the destination key s3:PutObject on dst/*.",
        ),
    ] {
        let world = World::asked_for(&["a"]);
        world.server.set_rights(key, rights);
        let doctor = world.does(&["doctor"]);
        assert_eq!(doctor.code, Some(9), "{doctor:?}");
        let line = doctor.stdout.lines().find(|line| line.contains(subject));
        let line = line.unwrap();
        assert!(
            line.starts_with("PROBLEM") && line.ends_with(said),
            "{line}"
        );
        assert!(!line.contains("nightferry doctor"), "{line}");
    }
}

#[test]
fn a_destination_that_checks_no_checksum_is_only_a_note_and_copies_go_by_md5() {
    // None is echoed; all are, wrong ones too; all are echoed wrongly.
    for action in [
        FaultAction::IgnoreChecksums { md5_tags: true },
        FaultAction::ParrotChecksums,
        FaultAction::WrongChecksums,
    ] {
        let world = World::asked_for(&["a", "large"]);
        world.server.put_random("src", "large", 9 << 20, 7);
        let said = format!("{action:?}");
        world.server.on(Fault::new(action).bucket("dst"));
        let doctor = world.does(&["doctor"]);
        assert_eq!(doctor.code, Some(0), "{doctor:?}");
        let note = "note     photos       destination checksums ";
        assert!(doctor.stdout.contains(note), "{doctor:?}");
        world.night(0);
        let proofs = "SELECT name, verified FROM object_history ORDER BY name";
        assert_eq!(
            world.rows(proofs),
            ["a|etag_md5", "large|etag_md5"],
            "{said}"
        );
    }
}

#[test]
fn a_destination_that_checks_checksums_gets_large_objects_with_the_cheapest() {
    for (task_lines, verified) in [
        ("", "crc64nvme"),
        ("checksum = \"crc32c\"", "crc32c"),
        ("checksum = \"sha256\"", "sha256"),
        ("checksum = \"md5\"", "etag_md5"),
    ] {
        let world = World::asked_for(&["a", "large"]);
        world.server.put_random("src", "large", 9 << 20, 7);
        let setup = super::Setup {
            task_lines,
            ..world.setup()
        };
        world.configure(&setup);
        world.night(0);
        let of_large = "SELECT verified FROM object_history WHERE name = 'large'";
        assert_eq!(world.rows(of_large), [verified]);
        let source = world.server.object("src", "large").unwrap();
        let copy = world.server.object("dst", "large").unwrap();
        assert_eq!((copy.part_sizes.len(), copy.sha256()), (2, source.sha256()));
    }
}

#[test]
fn a_clock_that_is_a_minute_off_is_only_a_note() {
    let world = World::asked_for(&["a"]);
    world.server.set_clock_offset(60);
    let doctor = world.does(&["doctor"]);
    assert_eq!(doctor.code, Some(0), "{doctor:?}");
    assert_eq!(doctor.stdout.matches("note     photos ").count(), 2);
    world.night(0);
}

#[test]
fn all_is_well_in_a_world_without_trouble() {
    let world = World::asked_for(&["a"]);
    fs::set_permissions(world.data(), fs::Permissions::from_mode(0o700)).unwrap();
    let doctor = world.does(&["doctor"]);
    assert_eq!(doctor.code, Some(0), "{doctor:?}");
    for line in doctor.stdout.lines() {
        assert!(line.starts_with("ok "), "{doctor:?}");
    }
    // It leaves nothing behind but what a run needs anyway.
    assert_eq!(world.server.keys("dst"), [""; 0]);
}

#[test]
fn credentials_that_are_not_there_are_a_problem_of_the_configuration() {
    let world = World::asked_for(&["a"]);
    let text = fs::read_to_string(world.config()).unwrap();
    let missing = format!("\"{}\"", super::SOURCE_SECRET);
    let text = text.replace(&missing, "{ file = \"no-such-file\" }");
    fs::write(world.config(), text).unwrap();
    let doctor = world.does(&["doctor"]);
    assert_eq!(doctor.code, Some(3), "{doctor:?}");
    assert!(
        doctor.stdout.contains("PROBLEM  photos       credentials ")
            && doctor.stdout.contains("no-such-file"),
        "{doctor:?}"
    );
    let ended = world.night(3);
    assert!(ended.stderr.contains("no-such-file"), "{ended:?}");
    assert_eq!(world.server.requests().len(), 0);
    world.configure(&world.setup());
    world.night(0);
}

#[test]
fn a_doctor_makes_nothing() {
    let world = World::new();
    for is_there in [false, true] {
        if is_there {
            fs::create_dir(world.data()).unwrap();
        }
        let doctor = world.does(&["doctor"]);
        assert_eq!((doctor.code, doctor.stderr.as_str()), (Some(0), ""));
        assert!(
            doctor
                .stdout
                .contains("is not there yet; the first run makes it")
        );
        assert_eq!(world.data().exists(), is_there);
    }
    assert_eq!(fs::read_dir(world.data()).unwrap().count(), 0);
}

#[test]
fn a_doctor_looks_at_backups_and_at_what_is_to_serve_and_at_who_may_look() {
    let world = World::asked_for(&["a"]);
    world.night(0);
    let end = |bucket: &str| {
        format!(
            "endpoint = \"{}\"\nbucket = \"{bucket}\"\naccess_key_id = \"{DESTINATION_KEY}\"\n\
             secret_access_key = \"{}\"\n",
            world.server.endpoint(),
            super::DESTINATION_SECRET
        )
    };
    let sections = format!(
        "[backup]\npath = \"backups\"\n[backup.bucket]\n{}\n[serve]\nlisten = \"127.0.0.1:0\"\n\
         tls_certificate = \"nope.pem\"\ntls_key = \"nope.key\"\n\
         [[serve.token]]\nid = \"x\"\nread = true\nsha256 = \"{}\"\n",
        end("bak"),
        "0a".repeat(32)
    );
    fs::write(world.config(), world.setup().text() + &sections).unwrap();
    fs::set_permissions(world.data(), fs::Permissions::from_mode(0o755)).unwrap();
    let doctor = world.does(&["doctor"]);
    assert_eq!(doctor.code, Some(3), "{doctor:?}");
    let line = |begins: &str, said: &str| {
        let mut lines = doctor.stdout.lines();
        assert!(
            lines.any(|line| line.starts_with(begins) && line.contains(said)),
            "{begins}: {said}: {doctor:?}"
        );
    };
    line("PROBLEM               backup ", "backups: No such file");
    line("PROBLEM               backup ", "NoSuchBucket");
    line("PROBLEM               serve ", "nope.pem");
    line(
        "note                  data directory ",
        "run chmod 700 on it",
    );
    fs::create_dir(world.folder.path().join("backups")).unwrap();
    world.server.create_bucket("bak");
    fs::set_permissions(world.data(), fs::Permissions::from_mode(0o700)).unwrap();
    let text = world.setup().text() + sections.split("[serve]").next().unwrap();
    fs::write(world.config(), text).unwrap();
    let doctor = world.does(&["doctor"]);
    assert_eq!(doctor.code, Some(0), "{doctor:?}");
    assert_eq!(doctor.stdout.matches(" backup ").count(), 2, "{doctor:?}");
    assert_eq!(world.server.keys("bak"), [""; 0]);
}

#[test]
fn https_at_a_port_of_http_is_asked_about() {
    let world = World::new();
    let mut setup = world.setup();
    setup.source.endpoint = setup.source.endpoint.replace("http://", "https://");
    world.configure(&setup);
    let doctor = world.does(&["doctor"]);
    assert_eq!(doctor.code, Some(9), "{doctor:?}");
    assert!(
        doctor.stdout.contains("whether it is https:// or http://"),
        "{doctor:?}"
    );
}
