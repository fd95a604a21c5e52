//! Sends names to `nightferry serve` over many connections at once, and says how
//! many calls and names a second were accepted and how long calls took.
//!
//! `cargo run --release --example send-events -- 127.0.0.1:8030 photos TOKEN CONNECTIONS CALLS NAMES`
//! sends CALLS calls over each connection, each with NAMES names.
#![expect(clippy::print_stdout, reason = "this is what it is for")]

use std::error::Error;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::thread;
use std::time::{Duration, Instant};

type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

/// What is sent, and where.
struct Load {
    address: String,
    task: String,
    token: String,
    calls: usize,
    names: usize,
}

fn main() -> Outcome<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [address, task, token, connections, calls, names] = arguments.as_slice() else {
        return Err("ADDRESS TASK TOKEN CONNECTIONS CALLS NAMES".into());
    };
    let load = Load {
        address: address.clone(),
        task: task.clone(),
        token: token.clone(),
        calls: calls.parse()?,
        names: names.parse()?,
    };
    let connections: usize = connections.parse()?;
    let began = Instant::now();
    let took: Outcome<Vec<Vec<Duration>>> = thread::scope(|scope| {
        let load = &load;
        let senders: Vec<_> = (0..connections)
            .map(|connection| scope.spawn(move || load.send(connection)))
            .collect();
        let join = |sender: thread::ScopedJoinHandle<'_, _>| {
            sender
                .join()
                .unwrap_or_else(|_| Err("a sender broke down".into()))
        };
        senders.into_iter().map(join).collect()
    });
    let seconds = began.elapsed().as_secs_f64();
    let mut took = took?.concat();
    took.sort();
    let at = |hundredths: usize| took[(took.len() - 1) * hundredths / 100].as_secs_f64() * 1e3;
    #[expect(clippy::cast_precision_loss, reason = "counts are small")]
    let (calls, names) = (took.len() as f64, (took.len() * load.names) as f64);
    println!(
        "{:.0} calls/s, {:.0} names/s, p50 {:.1} ms, p99 {:.1} ms, longest {:.1} ms",
        calls / seconds,
        names / seconds,
        at(50),
        at(99),
        at(100)
    );
    Ok(())
}

impl Load {
    /// Sends all calls of one connection, one after the other; answers how long each took.
    fn send(&self, connection: usize) -> Outcome<Vec<Duration>> {
        let stream = TcpStream::connect(&self.address)?;
        stream.set_nodelay(true)?;
        let mut answers = BufReader::new(stream.try_clone()?);
        let mut took = Vec::new();
        for call in 0..self.calls {
            let request = self.request(connection, call);
            let began = Instant::now();
            (&stream).write_all(request.as_bytes())?;
            let status = answer(&mut answers)?;
            took.push(began.elapsed());
            if !status.starts_with("HTTP/1.1 200 ") {
                return Err(status.into());
            }
        }
        Ok(took)
    }

    fn request(&self, connection: usize, call: usize) -> String {
        let names: Vec<String> = (0..self.names)
            .map(|name| {
                format!("\"2026%2F11%2F22%2Fcamera-{connection:03}%2F{call:06}-{name:04}.jpg\"")
            })
            .collect();
        let body = format!("{{\"object_keys\":[{}]}}", names.join(","));
        format!(
            "POST /v2/p/sync-tasks/{}/events HTTP/1.1\r\nHost: {}\r\nX-Auth-Token: {}\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            self.task,
            self.address,
            self.token,
            body.len()
        )
    }
}

/// Reads one answer, and answers its first line.
fn answer(answers: &mut impl BufRead) -> Outcome<String> {
    let mut status = String::new();
    answers.read_line(&mut status)?;
    let mut length = 0;
    loop {
        let mut field = String::new();
        answers.read_line(&mut field)?;
        let field = field.trim_end().to_ascii_lowercase();
        if field.is_empty() {
            break;
        }
        if let Some(bytes) = field.strip_prefix("content-length:") {
            length = bytes.trim().parse()?;
        }
    }
    std::io::copy(&mut answers.take(length), &mut std::io::sink())?;
    Ok(status.trim_end().to_owned())
}
