//! Signatures, rights and limits.

use std::time::Duration;

use reqwest::blocking::Body;
use rusty_s3::Method;

use super::client::{BUCKET, NOTHING, client, client_of, elements, error, header};
use crate::s3_server::{ACCESS_KEY, Rights, S3Server};

#[test]
fn a_wrong_key_or_secret_is_refused() {
    let mut client = client();
    client.access_key = "AKIAUNKNOWN".to_owned();
    assert_eq!(
        error(client.get("k", NOTHING)),
        (403, "InvalidAccessKeyId".to_owned())
    );
    client.access_key = ACCESS_KEY.to_owned();
    client.secret_key = "wrong".to_owned();
    assert_eq!(
        error(client.get("k", NOTHING)),
        (403, "SignatureDoesNotMatch".to_owned())
    );
    assert_eq!(client.head("k", NOTHING).status(), 403);
    let anonymous = format!("{}/{BUCKET}/k", client.server.endpoint());
    let answer = client.plain_http().get(anonymous).send().unwrap();
    assert_eq!(error(answer), (403, "AccessDenied".to_owned()));
    let requests = client.server.requests();
    assert!(requests.iter().all(|request| request.access_key.is_none()));
}

#[test]
fn unsigned_amz_headers_are_refused() {
    let client = client();
    let url = client.url(Method::Put, "k", NOTHING, NOTHING);
    let request = client
        .plain_http()
        .put(url)
        .body("x")
        .header("x-amz-meta-name", "ferry");
    let answer = request.send().unwrap().text().unwrap();
    assert_eq!(elements(&answer, "Code"), ["AccessDenied"]);
    assert_eq!(elements(&answer, "HeadersNotSigned"), ["x-amz-meta-name"]);
    assert!(client.server.keys(BUCKET).is_empty());
}

#[test]
fn a_body_of_unknown_length_is_refused() {
    let client = client();
    let answer = client.put("k", NOTHING, Body::new(&b"chunked"[..]));
    assert_eq!(error(answer), (411, "MissingContentLength".to_owned()));
    assert!(client.server.keys(BUCKET).is_empty());
}

#[test]
fn limits_of_keys_and_metadata_are_kept() {
    let client = client();
    let long = "k".repeat(1025);
    assert_eq!(
        error(client.put(&long, NOTHING, "")),
        (400, "KeyTooLongError".to_owned())
    );
    let fits = "v".repeat(2048 - 4);
    assert_eq!(
        client.put("k", &[("x-amz-meta-name", &fits)], "").status(),
        200
    );
    let large = "v".repeat(2048 - 3);
    let answer = client.put("k", &[("x-amz-meta-name", &large)], "");
    assert_eq!(error(answer), (400, "MetadataTooLarge".to_owned()));
}

#[test]
fn a_wrong_clock_is_refused_until_the_client_follows_the_date() {
    for offset in [-7_200, 7_200] {
        let mut client = client();
        client.server.put(BUCKET, "k", "");
        client.server.set_clock_offset(offset);
        let refused = client.get("k", NOTHING);
        assert_eq!(refused.status(), 403);
        let date = jiff::fmt::rfc2822::parse(header(&refused, "date")).unwrap();
        client.clock_offset_seconds =
            date.timestamp().as_second() - jiff::Timestamp::now().as_second();
        assert!((client.clock_offset_seconds - offset).abs() < 5);
        let code = if offset < 0 {
            "RequestTimeTooSkewed"
        } else {
            "AccessDenied"
        };
        assert_eq!(error(refused).1, code);
        assert_eq!(client.get("k", NOTHING).status(), 200);
    }
}

#[test]
fn a_presigned_request_is_good_until_it_expires() {
    let mut client = client();
    client.server.put(BUCKET, "k", "");
    client.clock_offset_seconds = -3_000;
    client.expires_in = Duration::from_hours(1);
    assert_eq!(client.get("k", NOTHING).status(), 200);
    client.expires_in = Duration::from_secs(2_000);
    assert_eq!(
        error(client.get("k", NOTHING)),
        (403, "AccessDenied".to_owned())
    );
}

#[test]
fn rights_are_enforced_and_can_change() {
    let server = S3Server::builder().credentials("AKIAOTHER", "other/secret", Rights::READ_ONLY);
    let mut client = client_of(server.start());
    client.access_key = "AKIAOTHER".to_owned();
    client.secret_key = "other/secret".to_owned();
    client.server.put(BUCKET, "in/k", "");
    client.server.put(BUCKET, "k", "");
    let denied = (403, "AccessDenied".to_owned());
    assert_eq!(client.get("k", NOTHING).status(), 200);
    assert_eq!(error(client.put("k", NOTHING, "")), denied);
    assert_eq!(error(client.delete("k")), denied);
    assert_eq!(client.get("no", NOTHING).status(), 404);

    client.server.set_rights(
        "AKIAOTHER",
        Rights {
            list: false,
            prefix: Some("in/".to_owned()),
            ..Rights::FULL
        },
    );
    assert_eq!(error(client.get("k", NOTHING)), denied);
    assert_eq!(client.head("in/no", NOTHING).status(), 403);
    assert_eq!(client.get("in/k", NOTHING).status(), 200);
    assert_eq!(client.delete("in/k").status(), 204);
    let copy = client.put("in/copy", &[("x-amz-copy-source", "night-a/k")], "");
    assert_eq!(error(copy), denied);
}

#[test]
fn a_bucket_that_its_requester_pays_for_answers_only_who_says_so() {
    let client = client();
    client.server.put(BUCKET, "k", "x");
    client.server.set_requester_pays(BUCKET);
    assert_eq!(
        error(client.get("k", NOTHING)),
        (403, "AccessDenied".to_owned())
    );
    let pays = [("x-amz-request-payer", "requester")];
    assert_eq!(client.get("k", &pays).status(), 200);
    let copy = [("x-amz-copy-source", "bucket/k")];
    assert_eq!(client.put("c", &copy, "").status(), 403);
}

#[test]
fn an_access_key_that_has_expired_is_told_so() {
    let client = client();
    client.server.put(BUCKET, "k", "x");
    client.server.expire(ACCESS_KEY);
    assert_eq!(
        error(client.get("k", NOTHING)),
        (400, "ExpiredToken".to_owned())
    );
}
