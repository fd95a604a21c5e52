//! Nights whose copies are written with a storage class, encrypted, with tags, or
//! with a stamp, each way an object may go.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use super::interrupted::wait_until;
use super::process::Ended;
use super::recognised::killed_behind_the_copy;
use super::{DESTINATION_KEY, SOURCE_KEY, Setup, World};
use crate::s3_server::{Fault, FaultAction, NewObject, Rights};

/// So many go in three parts.
const LARGE_BYTES: usize = 12 * 1024 * 1024;
const KMS: &str = "encryption = \"sse-kms\"\nkms_key_id = \"night\"\n";
const TAGGED: &str = "copy_tags = true\n";
const FAILED: &str = "SELECT name, cause, error_code FROM failed_requests ORDER BY name";

/// A task with these lines, and these of its destination.
fn configured(world: &World, task_lines: &'static str, destination_lines: &'static str) {
    world.configure(&Setup {
        task_lines,
        destination_lines,
        ..world.setup()
    });
}

/// An object of this text with these headers, an hour old.
fn put(world: &World, name: &str, headers: &[(&str, &str)]) {
    let headers = headers
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    let object = NewObject {
        body: name.as_bytes().to_vec(),
        content_type: Some("text/plain".to_owned()),
        headers: headers.collect(),
        metadata: BTreeMap::from([("berth".to_owned(), "7".to_owned())]),
        last_modified: Some(SystemTime::now() - Duration::from_hours(1)),
    };
    world.server.put("src", name, object);
}

/// As [`put`], of so many bytes that it goes in parts.
fn put_large(world: &World, name: &str, headers: &[(&str, &str)]) {
    let headers = headers
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    let object = NewObject {
        body: (0..=250).cycle().take(LARGE_BYTES).collect(),
        content_type: Some("text/plain".to_owned()),
        headers: headers.collect(),
        metadata: BTreeMap::from([("berth".to_owned(), "7".to_owned())]),
        last_modified: Some(SystemTime::now() - Duration::from_hours(1)),
    };
    world.server.put("src", name, object);
}

/// A header of a copy, or of its user metadata.
fn header(world: &World, name: &str, header: &str) -> Option<String> {
    let copy = world.server.object("dst", name).unwrap();
    match header.strip_prefix("x-amz-meta-") {
        Some(metadata) => copy.metadata.get(metadata).cloned(),
        None => copy.headers.get(header).cloned(),
    }
}

/// That the copies have the bytes of their sources, and what travels with them.
fn check_arrived(world: &World, names: &[&str]) {
    for name in names {
        let original = world.server.object("src", name).unwrap();
        let copy = world.server.object("dst", name).unwrap();
        assert_eq!(copy.sha256(), original.sha256(), "{name}");
        assert_eq!(copy.metadata["berth"], "7", "{name}");
        assert_eq!(copy.headers["content-type"], "text/plain", "{name}");
    }
    world.check_delivered();
    world.check_books();
}

/// That the ledger knows the copies of this night as its own in the next.
fn check_known(world: &World, names: &[&str]) {
    world.ask("again", names);
    world.night(0);
    let known = format!("ended|{0}|0|0|{0}|0|0|done", names.len());
    assert_eq!(world.runs().pop(), Some(known));
    assert_eq!(
        world.rows("SELECT DISTINCT reason FROM object_history WHERE outcome = 'ignored'"),
        ["already_copied"]
    );
}

/// Two objects, one of which goes in parts, each way: the server copies or not.
fn each_way(
    task_lines: &'static str,
    destination_lines: &'static str,
    headers: &[(&str, &str)],
    check: impl Fn(&World, &str),
) {
    for server_side in [false, true] {
        let names = ["film", "small"];
        let world = World::asked_for(&[]);
        world.server.set_kms_key("night", true);
        put(&world, "small", headers);
        put_large(&world, "film", headers);
        world.ask("first", &names);
        world.configure(&Setup {
            server_side,
            task_lines,
            destination_lines,
            ..world.setup()
        });
        world.night(0);
        assert_eq!(world.runs(), ["ended|2|2|0|0|0|0|done"]);
        let copied = usize::from(server_side);
        for name in names {
            assert_eq!(world.came("CopyObject", "dst", name), copied);
            check(&world, name);
        }
        let parts = world.came("CreateMultipartUpload", "dst", "film");
        assert_eq!(parts, 1 - copied);
        check_arrived(&world, &names);
        check_known(&world, &names);
    }
}

