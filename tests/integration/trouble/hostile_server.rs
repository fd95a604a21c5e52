//! A network and servers that answer at random: no run trusts them.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;
use std::{fs, io};

use fastrand::Rng;
use proptest::prelude::*;

use super::World;

/// Stands before a server, on a port of its own, and spoils answers at random.
struct Spoiler {
    address: SocketAddr,
    spoilt: Arc<AtomicU64>,
}

impl Spoiler {
    /// Spoils one of `rarity` pieces of the answers of the server at `upstream`.
    fn start(upstream: &str, seed: u64, rarity: u64) -> Self {
        let upstream: SocketAddr = upstream.strip_prefix("http://").unwrap().parse().unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let spoilt = Arc::new(AtomicU64::new(0));
        let count = Arc::clone(&spoilt);
        // It ends with the test's process.
        thread::spawn(move || {
            for (number, client) in (0..).zip(listener.incoming()) {
                let rng = Rng::with_seed(seed ^ number);
                let count = Arc::clone(&count);
                thread::spawn(move || {
                    client.and_then(|c| relay(&c, upstream, rng, rarity, &count))
                });
            }
        });
        Self { address, spoilt }
    }
}

fn relay(
    client: &TcpStream,
    upstream: SocketAddr,
    mut rng: Rng,
    rarity: u64,
    spoilt: &AtomicU64,
) -> io::Result<()> {
    let server = TcpStream::connect(upstream)?;
    let (mut from_client, mut to_server) = (client.try_clone()?, server.try_clone()?);
    thread::spawn(move || {
        let copied = io::copy(&mut from_client, &mut to_server);
        drop(to_server.shutdown(Shutdown::Write));
        copied
    });
    let (mut from_server, mut to_client) = (server, client.try_clone()?);
    let mut piece = vec![0; 64 * 1024];
    loop {
        let length = from_server.read(&mut piece)?;
        if length == 0 {
            break;
        }
        let piece = &mut piece[..length];
        if rng.u64(0..rarity) > 0 {
            to_client.write_all(piece)?;
            continue;
        }
        spoilt.fetch_add(1, Ordering::Relaxed);
        if !spoil(piece, &mut to_client, &mut rng)? {
            break;
        }
    }
    drop(from_server.shutdown(Shutdown::Both));
    client.shutdown(Shutdown::Both)
}

/// Sends something else instead of `piece`; `false` if the connection ends with it.
fn spoil(piece: &mut [u8], to: &mut TcpStream, rng: &mut Rng) -> io::Result<bool> {
    match rng.u32(0..6) {
        0 => {
            let at = rng.usize(0..piece.len());
            piece[at] ^= 1 << rng.u32(0..8);
            to.write_all(piece)?;
            return Ok(true);
        }
        1 => to.write_all(&piece[..rng.usize(0..piece.len())])?,
        2 => {
            let (early, late) = piece.split_at(rng.usize(0..piece.len()));
            to.write_all(early)?;
            thread::sleep(Duration::from_millis(50));
            to.write_all(late)?;
            return Ok(true);
        }
        3 => {
            let noise: Vec<u8> = (0..rng.usize(0..2000)).map(|_| rng.u8(..)).collect();
            to.write_all(&noise)?;
        }
        _ => to.write_all(&made_up(rng))?,
    }
    Ok(false)
}

