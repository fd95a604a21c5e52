//! A TCP relay before one S3 endpoint, for measuring: it counts the requests
//! that pass, and adds latency.
//!
//! ```text
//! cargo run --release --example relay -- --upstream 127.0.0.1:9000 --delay-ms 20
//! ```
//!
//! says where it listens, and at SIGTERM or Ctrl-C prints as one line of JSON
//! how many requests of each kind it saw. Bytes pass unaltered, both ways; only
//! the heads of requests are read, as far as counting needs. Half of the delay
//! is added in each direction, and all of it once more to a new connection, as
//! its handshake would have taken. Bandwidth is not limited. It speaks plain
//! HTTP/1.1 and is meant for loopback.

use std::collections::BTreeMap;
use std::error::Error;
use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use clap::Parser;
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

/// What is read at once.
const CHUNK_BYTES: usize = 64 << 10;

/// A relay that counts requests and adds latency.
#[derive(Parser)]
struct Options {
    /// The S3 endpoint, as host and port.
    #[arg(long)]
    upstream: String,
    /// What every exchange takes longer, in milliseconds.
    #[arg(long, default_value_t = 0)]
    delay_ms: u64,
}

/// How many requests of each kind passed.
type Counts = Arc<Mutex<BTreeMap<&'static str, u64>>>;

fn main() -> Result<(), Box<dyn Error>> {
    let options = Options::parse();
    let mut signals = Signals::new([SIGTERM, SIGINT])?;
    let listener = TcpListener::bind("127.0.0.1:0")?;
    writeln!(io::stdout(), "http://{}", listener.local_addr()?)?;
    let counts = Counts::default();
    let counted = Arc::clone(&counts);
    thread::spawn(move || {
        let delay = Duration::from_millis(options.delay_ms);
        for client in listener.incoming().flatten() {
            // A client whose server cannot be reached sees its connection closed.
            let _ = relay(client, &options.upstream, delay, &counted);
        }
    });
    signals.forever().next();
    let counts = counts.lock().unwrap_or_else(PoisonError::into_inner);
    writeln!(io::stdout(), "{}", serde_json::to_string(&*counts)?)?;
    Ok(())
}

/// Passes on what one connection brings, in both directions, until both have ended.
fn relay(client: TcpStream, upstream: &str, delay: Duration, counts: &Counts) -> io::Result<()> {
    let server = TcpStream::connect(upstream)?;
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    let mut requests = Requests::new(Arc::clone(counts));
    let handshake = Instant::now() + delay;
    pass(client.try_clone()?, server.try_clone()?, move |bytes| {
        requests.see(bytes);
        (Instant::now() + delay / 2).max(handshake + delay / 2)
    })?;
    pass(server, client, move |_| Instant::now() + delay / 2)
}

/// Bytes, and when they are to go on.
type Due = (Instant, Vec<u8>);

/// One direction: a thread that reads at once, and one that writes when it is time.
fn pass(
    mut from: TcpStream,
    to: TcpStream,
    mut due: impl FnMut(&[u8]) -> Instant + Send + 'static,
) -> io::Result<()> {
    let (sender, receiver): (Sender<Due>, Receiver<Due>) = channel();
    thread::Builder::new().spawn(move || {
        let mut chunk = vec![0; CHUNK_BYTES];
        while let Ok(read @ 1..) = from.read(&mut chunk) {
            let bytes = &chunk[..read];
            if sender.send((due(bytes), bytes.to_vec())).is_err() {
                break;
            }
        }
    })?;
    thread::Builder::new().spawn(move || deliver(&receiver, to))?;
    Ok(())
}

fn deliver(receiver: &Receiver<Due>, mut to: TcpStream) {
    for (due, bytes) in receiver {
        thread::sleep(due.saturating_duration_since(Instant::now()));
        if to.write_all(&bytes).is_err() {
            let _ = to.shutdown(Shutdown::Both);
            return;
        }
    }
    let _ = to.shutdown(Shutdown::Write);
}

/// Finds the heads of the requests in what a client sends over one connection.
struct Requests {
    counts: Counts,
    /// Of a head that has not ended yet.
    head: Vec<u8>,
    /// How much of a body is still to come.
    body_bytes: u64,
}

impl Requests {
    fn new(counts: Counts) -> Self {
        Self {
            counts,
            head: Vec::new(),
            body_bytes: 0,
        }
    }

    /// Looks at the next bytes and counts the heads that end in them.
    fn see(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let body = usize::try_from(self.body_bytes)
                .unwrap_or(usize::MAX)
                .min(bytes.len());
            bytes = &bytes[body..];
            self.body_bytes -= body as u64;
            let known = self.head.len();
            self.head.extend_from_slice(bytes);
            let from = known.saturating_sub(3);
            let Some(end) = find(&self.head[from..], b"\r\n\r\n") else {
                return;
            };
            let end = from + end + 4;
            bytes = &bytes[end - known..];
            self.head.truncate(end);
            let head = String::from_utf8_lossy(&self.head).into_owned();
            self.head.clear();
            self.body_bytes = content_length(&head);
            let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
            *counts.entry(kind(&head)).or_default() += 1;
        }
    }
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len()).position(|at| at == wanted)
}

fn content_length(head: &str) -> u64 {
    head.lines()
        .filter_map(|line| line.split_once(':'))
        .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
        .and_then(|(_, value)| value.trim().parse().ok())
        .unwrap_or(0)
}

/// What a request asks for, told by its method and path alone.
fn kind(head: &str) -> &'static str {
    let mut words = head.split(' ');
    let (method, target) = (words.next(), words.next().unwrap_or_default());
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let names_object = path.trim_matches('/').contains('/');
    let part = query.contains("uploadId=");
    match method {
        Some("GET") if names_object && part => "LIST PARTS",
        Some("GET") if names_object => "GET",
        Some("GET") => "LIST",
        Some("HEAD") if names_object => "HEAD",
        Some("HEAD") => "HEAD BUCKET",
        Some("PUT") if names_object && part => "PUT PART",
        Some("PUT") if names_object => "PUT",
        Some("PUT") => "PUT BUCKET",
        Some("POST") if part => "COMPLETE",
        Some("POST") if query.starts_with("uploads") || query.contains("&uploads") => "CREATE",
        Some("DELETE") => "DELETE",
        _ => "OTHER",
    }
}