fn did_not_begin(world: &World, cause: &str, code: &str, words: &str) -> Ended {
    let ended = world.night(9);
    assert_eq!(
        world.runs().last().unwrap(),
        "ended|1|0|0|0|1|9|could_not_begin,deferred,owed"
    );
    assert!(ended.stderr.contains(words), "{ended:?}");
    assert_eq!(world.copies(), [""; 0]);
    assert_eq!(world.rows(FAILED), [""; 0]);
    let doctor = world.does(&["doctor"]);
    assert_eq!(doctor.code, Some(9), "{doctor:?}");
    for said in [cause, code, words] {
        assert!(doctor.stdout.contains(said), "{said}: {doctor:?}");
    }
    doctor
}

#[test]
fn a_key_that_the_destination_does_not_know_is_one_error_at_the_start() {
    let world = World::asked_for(&["a"]);
    configured(&world, "", KMS);
    let hint = "the key that `encryption` and `kms_key_id` of the destination mean must be there";
    did_not_begin(&world, "permission_missing", "KMS.NotFoundException", hint);
    world.server.set_kms_key("night", false);
    did_not_begin(&world, "permission_missing", "KMS.DisabledException", hint);
    world.server.set_kms_key("night", true);
    world.night(0);
    assert_eq!(world.copies(), ["a"]);
    assert_eq!(world.does(&["doctor"]).code, Some(0));
    world.check_delivered();
    world.check_books();
}

#[test]
fn a_key_that_is_disabled_in_the_middle_fails_objects_for_another_night() {
    let world = World::one_by_one(&["a", "b"]);
    world.server.set_kms_key("night", true);
    world.configure(&Setup {
        workers: 1,
        destination_lines: KMS,
        ..world.setup()
    });
    let gate = world.server.gate("PutObject", "dst", Some("b"));
    let night = world.begins(&["run"]);
    gate.wait_arrived();
    world.server.set_kms_key("night", false);
    gate.open();
    let ended = night.end();
    assert_eq!(ended.code, Some(4), "{ended:?}");
    assert_eq!(
        world.rows(FAILED),
        ["b|destination_denied|KMS.DisabledException"]
    );
    let words = world.rows("SELECT message FROM failed_requests");
    assert!(words[0].contains("must be there, enabled"), "{words:?}");
    world.server.set_kms_key("night", true);
    world.night(0);
    assert_eq!(world.copies(), ["a", "b"]);
    world.check_books();
}

#[test]
fn a_destination_that_forgets_to_encrypt_is_one_error_at_the_start() {
    let world = World::asked_for(&["a"]);
    configured(&world, "", "encryption = \"sse-s3\"\n");
    let forgets = FaultAction::Forget("x-amz-server-side-encryption");
    world.server.on(Fault::new(forgets).operation("PutObject"));
    let words = "it was to encrypt with AES256, and says of its encryption nothing";
    did_not_begin(&world, "bad_request", "destination encryption", words);
    world.server.clear_faults();
    world.night(0);
    assert_eq!(
        header(&world, "a", "x-amz-server-side-encryption").as_deref(),
        Some("AES256")
    );
}

#[test]
fn a_destination_that_forgets_tags_is_one_error_at_the_start() {
    let world = World::asked_for(&["a"]);
    configured(&world, TAGGED, "");
    let forgets = FaultAction::Forget("x-amz-tagging");
    world.server.on(Fault::new(forgets).operation("PutObject"));
    let words = "took the canary with a tag and does not keep it";
    did_not_begin(&world, "bad_request", "destination tags", words);
}

