//! An HTTP proxy before one S3 endpoint that passes requests on as they are,
//! except for those that it spoils: by a seed and rates, so that a soak can say
//! how hostile its servers were.
//!
//! ```text
//! cargo run --release --example hostile-proxy -- --upstream 127.0.0.1:9000 \
//!     --seed 7 --slow-down 0.2 --reset 0.05 --truncate 0.03 --alter 0.01 --stall 0.01
//! ```
//!
//! says where it listens, and at SIGTERM or Ctrl-C prints as one line of JSON
//! what it did to how many requests. The `Host` header stays, so signatures
//! stay valid. It speaks plain HTTP and is meant for loopback.

mod fault;
mod spoilt;

use std::convert::Infallible;
use std::error::Error;
use std::io::{self, Write};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use clap::Parser;
use http_body_util::{BodyExt, Empty, Full, combinators::BoxBody};
use hyper::body::{Body as _, Bytes, Incoming};
use hyper::client::conn::http1::{self as client, SendRequest};
use hyper::header::{CONNECTION, CONTENT_LENGTH, HeaderValue};
use hyper::server::conn::http1 as server;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Mutex;

use fault::{Damage, Fault, Faults, Rates};
use spoilt::Spoilt;

/// An answer's or a request's body, passed on as it comes.
type AnyBody = BoxBody<Bytes, io::Error>;

/// A proxy that spoils some of what passes.
#[derive(Parser)]
struct Options {
    /// Where to listen; port 0 is a free one.
    #[arg(long, default_value = "127.0.0.1:0")]
    listen: SocketAddr,
    /// The S3 endpoint, as address and port.
    #[arg(long)]
    upstream: SocketAddr,
    #[command(flatten)]
    rates: Rates,
}

fn main() -> Result<(), Box<dyn Error>> {
    let options = Options::parse();
    let mut signals = Signals::new([SIGTERM, SIGINT])?;
    let faults = Arc::new(Faults::new(options.rates)?);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    let listener = runtime.block_on(TcpListener::bind(options.listen))?;
    writeln!(io::stdout(), "http://{}", listener.local_addr()?)?;
    runtime.spawn(listen(listener, options.upstream, Arc::clone(&faults)));
    signals.forever().next();
    writeln!(io::stdout(), "{}", faults.counts())?;
    runtime.shutdown_background();
    Ok(())
}

async fn listen(listener: TcpListener, upstream: SocketAddr, faults: Arc<Faults>) -> Infallible {
    loop {
        // An accept fails when, for instance, the client is gone already; the next may not.
        if let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(converse(stream, upstream, Arc::clone(&faults)));
        }
    }
}

/// What one client says over one connection, and over which it is passed on.
struct Conversation {
    upstream: SocketAddr,
    /// Answers come in the order of the requests, so one connection will do.
    sender: Mutex<Option<SendRequest<AnyBody>>>,
    faults: Arc<Faults>,
    /// Whether the connection to the client is to end by a reset.
    resets: Arc<AtomicBool>,
}

async fn converse(stream: TcpStream, upstream: SocketAddr, faults: Arc<Faults>) {
    let _ = stream.set_nodelay(true);
    let resets = Arc::new(AtomicBool::new(false));
    let conversation = Arc::new(Conversation {
        upstream,
        sender: Mutex::default(),
        faults,
        resets: Arc::clone(&resets),
    });
    let service = service_fn(move |request| {
        let conversation = Arc::clone(&conversation);
        async move { conversation.answer(request).await }
    });
    let mut connection = server::Builder::new()
        .preserve_header_case(true)
        .serve_connection(TokioIo::new(stream), service);
    // It fails when the client leaves, or because it was to.
    let _ = (&mut connection).await;
    if resets.load(Ordering::Relaxed) {
        let _ = connection.into_parts().io.inner().set_zero_linger();
    }
}

impl Conversation {
    async fn answer(&self, request: Request<Incoming>) -> io::Result<Response<AnyBody>> {
        let fault = self.faults.draw(&request);
        match fault {
            Fault::SlowDown => {
                // Read to its end, so that the answer does not race with a reset.
                let _ = request.into_body().collect().await;
                return Ok(slow_down());
            }
            Fault::ResetBefore => return Err(self.reset()),
            Fault::StallBefore => tokio::time::sleep(self.faults.stall()).await,
            _ => {}
        }
        let (parts, body) = request.into_parts();
        let body = match fault {
            Fault::Up(damage) => self.spoil(body, damage),
            _ => whole(body),
        };
        let answer = self.pass_on(Request::from_parts(parts, body)).await?;
        let (mut parts, body) = answer.into_parts();
        parts.headers.remove(CONNECTION);
        Ok(match fault {
            Fault::ResetAfter => return Err(self.reset()),
            Fault::Down(damage @ Damage::Shorten(_)) => {
                // A whole answer of a shorter body: only its length tells.
                let body = self.spoil(body, damage);
                if let Some(length) = body.size_hint().exact() {
                    parts
                        .headers
                        .insert(CONTENT_LENGTH, HeaderValue::from(length));
                }
                Response::from_parts(parts, body)
            }
            Fault::Down(damage) if parts.status.is_success() => {
                Response::from_parts(parts, self.spoil(body, damage))
            }
            _ => Response::from_parts(parts, whole(body)),
        })
    }

    async fn pass_on(&self, request: Request<AnyBody>) -> io::Result<Response<Incoming>> {
        let mut sender = self.sender.lock().await;
        let mut ready = match sender.take() {
            Some(kept) if !kept.is_closed() => kept,
            _ => connect(self.upstream).await?,
        };
        ready.ready().await.map_err(io::Error::other)?;
        let answer = ready.send_request(request).await;
        *sender = Some(ready);
        answer.map_err(io::Error::other)
    }

    fn spoil(&self, body: Incoming, damage: Damage) -> AnyBody {
        let resets = Arc::clone(&self.resets);
        Spoilt::new(body, damage, self.faults.stall(), resets).boxed()
    }

    /// Ends the connection by a reset.
    fn reset(&self) -> io::Error {
        self.resets.store(true, Ordering::Relaxed);
        io::ErrorKind::ConnectionReset.into()
    }
}

async fn connect(upstream: SocketAddr) -> io::Result<SendRequest<AnyBody>> {
    let stream = TcpStream::connect(upstream).await?;
    stream.set_nodelay(true)?;
    let (sender, connection) = client::Builder::new()
        .preserve_header_case(true)
        .handshake(TokioIo::new(stream))
        .await
        .map_err(io::Error::other)?;
    tokio::spawn(connection);
    Ok(sender)
}

fn whole(body: Incoming) -> AnyBody {
    if body.is_end_stream() {
        return Empty::new().map_err(|never| match never {}).boxed();
    }
    body.map_err(io::Error::other).boxed()
}

fn slow_down() -> Response<AnyBody> {
    const TEXT: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>SlowDown</Code>\
                        <Message>Please reduce your request rate.</Message></Error>";
    let body = Full::from(TEXT).map_err(|never| match never {}).boxed();
    let mut answer = Response::new(body);
    *answer.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
    answer
}
