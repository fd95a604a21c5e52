//! The one HTTP client of the process.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use reqwest::blocking::{Client, ClientBuilder};
use url::Url;

use super::pace::Pacer;

/// How long making a connection may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// The HTTP client could not be set up.
#[derive(Debug, thiserror::Error)]
#[error("cannot set up the HTTP client: {0}")]
pub struct HttpClientError(#[from] reqwest::Error);

/// The HTTP client that all buckets and threads share. Cloning it is cheap.
///
/// It follows no redirect (a redirected signature is invalid), retries nothing
/// by itself (attempts are counted), decompresses nothing (bytes travel as they
/// are) and has no default timeout (each request has its own). With it all who
/// talk to one endpoint share its pace.
#[derive(Debug, Clone)]
pub struct HttpClient {
    client: Client,
    /// By scheme, host and port.
    pacers: Arc<Mutex<HashMap<String, Arc<Pacer>>>>,
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
        Ok(Self {
            client,
            pacers: Arc::default(),
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
}

fn builder(workers: usize) -> ClientBuilder {
    Client::builder()
        .user_agent(concat!("nightferry/", env!("CARGO_PKG_VERSION")))
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .no_proxy()
        .timeout(None)
        .connect_timeout(CONNECT_TIMEOUT)
        .pool_max_idle_per_host(workers)
        .tcp_nodelay(true)
}