#[test]
fn tags_that_may_not_be_read_or_written_are_one_error_at_the_start() {
    let unread = Rights {
        read_tags: false,
        ..Rights::READ_ONLY
    };
    let unwritten = Rights {
        write_tags: false,
        ..Rights::FULL
    };
    for (key, rights, usual, right) in [
        (SOURCE_KEY, unread, Rights::READ_ONLY, "s3:GetObjectTagging"),
        (
            DESTINATION_KEY,
            unwritten,
            Rights::FULL,
            "s3:PutObjectTagging",
        ),
    ] {
        let world = World::asked_for(&["a"]);
        configured(&world, TAGGED, "");
        world.server.set_rights(key, rights);
        let words = format!("`copy_tags` needs the right {right}");
        did_not_begin(&world, "permission_missing", "AccessDenied", &words);
        world.server.set_rights(key, usual);
        world.night(0);
        assert_eq!(world.copies(), ["a"]);
        assert_eq!(world.does(&["doctor"]).code, Some(0));
    }
}

#[test]
fn a_class_that_the_destination_does_not_know_is_one_error_at_the_start() {
    let world = World::asked_for(&["a"]);
    configured(&world, "", "storage_class = { GLACIER = \"NO_SUCH\" }\n");
    let canary = "oms/sync_task/photos/.canary";
    let refusal = Fault::answer(400, "InvalidStorageClass").key(canary);
    world.server.on(refusal.operation("PutObject").after(5));
    let ended = world.night(9);
    assert!(ended.stderr.contains("InvalidStorageClass"), "{ended:?}");
    assert_eq!(
        world.runs(),
        ["ended|1|0|0|0|1|9|could_not_begin,deferred,owed"]
    );
}

#[test]
fn a_source_that_closes_its_tags_in_the_middle_fails_objects_for_another_night() {
    let world = World::one_by_one(&["a", "b"]);
    world.configure(&Setup {
        workers: 1,
        task_lines: TAGGED,
        ..world.setup()
    });
    let gate = world.server.gate("GetObjectTagging", "src", Some("b"));
    let night = world.begins(&["run"]);
    gate.wait_arrived();
    let unread = Rights {
        read_tags: false,
        ..Rights::READ_ONLY
    };
    world.server.set_rights(SOURCE_KEY, unread);
    gate.open();
    assert_eq!(night.end().code, Some(4));
    assert_eq!(world.rows(FAILED), ["b|source_denied|AccessDenied"]);
    let words = world.rows("SELECT message FROM failed_requests");
    assert!(words[0].contains("s3:GetObjectTagging"), "{words:?}");
    assert_eq!(world.copies(), ["a"]);
    world.server.set_rights(SOURCE_KEY, Rights::READ_ONLY);
    world.night(0);
    assert_eq!(world.copies(), ["a", "b"]);
    world.check_books();
}

#[test]
fn what_cannot_be_written_with_an_object_fails_for_good_and_the_others_go() {
    for server_side in [false, true] {
        let names = ["class", "good", "illegal", "many", "metadata"];
        let world = World::asked_for(&[]);
        put(&world, "good", &[("x-amz-tagging", "a=b")]);
        put(&world, "class", &[("x-amz-storage-class", "OWN")]);
        put(&world, "illegal", &[("x-amz-tagging", "a%21=b")]);
        let many: Vec<String> = (0..11).map(|tag| format!("{tag}=x")).collect();
        put(&world, "many", &[("x-amz-tagging", &many.join("&"))]);
        put(
            &world,
            "metadata",
            &[("x-amz-meta-long", &"x".repeat(2000))],
        );
        let refusal = Fault::answer(400, "InvalidStorageClass").key("class");
        for operation in ["PutObject", "CopyObject"] {
            world.server.on(refusal.clone().operation(operation));
        }
        world.ask("first", &names);
        world.configure(&Setup {
            task_lines: "copy_tags = true\nstamp_source = true\n",
            destination_lines: "storage_class = \"same\"\n",
            server_side,
            ..world.setup()
        });
        world.night(4);
        assert_eq!(
            world.rows(FAILED),
            [
                "class|metadata_refused|InvalidStorageClass",
                "illegal|metadata_refused|InvalidTag",
                "many|metadata_refused|",
                "metadata|metadata_refused|MetadataTooLarge"
            ],
            "{server_side}"
        );
        let words = world.rows("SELECT message FROM failed_requests WHERE name = 'many'");
        assert_eq!(
            words,
            ["the object's tags cannot be written: there are 11, and S3 keeps 10"]
        );
        assert_eq!(world.copies(), ["good"]);
        world.check_books();
    }
}

