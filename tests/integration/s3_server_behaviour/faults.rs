//! Faults, gates and the log of requests.

use std::thread;
use std::time::Duration;

use rusty_s3::Method;

use super::client::{BUCKET, NOTHING, base64, client, elements, error, header, quoted_md5};
use crate::s3_server::{Fault, FaultAction};

#[test]
fn an_error_is_answered_as_often_as_asked_for() {
    let client = client();
    client.server.put(BUCKET, "k", "");
    client.server.on(Fault::answer(503, "SlowDown")
        .operation("GetObject")
        .after(1)
        .times(2));
    let statuses = [0; 5].map(|_| client.get("k", NOTHING).status().as_u16());
    assert_eq!(statuses, [200, 503, 503, 200, 200]);
    assert_eq!(client.head("k", NOTHING).status(), 200);
    let fault = client.server.on(Fault::new(FaultAction::Answer {
        status: 429,
        code: "TooManyRequests",
        message: "Later.",
        headers: vec![("retry-after".to_owned(), "3".to_owned())],
    }));
    let answer = client.put("k", NOTHING, vec![1; 3_000_000]);
    assert_eq!(header(&answer, "retry-after"), "3");
    assert_eq!(error(answer), (429, "TooManyRequests".to_owned()));
    client.server.remove_fault(fault);
    assert_eq!(client.get("k", NOTHING).status(), 200);
}

#[test]
fn a_dropped_answer_is_not_a_dropped_request() {
    let client = client();
    let drop = |action| {
        client
            .server
            .on(Fault::new(action).operation("PutObject").times(1))
    };
    drop(FaultAction::DropConnection);
    assert!(
        client
            .try_send(Method::Put, "k", NOTHING, NOTHING, "x")
            .is_err()
    );
    assert!(client.server.keys(BUCKET).is_empty());
    drop(FaultAction::DropAnswer);
    assert!(
        client
            .try_send(Method::Put, "k", NOTHING, NOTHING, "x")
            .is_err()
    );
    assert_eq!(client.server.keys(BUCKET), ["k"]);
    assert!(
        client
            .server
            .requests()
            .iter()
            .all(|request| request.status.is_none())
    );
}

#[test]
fn bodies_are_cut_and_altered() {
    let client = client();
    client.server.put(BUCKET, "small", "0123456789");
    client.server.put_random(BUCKET, "large", 3_000_000, 1);
    for key in ["small", "large"] {
        let right = client.server.object(BUCKET, key).unwrap().body();
        let cut = right.len() as u64 / 2;
        client
            .server
            .on(Fault::new(FaultAction::TruncateBody { after_bytes: cut }).times(1));
        let mut answer = client.get(key, NOTHING);
        let mut received = Vec::new();
        answer.copy_to(&mut received).unwrap_err();
        assert_eq!(received, right[..right.len() / 2]);
        client
            .server
            .on(Fault::new(FaultAction::FlipByte { at: cut }).times(1));
        let mut altered = client.get(key, NOTHING).bytes().unwrap().to_vec();
        assert_ne!(altered, right);
        altered[right.len() / 2] ^= 1;
        assert_eq!(altered, right);
    }
}

#[test]
fn what_is_stored_corrupted_has_the_etag_of_what_is_stored() {
    let client = client();
    client
        .server
        .on(Fault::new(FaultAction::StoreCorrupted).times(1));
    let md5 = base64::<s3s::crypto::Md5>(b"body");
    let answer = client.put("k", &[("content-md5", &md5)], "body");
    let stored = client.server.object(BUCKET, "k").unwrap();
    assert_eq!(stored.body(), b"cody");
    assert_eq!(header(&answer, "etag"), quoted_md5(b"cody"));
    assert_eq!(format!("\"{}\"", stored.etag), quoted_md5(b"cody"));
    client.server.on(Fault::new(FaultAction::WrongEtag));
    let wrong = client.head("k", NOTHING);
    assert_ne!(header(&wrong, "etag"), quoted_md5(b"cody"));
}

