//! Starting a server.

use std::net::TcpListener;
use std::sync::Arc;

use s3s::config::{S3Config, StaticConfigProvider};
use s3s::service::{S3Service, S3ServiceBuilder};
use tokio::runtime;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer};

use super::access::{Admission, Authentication, Credentials, Rights};
use super::clock::Clock;
use super::encryption::Keys;
use super::exchange::RequestLog;
use super::faults::Faults;
use super::gates::Gates;
use super::storage::Storage;
use super::store::Store;
use super::transport;
use super::{S3Server, Server};

/// Settings of a server to be started.
pub struct S3ServerBuilder {
    pub(super) address: String,
    pub(super) min_part_bytes: u64,
    pub(super) logs_requests: bool,
    pub(super) credentials: Credentials,
    pub(super) tells_tag_counts: bool,
    pub(super) tls: Option<Arc<ServerConfig>>,
}

impl S3ServerBuilder {
    /// Serves HTTPS, with this certificate and its key, both DER (the key PKCS #8).
    ///
    /// # Panics
    /// If they do not fit.
    #[must_use]
    pub fn tls(self, certificate: Vec<u8>, key: Vec<u8>) -> Self {
        let provider = Arc::new(tokio_rustls::rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("the provider knows TLS 1.2 and 1.3")
            .with_no_client_auth()
            .with_single_cert(
                vec![CertificateDer::from(certificate)],
                PrivatePkcs8KeyDer::from(key).into(),
            );
        let config = config.expect("the key is the certificate's");
        Self {
            tls: Some(Arc::new(config)),
            ..self
        }
    }

    /// Where to listen, such as `127.0.0.1:9000`; port 0 is a random one.
    #[must_use]
    pub fn address(self, address: &str) -> Self {
        Self {
            address: address.to_owned(),
            ..self
        }
    }

    /// How small a part may be that is not the last of its upload; 5 MiB if not set.
    #[must_use]
    pub fn min_part_bytes(self, min_part_bytes: u64) -> Self {
        Self {
            min_part_bytes,
            ..self
        }
    }

    /// Whether [`S3Server::requests`] remembers requests, as it does if not set. A server that is
    /// to run for long had better forget them.
    #[must_use]
    pub fn log_requests(self, logs_requests: bool) -> Self {
        Self {
            logs_requests,
            ..self
        }
    }

    /// Whether HEAD and GET say how many tags an object has, as they do if not set.
    #[must_use]
    pub fn tells_tag_counts(self, tells_tag_counts: bool) -> Self {
        Self {
            tells_tag_counts,
            ..self
        }
    }

    /// Adds an access key, or changes the secret and rights of one.
    #[must_use]
    pub fn credentials(self, access_key: &str, secret_key: &str, rights: Rights) -> Self {
        self.credentials.add(access_key, secret_key, rights);
        self
    }

    /// Starts the server.
    ///
    /// # Panics
    /// If the address is not free.
    pub fn start(self) -> S3Server {
        let listener = TcpListener::bind(&self.address).expect("the address can be listened on");
        let address = listener.local_addr().expect("a listener has an address");
        listener
            .set_nonblocking(true)
            .expect("a listener can be non-blocking");
        let scheme = if self.tls.is_some() { "https" } else { "http" };
        let tls = self.tls.map(TlsAcceptor::from);
        let server = Arc::new(Server {
            endpoint: format!("{scheme}://{address}"),
            min_part_bytes: self.min_part_bytes,
            logs_requests: self.logs_requests,
            directory: tempfile::Builder::new()
                .prefix("s3-server-")
                .tempdir()
                .expect("a temporary directory can be created"),
            store: Store::default(),
            clock: Clock::default(),
            credentials: self.credentials,
            kms_keys: Keys::default(),
            tells_tag_counts: self.tells_tag_counts,
            faults: Faults::default(),
            gates: Gates::default(),
            log: RequestLog::default(),
        });
        let runtime = runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .thread_name("s3-server")
            .enable_all()
            .build()
            .expect("a runtime can be built");
        let s3 = s3_service(&server);
        let shared = Arc::clone(&server);
        runtime.spawn(async move {
            let listener = tokio::net::TcpListener::from_std(listener);
            transport::serve(
                listener.expect("the listener is ready for use"),
                shared,
                s3,
                tls,
            )
            .await
        });
        S3Server {
            server,
            runtime: Some(runtime),
        }
    }
}

fn s3_service(server: &Arc<Server>) -> S3Service {
    let mut config = S3Config::default();
    // The age of requests was compared with this server's own clock already.
    config.presigned_url_max_skew_time_secs = u32::MAX;
    let mut service = S3ServiceBuilder::new(Storage(Arc::clone(server)));
    service.set_config(Arc::new(StaticConfigProvider::new(Arc::new(config))));
    service.set_auth(Authentication(Arc::clone(server)));
    service.set_access(Admission(Arc::clone(server)));
    service.build()
}