/// Lines of the destination, headers of the source, and the class of the copy.
type Case = (
    &'static str,
    &'static [(&'static str, &'static str)],
    Option<&'static str>,
);

#[test]
fn copies_get_the_storage_class_that_the_rule_gives() {
    let class = "x-amz-storage-class";
    let ia: &[_] = &[("x-amz-storage-class", "STANDARD_IA")];
    let cases: [Case; 6] = [
        ("", ia, None),
        ("storage_class = \"ONEZONE_IA\"\n", ia, Some("ONEZONE_IA")),
        ("storage_class = \"same\"\n", ia, Some("STANDARD_IA")),
        ("storage_class = \"same\"\n", &[], Some("STANDARD")),
        (
            "storage_class = { STANDARD = \"GLACIER\" }\n",
            &[],
            Some("GLACIER"),
        ),
        ("storage_class = { STANDARD = \"GLACIER\" }\n", ia, None),
    ];
    for (lines, headers, expected) in cases {
        each_way("", lines, headers, |world, name| {
            let found = header(world, name, class);
            assert_eq!(found.as_deref(), expected, "{lines} {name}");
        });
    }
}

#[test]
fn copies_are_encrypted_with_the_servers_own_keys() {
    each_way("", "encryption = \"sse-s3\"\n", &[], |world, name| {
        let kind = header(world, name, "x-amz-server-side-encryption");
        assert_eq!(kind.as_deref(), Some("AES256"));
        let proof = format!("SELECT verified FROM object_history WHERE name = '{name}'");
        assert!(["etag_md5", "crc64nvme"].contains(&&*world.rows(&proof)[0]));
    });
}

#[test]
fn copies_under_a_key_are_proven_without_their_tag() {
    each_way("", KMS, &[], |world, name| {
        let kind = header(world, name, "x-amz-server-side-encryption");
        assert_eq!(kind.as_deref(), Some("aws:kms"));
        let key = header(world, name, "x-amz-server-side-encryption-aws-kms-key-id");
        assert_eq!(key.as_deref(), Some("night"));
        let copy = world.server.object("dst", name).unwrap();
        let row = format!(
            "SELECT copy_etag, verified FROM object_history WHERE name = '{name}' AND run = 1"
        );
        let row = world.rows(&row);
        let (etag, proof) = row[0].split_once('|').unwrap();
        assert_eq!(etag, copy.etag);
        let by_server = world.came("CopyObject", "dst", name) == 1;
        let expected = match (by_server, name) {
            (true, _) => "size_only",
            (false, "film") => "crc64nvme",
            (false, _) => "content_md5",
        };
        assert_eq!(proof, expected, "{name}");
        // The lists are encrypted too.
        let lists = world.server.keys("dst");
        let lists: Vec<&String> = lists.iter().filter(|key| key.starts_with("oms/")).collect();
        assert!(lists.len() > 2);
        for list in lists {
            let kind = header(world, list, "x-amz-server-side-encryption");
            assert_eq!(kind.as_deref(), Some("aws:kms"), "{list}");
        }
    });
}

#[test]
fn a_copy_under_a_key_that_was_not_written_down_is_known_by_its_bytes() {
    for (server_side, operation) in [(false, "PutObject"), (true, "CopyObject")] {
        let world = World::asked_for(&["a"]);
        world.server.set_kms_key("night", true);
        world.configure(&Setup {
            destination_lines: KMS,
            server_side,
            ..world.setup()
        });
        killed_behind_the_copy(&world, operation, "a");
        world.night(0);
        assert_eq!(world.requests(), ["a|synced|"]);
        assert_eq!(
            world.rows("SELECT verified FROM object_history"),
            ["sha256"]
        );
        assert_eq!(world.came(operation, "dst", "a"), 1);
        check_known(&world, &["a"]);
    }
}

#[test]
fn an_archived_copy_that_was_not_written_down_fails_nothing() {
    let world = World::asked_for(&["a"]);
    world.server.set_kms_key("night", true);
    configured(
        &world,
        "",
        "encryption = \"sse-kms\"\nkms_key_id = \"night\"\nstorage_class = \"GLACIER\"\n",
    );
    killed_behind_the_copy(&world, "PutObject", "a");
    world.night(0);
    // Whose it is cannot be read, and it is later than the source.
    assert_eq!(world.requests(), ["a|ignored|newer_at_destination"]);
    world.check_books();
}

