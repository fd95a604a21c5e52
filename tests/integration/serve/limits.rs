//! Callers who take their time, or all there is: they hurt nobody else.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::thread;

use super::{Answer, EVENTS, House, NOTIFICATIONS, PHOTOS, Serving, event, request};

/// What is answered until the other side ends the connection; that it resets it
/// is an end too.
fn rest(stream: &mut TcpStream) -> String {
    let mut answer = Vec::new();
    let mut chunk = [0; 4096];
    loop {
        match stream.read(&mut chunk) {
            Ok(0) => break,
            Ok(count) => answer.extend_from_slice(&chunk[..count]),
            Err(error) if error.kind() == ErrorKind::ConnectionReset => break,
            Err(error) => panic!("{error}"),
        }
    }
    String::from_utf8(answer).unwrap()
}

fn head(length: &str) -> String {
    format!(
        "POST {EVENTS} HTTP/1.1\r\nHost: localhost\r\nX-Auth-Token: {PHOTOS}\r\n{length}\r\n\r\n"
    )
}

#[test]
fn who_does_not_come_to_the_end_of_a_head_or_a_body_is_cut_off() {
    let house = House::with("patience = \"1s\"", "");
    let serving = house.serve();
    for (sent, expected) in [
        (String::new(), None),
        (head("")[..40].to_owned(), None),
        (head("Content-Length: 100") + "{\"object_keys\"", Some(408)),
        (
            head("Transfer-Encoding: chunked") + "5\r\n{\"obj",
            Some(408),
        ),
    ] {
        let mut stream = serving.connect();
        stream.write_all(sent.as_bytes()).unwrap();
        let answer = rest(&mut stream);
        let status = (!answer.is_empty()).then(|| Answer::parse(&answer).status);
        // What is cut off in its head may be told so, or not.
        assert!(
            status == expected || expected.is_none() && status == Some(408),
            "{answer}"
        );
    }
    serving.accepts(&["a"]);
}

#[test]
fn a_connection_on_which_nothing_comes_any_more_is_ended() {
    let house = House::with("patience = \"1s\"", "");
    let serving = house.serve();
    let mut stream = serving.connect();
    let body = event(&["a"]);
    let request = head(&format!("Content-Length: {}", body.len())) + &body;
    stream.write_all(request.as_bytes()).unwrap();
    assert_eq!(Answer::parse(&rest(&mut stream)).status, 200);
}

#[test]
fn heads_and_bodies_without_end_are_refused() {
    let house = House::with("most_body = \"16KiB\"\npatience = \"1s\"", "");
    let serving = house.serve();
    let filler = "x".repeat(1 << 20);
    let chunks = format!("{:x}\r\n{filler}\r\n", filler.len());
    for (sent, status) in [
        (format!("POST {EVENTS} HTTP/1.1\r\nX-Filler: {filler}"), 431),
        (format!("POST /{filler} HTTP/1.1\r\n"), 414),
        (
            format!("POST {EVENTS} HTTP/1.1\r\n{}", "A: b\r\n".repeat(200)),
            431,
        ),
        (head("Content-Length: 1048576") + &filler, 413),
        (head("Transfer-Encoding: chunked") + &chunks, 413),
    ] {
        let mut stream = serving.connect();
        // It may be refused before all is sent.
        drop(stream.write_all(sent.as_bytes()));
        let answer = rest(&mut stream);
        if !answer.is_empty() {
            let said = Answer::parse(&answer).status;
            assert!(said == status || status == 414 && said == 431, "{answer}");
        }
    }
    serving.accepts(&["a"]);
}

#[test]
fn those_who_hold_all_connections_make_others_wait_for_a_moment_only() {
    let house = House::with("patience = \"1s\"\nconnections = 4", "");
    let serving = house.serve();
    let idle: Vec<TcpStream> = (0..4).map(|_| serving.connect()).collect();
    serving.accepts(&["a"]);
    drop(idle);
}

#[test]
fn who_never_takes_an_answer_is_cut_off() {
    let house = House::with("patience = \"1s\"\nconnections = 1", "");
    let serving = house.serve();
    let mut stream = serving.connect();
    let request = format!("GET / HTTP/1.1\r\nHost: {}\r\n\r\n", "x".repeat(100));
    // Answers pile up until no more of these are taken.
    let sender = thread::spawn(move || while stream.write_all(request.as_bytes()).is_ok() {});
    serving.accepts(&["a"]);
    sender.join().unwrap();
}

#[test]
fn bodies_share_a_memory_and_who_finds_none_is_told_to_come_again() {
    let house = House::with("most_body = \"16KiB\"\nmemory = \"16KiB\"", "");
    let serving = house.serve();
    let half = head("Content-Length: 16384") + "{\"object_keys\": [\"" + &"x".repeat(16_000);
    // The slow one may itself find no memory, while another call has it.
    let (slow, busy) = loop {
        let mut slow = serving.connect();
        slow.write_all(half.as_bytes()).unwrap();
        if let Some(busy) = answered(&serving, 503) {
            break (slow, busy);
        }
    };
    assert!(busy.head.contains("retry-after: 1"), "{busy:?}");
    drop(slow);
    while answered(&serving, 200).is_none() {}
}

/// Sends some times, until this is answered.
fn answered(serving: &Serving, status: u16) -> Option<Answer> {
    let name = "y".repeat(900);
    (0..20)
        .map(|_| serving.send(&[&name]))
        .find(|answer| answer.status == status)
}

#[test]
fn whatever_bytes_are_sent_it_goes_on() {
    let house = House::with("patience = \"1s\"", "");
    let serving = house.serve();
    let mut random = fastrand::Rng::with_seed(7);
    for round in 0..200 {
        let mut stream = serving.connect();
        let mut bytes: Vec<u8> = (0..random.usize(1..300)).map(|_| random.u8(..)).collect();
        if round % 2 == 0 {
            let mut whole = request(
                NOTIFICATIONS,
                &[("X-Auth-Token", PHOTOS)],
                "{\"Records\":[]}",
            )
            .into_bytes();
            for byte in bytes.iter().take(3) {
                let place = random.usize(..whole.len());
                whole[place] = *byte;
            }
            bytes = whole;
        }
        drop(stream.write_all(&bytes));
        drop(stream.shutdown(std::net::Shutdown::Write));
        drop(rest_bytes(&mut stream));
    }
    serving.accepts(&["a"]);
    let ended = serving.stop();
    assert_eq!(ended.code, Some(0));
    assert!(!ended.stderr.contains("panicked"), "{}", ended.stderr);
    assert_eq!(house.requested(), ["a"]);
}

fn rest_bytes(stream: &mut TcpStream) -> Vec<u8> {
    let mut bytes = Vec::new();
    drop(stream.read_to_end(&mut bytes));
    bytes
}
