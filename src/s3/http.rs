//! The HTTP clients of the process: one for all buckets, but for those that
//! trust an authority of their own.

use std::collections::HashMap;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use reqwest::{Certificate, Client, ClientBuilder};
use tokio::runtime::{Builder, Handle, Runtime};
use url::Url;

use super::pace::Pacer;

/// How long making a connection may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// The most headers that an answer may have: the 2 KiB of metadata that S3 takes
/// are a thousand in the extreme. Together they may not exceed about 400 KiB.
const MOST_HEADERS: usize = 1100;

/// The HTTP client could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum HttpClientError {
    /// By the library, which says why.
    #[error("cannot set up the HTTP client: {0}")]
    Setup(#[from] reqwest::Error),
    /// Its thread could not be started.
    #[error("cannot start the HTTP client's thread: {0}")]
    Thread(#[from] io::Error),
    /// What is to be trusted is no certificate.
    #[error("holds no certificate, or a broken one")]
    Certificates,
}

/// The HTTP client that buckets and threads share. Cloning it is cheap.
///
/// It follows no redirect (a redirected signature is invalid), retries nothing
/// by itself (attempts are counted), decompresses nothing (bytes travel as they
/// are) and has no default timeout (each request has its own). Certificates are
/// always verified. With it all who talk to one endpoint share its pace.
#[derive(Debug, Clone)]
pub struct HttpClient {
    client: Client,
    thread: Arc<Thread>,
    workers: usize,
    /// By scheme, host and port.
    pacers: Arc<Mutex<HashMap<String, Arc<Pacer>>>>,
}

/// One thread sends and receives for all who ask.
#[derive(Debug)]
struct Thread {
    handle: Handle,
    runtime: Option<Runtime>,
}

impl Drop for Thread {
    /// Waits for nothing: the last who knows it may be the thread itself.
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

impl HttpClient {
    /// A client that keeps up to `workers` idle connections to each host.
    ///
    /// # Errors
    /// TLS or the thread behind the client cannot be set up.
    pub fn new(workers: usize) -> Result<Self, HttpClientError> {
        // It fails only where a provider is installed already, which is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = builder(workers)
            .build()
            // A machine without CA certificates can still talk to endpoints
            // without TLS; those with TLS then fail at their handshake.
            .or_else(|_| builder(workers).tls_certs_only([]).build())?;
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("http")
            .enable_all()
            .build()?;
        Ok(Self {
            client,
            thread: Arc::new(Thread {
                handle: runtime.handle().clone(),
                runtime: Some(runtime),
            }),
            workers,
            pacers: Arc::default(),
        })
    }

    /// Another client of the kind, which trusts the certificates in `pem` beside
    /// the system's. This one goes on trusting the system's alone; both share
    /// the endpoints' pace.
    ///
    /// # Errors
    /// `pem` holds no certificate or a broken one, or as [`new`](Self::new).
    pub fn trusting(&self, pem: &[u8]) -> Result<Self, HttpClientError> {
        let broken = |_| HttpClientError::Certificates;
        let certificates = Certificate::from_pem_bundle(pem).map_err(broken)?;
        if certificates.is_empty() {
            return Err(HttpClientError::Certificates);
        }
        // By themselves first: only then an error is theirs and no other's.
        builder(1)
            .tls_certs_only(certificates.clone())
            .build()
            .map_err(broken)?;
        let client = builder(self.workers)
            .tls_certs_merge(certificates)
            .build()?;
        Ok(Self {
            client,
            thread: Arc::clone(&self.thread),
            workers: self.workers,
            pacers: Arc::clone(&self.pacers),
        })
    }

    /// Sends never more than `requests_per_second` to the server of `endpoint`.
    /// Of several such caps for one server the lowest counts.
    pub fn cap(&self, endpoint: &Url, requests_per_second: u32) {
        self.pacer(endpoint).cap(requests_per_second);
    }

    /// The pace of the server of `endpoint`.
    pub(super) fn pacer(&self, endpoint: &Url) -> Arc<Pacer> {
        let server = endpoint.origin().ascii_serialization();
        let mut pacers = self.pacers.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(pacers.entry(server).or_default())
    }

    pub(super) const fn client(&self) -> &Client {
        &self.client
    }

    pub(super) fn runtime(&self) -> Handle {
        self.thread.handle.clone()
    }
}

fn builder(workers: usize) -> ClientBuilder {
    Client::builder()
        .user_agent(concat!("nightferry/", env!("CARGO_PKG_VERSION")))
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .no_proxy()
        .http1_max_headers(MOST_HEADERS)
        .connect_timeout(CONNECT_TIMEOUT)
        .pool_max_idle_per_host(workers)
        .tcp_nodelay(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_certificate_is_not_trusted() {
        let http = HttpClient::new(1).unwrap();
        let garbled = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        for pem in [
            "",
            "nothing of the kind",
            garbled,
            "-----BEGIN CERTIFICATE-----\n",
        ] {
            let error = http.trusting(pem.as_bytes()).unwrap_err();
            assert!(
                matches!(error, HttpClientError::Certificates),
                "{pem:?}: {error}"
            );
        }
    }
}
