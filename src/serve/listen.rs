//! The address, and the certificate that is shown there.

use std::net::SocketAddr;
use std::sync::Arc;

use listenfd::ListenFd;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use super::ServeError;
use crate::config::TlsFiles;

/// The socket that systemd hands over, if it does; else one on `address`.
pub(super) fn bind(address: SocketAddr) -> Result<TcpListener, ServeError> {
    let refused = |source| ServeError::Listen {
        address: address.to_string(),
        source,
    };
    let listener = match ListenFd::from_env().take_tcp_listener(0).map_err(refused)? {
        Some(handed_over) => handed_over,
        None => std::net::TcpListener::bind(address).map_err(refused)?,
    };
    listener.set_nonblocking(true).map_err(refused)?;
    TcpListener::from_std(listener).map_err(refused)
}

/// Shows the certificate of `files`.
pub(super) fn tls(files: &TlsFiles) -> Result<TlsAcceptor, ServeError> {
    let unusable = |why: String| ServeError::Certificate {
        path: files.certificate.clone(),
        why,
    };
    let chain = CertificateDer::pem_file_iter(&files.certificate)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|error| unusable(error.to_string()))?;
    let key = PrivateKeyDer::from_pem_file(&files.key)
        .map_err(|error| unusable(format!("{}: {error}", files.key.display())))?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .and_then(|builder| builder.with_no_client_auth().with_single_cert(chain, key))
        .map_err(|error| unusable(error.to_string()))?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}
