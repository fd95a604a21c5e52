//! The one HTTP client of the process.

use std::time::Duration;

use reqwest::blocking::{Client, ClientBuilder};

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
/// are) and has no default timeout (each request has its own).
#[derive(Debug, Clone)]
pub struct HttpClient(Client);

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
        Ok(Self(client))
    }

    pub(super) const fn client(&self) -> &Client {
        &self.0
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
