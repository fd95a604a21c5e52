//! Multipart uploads.

use reqwest::blocking::{Body, Response};
use rusty_s3::Method;
use s3s::crypto::{Checksum as _, Crc32c, Md5};

use super::client::{
    BUCKET, Client, NOTHING, base64, client_of, elements, error, header, quoted_md5,
};
use crate::s3_server::S3Server;

fn small_parts() -> Client {
    client_of(S3Server::builder().min_part_bytes(5).start())
}

fn create(client: &Client, headers: &[(&str, &str)]) -> String {
    let created = client
        .try_send(Method::Post, "k", &[("uploads", "")], headers, "")
        .unwrap();
    assert_eq!(created.status(), 200);
    elements(&created.text().unwrap(), "UploadId").concat()
}

fn upload(
    client: &Client,
    upload_id: &str,
    number: &str,
    headers: &[(&str, &str)],
    body: impl Into<Body>,
) -> Response {
    let query = [("partNumber", number), ("uploadId", upload_id)];
    client
        .try_send(Method::Put, "k", &query, headers, body)
        .unwrap()
}

fn complete(client: &Client, upload_id: &str, parts: &[(&str, &str)]) -> Response {
    let parts: Vec<_> = parts
        .iter()
        .map(|(number, etag)| {
            format!("<Part><PartNumber>{number}</PartNumber><ETag>{etag}</ETag></Part>")
        })
        .collect();
    let xml = format!(
        "<CompleteMultipartUpload>{}</CompleteMultipartUpload>",
        parts.concat()
    );
    let query = [("uploadId", upload_id)];
    client
        .try_send(Method::Post, "k", &query, NOTHING, xml)
        .unwrap()
}

#[test]
fn an_upload_becomes_one_object_of_its_parts() {
    let client = small_parts();
    let id = create(
        &client,
        &[("content-type", "text/plain"), ("x-amz-meta-name", "ferry")],
    );
    assert_eq!(
        client.server.uploads(BUCKET),
        [("k".to_owned(), id.clone())]
    );
    let one = upload(&client, &id, "2", NOTHING, "first");
    let md5 = base64::<Md5>(b"last");
    let two = upload(&client, &id, "7", &[("content-md5", &md5)], "last");
    let listed = client
        .try_send(Method::Get, "k", &[("uploadId", &id)], NOTHING, "")
        .unwrap();
    assert_eq!(elements(&listed.text().unwrap(), "PartNumber"), ["2", "7"]);
    let listed = client
        .try_send(Method::Get, "", &[("uploads", "")], NOTHING, "")
        .unwrap();
    assert_eq!(elements(&listed.text().unwrap(), "UploadId"), [&*id]);

    let done = complete(
        &client,
        &id,
        &[("2", header(&one, "etag")), ("7", header(&two, "etag"))],
    );
    assert_eq!(done.status(), 200);
    let md5s = [Md5::checksum(b"first"), Md5::checksum(b"last")].concat();
    let etag = quoted_md5(&md5s).replacen('"', "", 1).replace('"', "-2");
    assert_eq!(
        elements(&done.text().unwrap(), "ETag"),
        [format!("\"{etag}\"")]
    );
    let object = client.server.object(BUCKET, "k").unwrap();
    assert_eq!(
        (object.etag.clone(), object.body()),
        (etag, b"firstlast".to_vec())
    );
    assert_eq!(object.part_sizes, [5, 4]);
    assert_eq!(object.metadata["name"], "ferry");
    assert!(client.server.uploads(BUCKET).is_empty());
    let part = client
        .try_send(Method::Get, "k", &[("partNumber", "2")], NOTHING, "")
        .unwrap();
    assert_eq!(
        (
            part.status().as_u16(),
            header(&part, "x-amz-mp-parts-count")
        ),
        (206, "2")
    );
    assert_eq!(part.text().unwrap(), "last");
    assert_eq!(
        error(complete(&client, &id, &[("2", "x")])),
        (404, "NoSuchUpload".to_owned())
    );
}

#[test]
fn a_wrong_list_of_parts_is_refused() {
    let client = small_parts();
    let id = create(&client, NOTHING);
    let etag = quoted_md5(b"tiny");
    for number in ["1", "2"] {
        assert_eq!(upload(&client, &id, number, NOTHING, "tiny").status(), 200);
    }
    let refused = |parts: &[(&str, &str)]| error(complete(&client, &id, parts)).1;
    assert_eq!(refused(&[("1", &etag), ("2", &etag)]), "EntityTooSmall");
    assert_eq!(refused(&[("2", &etag), ("1", &etag)]), "InvalidPartOrder");
    assert_eq!(refused(&[("1", "\"0123\"")]), "InvalidPart");
    assert_eq!(refused(&[("3", &etag)]), "InvalidPart");
    assert_eq!(refused(&[]), "MalformedXML");
    assert_eq!(complete(&client, &id, &[("2", &etag)]).status(), 200);
}

#[test]
fn an_aborted_upload_is_gone() {
    let client = small_parts();
    let id = create(&client, NOTHING);
    let abort = || {
        client
            .try_send(Method::Delete, "k", &[("uploadId", &id)], NOTHING, "")
            .unwrap()
    };
    assert_eq!(abort().status(), 204);
    assert_eq!(error(abort()), (404, "NoSuchUpload".to_owned()));
    assert_eq!(
        error(upload(&client, &id, "1", NOTHING, "x")),
        (404, "NoSuchUpload".to_owned())
    );
    assert_eq!(
        error(upload(&client, &id, "10001", NOTHING, "x")).1,
        "InvalidArgument"
    );
}

#[test]
fn parts_are_verified_and_their_checksums_are_combined() {
    let client = small_parts();
    let id = create(&client, &[("x-amz-checksum-algorithm", "CRC32C")]);
    let wrong = base64::<Crc32c>(b"other");
    let refused = upload(
        &client,
        &id,
        "1",
        &[("x-amz-checksum-crc32c", &wrong)],
        "first",
    );
    assert_eq!(error(refused), (400, "BadDigest".to_owned()));
    let right = base64::<Crc32c>(b"first");
    let taken = upload(
        &client,
        &id,
        "1",
        &[("x-amz-checksum-crc32c", &right)],
        "first",
    );
    assert_eq!(header(&taken, "x-amz-checksum-crc32c"), right);
    let done = complete(&client, &id, &[("1", header(&taken, "etag"))])
        .text()
        .unwrap();
    let combined = format!("{}-1", base64::<Crc32c>(&Crc32c::checksum(b"first")));
    assert_eq!(elements(&done, "ChecksumCRC32C"), [combined]);
}

#[test]
fn a_part_can_be_copied_from_a_range_of_an_object() {
    let client = small_parts();
    client.server.put(BUCKET, "from", "0123456789");
    let id = create(&client, NOTHING);
    let source = [
        ("x-amz-copy-source", "night-a/from"),
        ("x-amz-copy-source-range", "bytes=3-7"),
    ];
    let copied = upload(&client, &id, "1", &source, "");
    let etag = elements(&copied.text().unwrap(), "ETag").concat();
    assert_eq!(etag, quoted_md5(b"34567"));
    assert_eq!(complete(&client, &id, &[("1", &etag)]).status(), 200);
    assert_eq!(client.server.object(BUCKET, "k").unwrap().body(), b"34567");
}