#[test]
fn a_success_can_carry_an_error() {
    let client = client();
    let fault = FaultAction::CompleteAnswers200WithError {
        code: "InternalError",
    };
    client
        .server
        .on(Fault::new(fault).operation("CompleteMultipartUpload"));
    let query = [("uploadId", "any")];
    let xml = "<CompleteMultipartUpload/>";
    let answer = client
        .try_send(Method::Post, "k", &query, NOTHING, xml)
        .unwrap();
    assert_eq!(answer.status(), 200);
    assert_eq!(elements(&answer.text().unwrap(), "Code"), ["InternalError"]);
}

#[test]
fn a_callback_changes_what_the_request_finds() {
    let client = client();
    client.server.put(BUCKET, "k", "old");
    let replace = FaultAction::call_back(|server| server.put(BUCKET, "k", "new"));
    client.server.on(Fault::new(replace).times(1));
    assert_eq!(client.get("k", NOTHING).text().unwrap(), "new");
    client
        .server
        .on(Fault::new(FaultAction::call_back(|server| {
            server.remove(BUCKET, "k");
        })));
    client
        .server
        .on(Fault::answer(500, "InternalError").key("k"));
    assert_eq!(client.get("k", NOTHING).status(), 500);
    assert!(client.server.keys(BUCKET).is_empty());
    client.server.clear_faults();
    assert_eq!(client.put("k", NOTHING, "").status(), 200);
}

#[test]
fn a_gate_holds_requests_back_until_it_is_opened() {
    let client = client();
    client.server.put(BUCKET, "k", "old");
    let gate = client.server.gate("GetObject", BUCKET, Some("k"));
    thread::scope(|scope| {
        let answer = scope.spawn(|| client.get("k", NOTHING).text().unwrap());
        gate.wait_arrived();
        assert_eq!(client.server.requests()[0].status, None);
        client.server.put(BUCKET, "k", "new");
        gate.open();
        assert_eq!(answer.join().unwrap(), "new");
    });
    assert_eq!(
        (gate.arrived(), client.get("k", NOTHING).status().as_u16()),
        (1, 200)
    );
}

#[test]
fn requests_are_logged_in_order() {
    let client = client();
    assert_eq!(
        client
            .put("a b", &[("x-amz-meta-name", "ferry")], "")
            .status(),
        200
    );
    client.list(&[("prefix", "a +")]);
    let requests = client.server.requests();
    let operations: Vec<_> = requests.iter().map(|request| &*request.operation).collect();
    assert_eq!(operations, ["PutObject", "ListObjectsV2"]);
    assert_eq!((&*requests[0].bucket, &*requests[0].key), (BUCKET, "a b"));
    assert_eq!(requests[0].header("x-amz-meta-name"), Some("ferry"));
    assert_eq!(requests[0].status, Some(200));
    assert_eq!(requests[1].parameter("prefix").as_deref(), Some("a +"));
    client.server.clear_requests();
    assert!(client.server.requests().is_empty());
}

#[test]
fn a_stalled_request_ends_with_the_server() {
    let client = client();
    client.server.put(BUCKET, "k", "0123456789");
    client
        .server
        .on(Fault::new(FaultAction::StallForever).operation("HeadObject"));
    client
        .server
        .on(Fault::new(FaultAction::StallBody { after_bytes: 4 }).operation("GetObject"));
    let (head, get) = (
        client.url(Method::Head, "k", NOTHING, NOTHING),
        client.url(Method::Get, "k", NOTHING, NOTHING),
    );
    let http = client.plain_http().clone();
    let gate = client.server.gate("HeadObject", BUCKET, None);
    let stalled = thread::spawn(move || {
        let mut body = Vec::new();
        let mut answer = http.get(get).send().unwrap();
        let read = std::io::Read::read(&mut answer, &mut [0; 16]).unwrap();
        assert_eq!(read, 4);
        assert!(http.head(head).send().is_err());
        assert!(answer.copy_to(&mut body).is_err());
    });
    gate.wait_arrived();
    gate.open();
    thread::sleep(Duration::from_millis(50));
    drop(client);
    stalled.join().unwrap();
}
