//! Connections: so many at once, each with a limit to its patience, and a stop
//! that lets what is under way be answered.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_io_timeout::TimeoutStream;
use tokio_rustls::TlsAcceptor;

use super::gate::Gate;
use crate::config::ServeLimits;

/// The head of a request, and how many fields it may have.
const MOST_HEAD_BYTES: usize = 32 * 1024;
const MOST_FIELDS: usize = 100;

/// How long it waits after the system refused to hand over a connection, as it
/// does when all file descriptors are taken.
const AFTER_REFUSAL: Duration = Duration::from_millis(200);

/// What one connection is served with.
#[derive(Clone)]
struct Service {
    gate: Gate,
    tls: Option<TlsAcceptor>,
    patience: Duration,
}

/// Takes connections until `stop`, then lets those that are there end.
pub(super) async fn take(
    listener: TcpListener,
    tls: Option<TlsAcceptor>,
    gate: Gate,
    limits: &ServeLimits,
    stop: impl Future<Output = ()>,
) {
    let patience = limits.patience;
    let service = Service {
        gate,
        tls,
        patience,
    };
    let graceful = GracefulShutdown::new();
    tokio::select! {
        () = stop => {}
        () = take_all(&listener, &service, &graceful, limits.connections) => {}
    }
    drop(listener);
    tracing::info!(target: "progress", "asked to stop: what is under way is answered first");
    // A body may take its time, and so may the answer.
    if tokio::time::timeout(2 * patience, graceful.shutdown())
        .await
        .is_err()
    {
        tracing::warn!("some callers did not take their answer in time");
    }
}

/// Takes connections for ever, so many at once.
async fn take_all(
    listener: &TcpListener,
    service: &Service,
    graceful: &GracefulShutdown,
    connections: usize,
) {
    let slots = Arc::new(Semaphore::new(connections));
    loop {
        let Ok(slot) = slots.clone().acquire_owned().await else {
            return;
        };
        match listener.accept().await {
            Ok((stream, peer)) => {
                let (service, watcher) = (service.clone(), graceful.watcher());
                tokio::spawn(async move {
                    service.serve(stream, peer, watcher).await;
                    drop(slot);
                });
            }
            Err(error) => {
                tracing::debug!("a connection was not handed over: {error}");
                tokio::time::sleep(AFTER_REFUSAL).await;
            }
        }
    }
}

impl Service {
    /// Serves one connection to its end. How it ends is the caller's business:
    /// what was answered is safe.
    async fn serve(self, stream: TcpStream, peer: SocketAddr, watcher: Watcher) {
        // An answer is one small write: to wait for more would only delay it.
        drop(stream.set_nodelay(true));
        let mut stream = TimeoutStream::new(stream);
        // Who does not take the answer is cut off; reading is limited below.
        stream.set_write_timeout(Some(self.patience));
        let stream = Box::pin(stream);
        match self.tls.clone() {
            None => self.speak(stream, peer, watcher).await,
            Some(tls) => {
                let shaken = tokio::time::timeout(self.patience, tls.accept(stream)).await;
                if let Ok(Ok(stream)) = shaken {
                    self.speak(stream, peer, watcher).await;
                }
            }
        }
    }

    async fn speak<S>(self, stream: S, peer: SocketAddr, watcher: Watcher)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let gate = self.gate;
        let service = service_fn(move |request: hyper::Request<Incoming>| {
            let request: Request = request.map(Body::new);
            gate.clone().answer(peer, request)
        });
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            // Runs from the last answer on too, so it ends idle connections.
            .header_read_timeout(self.patience)
            .max_buf_size(MOST_HEAD_BYTES)
            .max_headers(MOST_FIELDS)
            .serve_connection(TokioIo::new(stream), service);
        drop(watcher.watch(connection).await);
    }
}