#[test]
fn tags_come_along() {
    let tags = "a%20b=c%2Fd%2B&%C3%BC=";
    each_way(TAGGED, "", &[("x-amz-tagging", tags)], |world, name| {
        assert_eq!(
            header(world, name, "x-amz-tagging").as_deref(),
            Some(tags),
            "{name}"
        );
    });
    // Not asked for, they stay behind.
    each_way("", "", &[("x-amz-tagging", tags)], |world, name| {
        assert_eq!(header(world, name, "x-amz-tagging"), None, "{name}");
        assert_eq!(world.came("GetObjectTagging", "src", name), 0);
    });
}

#[test]
fn a_copy_is_stamped_with_its_source() {
    let old = [("x-amz-meta-nightferry-source-etag", "of another copy")];
    each_way("stamp_source = true\n", "", &old, |world, name| {
        let original = world.server.object("src", name).unwrap();
        let etag = header(world, name, "x-amz-meta-nightferry-source-etag");
        assert_eq!(etag, Some(original.etag));
        let at = header(world, name, "x-amz-meta-nightferry-source-modified-at").unwrap();
        let at = chrono::DateTime::parse_from_rfc3339(&at).unwrap();
        assert_eq!(SystemTime::from(at), original.last_modified);
    });
}

#[test]
fn an_upload_in_parts_goes_on_only_with_what_it_was_begun_with() {
    type Change = fn(&World);
    let changes: [(Change, usize); 4] = [
        (|_| {}, 0),
        (
            |world| {
                configured(world, TAGGED, "storage_class = \"STANDARD_IA\"\n");
            },
            1,
        ),
        (|world| configured(world, TAGGED, KMS), 1),
        // Its tag stays the same.
        (
            |world| put_large(world, "film", &[("x-amz-tagging", "a=2")]),
            1,
        ),
    ];
    for (change, begun_anew) in changes {
        let world = World::asked_for(&[]);
        world.server.set_kms_key("night", true);
        configured(&world, TAGGED, "");
        put_large(&world, "film", &[("x-amz-tagging", "a=1")]);
        world.ask("first", &["film"]);
        let stalls = Fault::new(FaultAction::StallForever).operation("UploadPart");
        world.server.on(stalls.after(1));
        let night = world.begins(&["run"]);
        wait_until("a part", || {
            let begun = world.came("UploadPart", "dst", "film") > 1;
            begun && !world.rows("SELECT 1 FROM upload_part").is_empty()
        });
        night.kill();
        world.server.clear_faults();
        let sent = world.came("UploadPart", "dst", "film");
        change(&world);
        world.night(0);
        let creates = world.came("CreateMultipartUpload", "dst", "film");
        assert_eq!(creates, 1 + begun_anew);
        assert_eq!(
            world.came("AbortMultipartUpload", "dst", "film"),
            begun_anew
        );
        let again = world.came("UploadPart", "dst", "film") - sent;
        assert_eq!(again, 2 + begun_anew);
        check_arrived(&world, &["film"]);
        let original = world.server.object("src", "film").unwrap();
        assert_eq!(
            header(&world, "film", "x-amz-tagging").as_ref(),
            original.headers.get("x-amz-tagging")
        );
        assert_eq!(world.server.uploads("dst"), []);
    }
}

/// What a server may forget of a copy that it makes by itself, and how that is asked for.
const FORGOTTEN: [(&str, &str, &str); 3] = [
    ("x-amz-server-side-encryption", "", KMS),
    ("x-amz-tagging", TAGGED, ""),
    (
        "x-amz-meta-nightferry-source-etag",
        "stamp_source = true\n",
        "",
    ),
];

