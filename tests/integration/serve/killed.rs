//! `serve` is killed, as by a power failure, while names pour in.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use super::{EVENTS, House, PHOTOS, event};

const SENDERS: usize = 8;

/// How often it is killed; `NIGHTFERRY_KILLS=50` for more.
fn kills() -> usize {
    std::env::var("NIGHTFERRY_KILLS").map_or(4, |kills| kills.parse().unwrap())
}

/// Sends names until the connection breaks; answers those that were accepted.
/// Some calls are long, so that a kill may meet them half written.
fn pour(address: SocketAddr, sender: &str, accepted: &AtomicUsize) -> Vec<String> {
    let mut safe = Vec::new();
    let Ok(stream) = TcpStream::connect(address) else {
        return safe;
    };
    stream
        .set_read_timeout(Some(Duration::from_secs(20)))
        .unwrap();
    let mut answers = BufReader::new(stream.try_clone().unwrap());
    for call in 0.. {
        let count = if call % 5 == 4 { 900 } else { 3 };
        let names: Vec<String> = (0..count)
            .map(|name| format!("{sender}-{call}-{name}-{}", "x".repeat(60)))
            .collect();
        let keys: Vec<&str> = names.iter().map(String::as_str).collect();
        let body = event(&keys);
        let request = format!(
            "POST {EVENTS} HTTP/1.1\r\nHost: h\r\nX-Auth-Token: {PHOTOS}\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        let mut status = String::new();
        let sent = (&stream).write_all(request.as_bytes());
        if sent.is_err() || answers.read_line(&mut status).unwrap_or(0) == 0 {
            break;
        }
        assert!(status.starts_with("HTTP/1.1 200 "), "{status}");
        safe.extend(names);
        accepted.fetch_add(1, Ordering::SeqCst);
        let mut field = String::new();
        while answers.read_line(&mut field).unwrap_or(0) > 2 {
            field.clear();
        }
    }
    drop(answers.read_to_end(&mut Vec::new()));
    safe
}

#[test]
fn every_name_that_was_answered_is_in_a_list_once_and_requested_after_the_next_start() {
    let house = House::new();
    let mut safe = BTreeSet::new();
    for kill in 0..kills() {
        let serving = house.serve();
        let accepted = AtomicUsize::new(0);
        let (address, pid) = (serving.address, serving.process);
        thread::scope(|scope| {
            let senders: Vec<_> = (0..SENDERS)
                .map(|sender| {
                    let (accepted, name) = (&accepted, format!("{kill}-{sender}"));
                    scope.spawn(move || pour(address, &name, accepted))
                })
                .collect();
            // At another moment each time.
            while accepted.load(Ordering::SeqCst) < 20 + 7 * kill {
                thread::yield_now();
            }
            pid.kill();
            for sender in senders {
                safe.extend(sender.join().unwrap());
            }
        });
    }
    let serving = house.serve();
    let mut listed: BTreeMap<String, usize> = BTreeMap::new();
    for text in house.lists().values() {
        assert!(text.is_empty() || text.ends_with('\n'));
        for name in text.lines() {
            *listed.entry(name.to_owned()).or_default() += 1;
        }
    }
    for name in &safe {
        assert_eq!(listed.get(name), Some(&1), "{name}");
    }
    assert!(listed.values().all(|times| *times == 1));
    let mut requested = house.wait_requested(listed.len());
    requested.sort();
    assert!(
        requested.iter().eq(listed.keys()),
        "what is listed is requested"
    );
    assert_eq!(house.ask("SELECT list FROM rejected_lines"), [""; 0]);
    assert_eq!(serving.stop().code, Some(0));
    house.check_books();
}
