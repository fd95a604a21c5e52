//! The policies in `packaging/iam`: a night asks for nothing that they do not allow.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use serde_json::Value;

use super::Harbour;
use crate::s3_server::{LoggedRequest, NewObject, Rights, S3Server};

/// The keys, by the policies that stand for them.
const SOURCE: (&str, &[&str]) = ("AKSOURCE", &["source", "source-restore"]);
const DESTINATION: (&str, &[&str]) = ("AKDESTINATION", &["destination", "server-side-copy"]);
const BACKUP: (&str, &[&str]) = ("AKBACKUP", &["backup"]);
const KEYS: [(&str, &[&str]); 3] = [SOURCE, DESTINATION, BACKUP];

/// An action, and the resource that it is about.
type Allowed = (String, String);

/// What a policy allows.
fn policy(name: &str) -> BTreeSet<Allowed> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("packaging/iam/{name}.json"));
    let policy: Value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
    assert_eq!(policy["Version"], "2012-10-17");
    let mut allowed = BTreeSet::new();
    for statement in policy["Statement"].as_array().unwrap() {
        assert_eq!(statement["Effect"], "Allow");
        let resource = statement["Resource"].as_str().unwrap();
        let resource = resource.strip_prefix("arn:aws:s3:::").unwrap();
        for action in statement["Action"].as_array().unwrap() {
            let action = action.as_str().unwrap().strip_prefix("s3:").unwrap();
            allowed.insert((action.to_owned(), resource.to_owned()));
        }
    }
    allowed
}

/// What Amazon asks of whoever sends this request, as its documentation of each
/// operation has it.
fn asked(request: &LoggedRequest) -> Vec<Allowed> {
    let object = |action: &str| {
        (
            action.to_owned(),
            format!("{}/{}", request.bucket, request.key),
        )
    };
    let mut asked = vec![match request.operation.as_str() {
        "ListObjectsV2" | "HeadBucket" => ("ListBucket".to_owned(), request.bucket.clone()),
        "GetObject" | "HeadObject" => object("GetObject"),
        "GetObjectTagging" => object("GetObjectTagging"),
        "PutObjectTagging" => object("PutObjectTagging"),
        "DeleteObject" => object("DeleteObject"),
        "AbortMultipartUpload" => object("AbortMultipartUpload"),
        "RestoreObject" => object("RestoreObject"),
        "ListParts" => object("ListMultipartUploadParts"),
        "PutObject"
        | "CopyObject"
        | "CreateMultipartUpload"
        | "UploadPart"
        | "UploadPartCopy"
        | "CompleteMultipartUpload" => object("PutObject"),
        other => panic!("{other} needs a word here and in the policies"),
    }];
    if request.header("x-amz-tagging").is_some() {
        asked.push(object("PutObjectTagging"));
    }
    if let Some(source) = request.header("x-amz-copy-source") {
        let source = source.trim_start_matches('/').to_owned();
        asked.push(("GetObject".to_owned(), source));
    }
    asked
}

fn allows(allowed: &BTreeSet<Allowed>, (action, resource): &Allowed) -> bool {
    allowed.iter().any(|(may, on)| {
        may == action
            && match on.strip_suffix('*') {
                Some(beginning) => resource.starts_with(beginning),
                None => resource == on,
            }
    })
}

#[test]
fn nights_send_nothing_that_the_policies_do_not_allow() {
    let keys = KEYS.iter();
    let server = keys.fold(S3Server::builder(), |server, (key, _)| {
        server.credentials(key, "secret", Rights::FULL)
    });
    let harbour = Harbour::at(server, "", "");
    let end = |section: &str, bucket: &str, key: &str| {
        harbour.server.create_bucket(bucket);
        format!(
            "[{section}]\nendpoint = \"{}\"\nbucket = \"{bucket}\"\naccess_key_id = \"{key}\"\n\
             secret_access_key = \"secret\"\n",
            harbour.server.endpoint()
        )
    };
    let settings = format!(
        "[backup]\nkeep = 1\n{}prefix = \"nightferry/\"\n\
         [[task]]\nid = \"photos\"\nrestore = {{ days = 1 }}\nserver_side_copy = \"SIDE\"\ncopy_tags = true\n{}{}",
        end("backup.bucket", "nightferry-backup", BACKUP.0),
        end("task.source", "photos", SOURCE.0),
        end("task.destination", "photos-copy", DESTINATION.0),
    );
    for name in ["a", "b"] {
        let tagged = NewObject {
            headers: [("x-amz-tagging".to_owned(), "berth=7".to_owned())].into(),
            ..NewObject::from("small")
        };
        harbour.server.put("photos", name, tagged);
        harbour
            .server
            .put_random("photos", &format!("{name}/film"), 24 << 20, 7);
    }
    let mut frozen = NewObject::from("frozen");
    let class = ("x-amz-storage-class".to_owned(), "GLACIER".to_owned());
    frozen.headers.extend([class]);
    harbour.server.put("photos", "frozen", frozen);
    for (side, names, code) in [
        ("never", "a\na/film\nfrozen\nnot there\n", 4),
        ("auto", "b\nb/film\na\n", 0),
    ] {
        harbour.configure(&settings.replace("SIDE", side));
        harbour.list(&format!("{side}.txt"), names);
        let night = harbour.night();
        assert_eq!(night.code, code, "{night:?}");
        assert_eq!(harbour.run(&["doctor"]).code, 0);
    }
    assert_eq!(harbour.copies(), [""; 0], "they go to photos-copy");
    assert_eq!(harbour.run(&["verify", "--task", "photos"]).code, 0);
    assert_eq!(harbour.run(&["ledger", "restore", "--from-bucket"]).code, 0);

    let requests = harbour.server.requests();
    for operation in [
        "CopyObject",
        "UploadPart",
        "DeleteObject",
        "GetObjectTagging",
        "RestoreObject",
    ] {
        let sent = requests
            .iter()
            .any(|request| request.operation == operation);
        assert!(sent, "no {operation}");
    }
    for (key, policies) in KEYS {
        let allowed: BTreeSet<Allowed> = policies.iter().flat_map(|name| policy(name)).collect();
        let mine = |request: &&LoggedRequest| request.access_key.as_deref() == Some(key);
        let mut operations = BTreeSet::new();
        for request in requests.iter().filter(mine) {
            operations.insert(request.operation.as_str());
            for action in asked(request) {
                assert!(
                    allows(&allowed, &action),
                    "{key}: {action:?} for {request:?}"
                );
            }
        }
        assert!(operations.len() > 1, "{key}: {operations:?}");
    }
}

#[test]
fn the_readme_names_the_actions_of_the_policies() {
    let readme = include_str!("../../../README.md");
    let said = |from: &str, to: &str| {
        let text = readme.split(from).nth(1).unwrap().split(to).next().unwrap();
        let actions = text.split("`s3:").skip(1);
        let actions = actions.map(|rest| rest.split('`').next().unwrap().to_owned());
        actions.collect::<BTreeSet<String>>()
    };
    let of = |name: &str| {
        let actions = policy(name).into_iter().map(|(action, _)| action);
        actions.collect::<BTreeSet<String>>()
    };
    assert_eq!(
        said("At the source the keys need", "; at the destination"),
        of("source")
    );
    // Up to the end of the paragraph, which also tells of deleting.
    assert_eq!(
        said("; at the destination to list", "\n"),
        of("destination")
    );
}