/// A world whose server forgets `header` of what it copies by itself.
fn forgetful(
    header: &'static str,
    task_lines: &'static str,
    destination_lines: &'static str,
) -> World {
    let world = World::asked_for(&[]);
    world.server.set_kms_key("night", true);
    for name in ["a", "b"] {
        put(&world, name, &[("x-amz-tagging", "a=b")]);
    }
    world.ask("first", &["a", "b"]);
    world.configure(&Setup {
        workers: 1,
        server_side: true,
        task_lines,
        destination_lines,
        ..world.setup()
    });
    let forgets = Fault::new(FaultAction::Forget(header)).operation("CopyObject");
    world.server.on(forgets);
    world
}

#[test]
fn what_a_server_forgets_of_its_own_copies_is_read_and_written() {
    for (forgotten, task_lines, destination_lines) in FORGOTTEN {
        let world = forgetful(forgotten, task_lines, destination_lines);
        let ended = world.does(&["run", "-v"]);
        assert_eq!(ended.code, Some(0), "{ended:?}");
        assert!(
            ended.stderr.contains("copied by the server, lacks: "),
            "{ended:?}"
        );
        assert_eq!(world.runs(), ["ended|2|2|0|0|0|0|done"]);
        for name in ["a", "b"] {
            assert_ne!(header(&world, name, forgotten), None, "{name} {forgotten}");
            assert_eq!(world.came("PutObject", "dst", name), 1);
        }
        assert_eq!(world.came("CopyObject", "dst", "b"), 0);
        check_arrived(&world, &["a", "b"]);
        check_known(&world, &["a", "b"]);
    }
}

#[test]
fn what_a_server_forgot_of_a_copy_that_was_not_written_down_is_made_up_for() {
    for (forgotten, task_lines, destination_lines) in FORGOTTEN {
        let world = forgetful(forgotten, task_lines, destination_lines);
        let stalls = Fault::new(FaultAction::StallAnswer).operation("PutObject");
        world.server.on(stalls.key("a"));
        // Copied, found wanting and removed, and written anew; then nothing is heard.
        let night = world.begins(&["run"]);
        wait_until("the copy", || header_is_there(&world, forgotten));
        night.kill();
        // Instead of that copy the one that the server made stands there.
        world.server.remove("dst", "a");
        let bare = NewObject {
            body: b"a".to_vec(),
            ..NewObject::default()
        };
        world.server.put("dst", "a", bare);
        world.server.clear_faults();
        world.night(0);
        assert_ne!(header(&world, "a", forgotten), None, "{forgotten}");
        assert_eq!(world.requests(), ["a|synced|", "b|synced|"]);
        check_arrived(&world, &["a", "b"]);
    }
}

fn header_is_there(world: &World, name: &str) -> bool {
    world.server.object("dst", "a").is_some() && header(world, "a", name).is_some()
}

#[test]
fn tags_that_a_server_forgets_of_uploads_in_parts_are_put_on_the_object() {
    let world = World::asked_for(&[]);
    put_large(&world, "film", &[("x-amz-tagging", "a=b&c=d")]);
    world.ask("first", &["film"]);
    configured(&world, TAGGED, "");
    let forgets = Fault::new(FaultAction::Forget("x-amz-tagging"));
    world.server.on(forgets.operation("CreateMultipartUpload"));
    world.night(0);
    assert_eq!(
        header(&world, "film", "x-amz-tagging").as_deref(),
        Some("a=b&c=d")
    );
    assert_eq!(world.came("PutObjectTagging", "dst", "film"), 1);
    check_arrived(&world, &["film"]);
    check_known(&world, &["film"]);
}

#[test]
fn an_upload_in_parts_that_is_not_encrypted_is_removed_and_fails() {
    let world = World::asked_for(&[]);
    world.server.set_kms_key("night", true);
    put_large(&world, "film", &[]);
    world.ask("first", &["film"]);
    configured(&world, "", KMS);
    let forgets = Fault::new(FaultAction::Forget("x-amz-server-side-encryption"));
    world.server.on(forgets.operation("CreateMultipartUpload"));
    world.night(4);
    assert_eq!(world.rows(FAILED), ["film|bad_request|"]);
    let words = world.rows("SELECT message FROM failed_requests");
    assert!(
        words[0].ends_with("lacks: it is not encrypted with aws:kms; the wrong copy was removed"),
        "{words:?}"
    );
    assert_eq!(world.copies(), [""; 0]);
    world.check_books();
}