/// An answer that follows HTTP, more or less, and nothing else.
fn made_up(rng: &mut Rng) -> Vec<u8> {
    const STATUS: [&str; 14] = [
        "100", "200", "204", "206", "301", "304", "307", "400", "403", "404", "412", "429", "500",
        "503",
    ];
    const HEADERS: [&str; 16] = [
        "ETag: \"0123456789abcdef0123456789abcdef\"",
        "ETag: \"\"",
        "ETag: W/\"<&>\\\"\"",
        "Content-Length: 99999999999",
        "Content-Length: -1",
        "Content-Length: 0",
        "Transfer-Encoding: chunked",
        "Content-Range: bytes 5-1/0",
        "Last-Modified: Thu, 99 Foo 99999 99:99:99 GMT",
        "Last-Modified: Sun, 06 Nov 1994 08:49:37 GMT",
        "Retry-After: 18446744073709551615",
        "Location: http://127.0.0.1:1/endless",
        "x-amz-meta-x: \u{1b}[2J",
        "x-amz-checksum-crc32c: ////",
        "x-amz-request-id: \u{7f}",
        "x-amz-mp-parts-count: -3",
    ];
    const BODIES: [&str; 7] = [
        "",
        "<html><body>502</body></html>",
        "<Error><Code>NoSuchKey</Code><Message>\u{1b}[31m</Message></Error>",
        "<Error><Code>SlowDown</Code></Error>",
        "<ListBucketResult><IsTruncated>true</IsTruncated></ListBucketResult>",
        "<ListBucketResult><IsTruncated>false</IsTruncated><Contents><Key>../../x</Key>\
         <LastModified>+99999-01-01T00:00:00Z</LastModified><ETag>\n</ETag><Size>-1</Size>\
         </Contents></ListBucketResult>",
        "<InitiateMultipartUploadResult><UploadId>&lt;x&amp;y&gt;</UploadId>\
         </InitiateMultipartUploadResult>",
    ];
    let mut answer = format!(
        "HTTP/1.1 {} Whatever\r\n",
        STATUS[rng.usize(..STATUS.len())]
    );
    for _ in 0..rng.usize(0..5) {
        answer += HEADERS[rng.usize(..HEADERS.len())];
        answer += "\r\n";
    }
    let body = BODIES[rng.usize(..BODIES.len())];
    if rng.bool() {
        answer += "Content-Length: ";
        answer += &body.len().to_string();
        answer += "\r\n";
    }
    (answer + "\r\n" + body).into_bytes()
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: std::env::var("HOSTILE_CASES").map_or(6, |cases| cases.parse().unwrap()),
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn whatever_servers_answer_the_books_balance_and_nothing_is_synced_that_is_not(
        seed in any::<u64>(),
        rarity in 3_u64..30,
        by_md5 in any::<bool>(),
    ) {
        let names: Vec<String> = (0..20).map(|number| format!("name {number}")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let world = World::asked_for(&names);
        world.server.put_random("src", "film", 12 << 20, seed);
        world.ask("film", &["film"]);
        let source = Spoiler::start(&world.server.endpoint(), seed, rarity);
        let destination = Spoiler::start(&world.server.endpoint(), !seed, rarity);
        let mut setup = world.setup();
        if by_md5 {
            setup.task_lines = "checksum = \"md5\"";
        }
        setup.source.endpoint = format!("http://{}", source.address);
        setup.destination.endpoint = format!("http://{}", destination.address);
        let retry = "[retry]\nattempts = 3\nbase = \"1ms\"\ncap = \"5ms\"\n[[task]]";
        fs::write(world.config(), setup.text().replacen("[[task]]", retry, 1)).unwrap();
        // A night that cannot even begin shows little; the next one may.
        for _ in 0..4 {
            let ended = world.run();
            let said = format!("{ended:?}");
            prop_assert!(
                matches!(ended.code, Some(0 | 4 | 6 | 7 | 9)) && !said.contains("panicked"),
                "{said}"
            );
            prop_assert!(!said.contains("\\u{1b}"), "{said}");
        }
        prop_assert!(
            source.spoilt.load(Ordering::Relaxed) + destination.spoilt.load(Ordering::Relaxed) > 0
        );
        world.check_books();
        for name in world.rows("SELECT DISTINCT name FROM requests WHERE state = 'synced'") {
            // What goes in parts, and states nothing but one MD5, is compared as a
            // whole only if the task asks for that.
            if name == "film" && !by_md5 {
                continue;
            }
            let copy = world.server.object("dst", &name);
            let original = world.server.object("src", &name).unwrap();
            prop_assert_eq!(copy.map(|c| c.sha256()), Some(original.sha256()), "{}", name);
        }
        // Once all is well again everything arrives that is not there already.
        world.configure(&world.setup());
        prop_assert_eq!(world.does(&["retry", "--all"]).code, Some(0));
        let night = world.run();
        prop_assert!(matches!(night.code, Some(0)), "{:?}", night);
        for name in names {
            let copy = world.server.object("dst", name).map(|c| c.body());
            prop_assert_eq!(copy.as_deref(), Some(name.as_bytes()));
        }
        world.check_books();
    }
}
