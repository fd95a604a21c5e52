//! A mail server within the process: EHLO, STARTTLS or TLS from the first byte,
//! logins by PLAIN and LOGIN, and what mail servers do when they do not take a mail.
#![expect(clippy::unwrap_used, reason = "what fails here fails the test")]

mod stream;
mod talk;

use std::net::TcpListener;
use std::sync::{Arc, Condvar, Mutex};
use std::thread;

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;

/// Whose mails it takes.
pub const USER: &str = "nightferry";
/// By which password.
pub const PASSWORD: &str = "correct horse 7!";

/// How a connection is secured.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Way {
    StartTls,
    Tls,
    Plain,
}

/// What the server does instead of its work.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Trouble {
    None,
    /// Refuses every login, in words that quote what was sent.
    RefusesLogin,
    /// Knows no recipient.
    RefusesRecipient,
    /// Has no room for now, once it has heard the mail.
    HasNoRoom,
    /// Hangs up in the midst of the mail.
    HangsUp,
    /// Offers no STARTTLS.
    OffersNoTls,
    /// Takes connections and says nothing.
    SaysNothing,
}

/// A mail that was taken.
#[derive(Clone)]
pub struct Received {
    pub to: Vec<String>,
    pub secured: bool,
    pub user: Option<String>,
    pub content: Vec<u8>,
}

struct Shared {
    trouble: Mutex<Trouble>,
    received: Mutex<Vec<Received>>,
    connections: Mutex<usize>,
    connected: Condvar,
}

/// A server that listens until the test ends.
pub struct SmtpServer {
    pub port: u16,
    /// Of the authority that has signed its certificate.
    pub ca_pem: String,
    shared: Arc<Shared>,
}

impl SmtpServer {
    /// A server whose certificate is for `localhost` and 127.0.0.1.
    pub fn start(way: Way) -> Self {
        Self::start_as("127.0.0.1", way)
    }

    /// A server whose certificate is for `host`.
    pub fn start_as(host: &str, way: Way) -> Self {
        let (config, ca_pem) = certified(host);
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let shared = Arc::new(Shared {
            trouble: Mutex::new(Trouble::None),
            received: Mutex::default(),
            connections: Mutex::new(0),
            connected: Condvar::new(),
        });
        let server = Self {
            port,
            ca_pem,
            shared: shared.clone(),
        };
        thread::spawn(move || {
            for socket in listener.incoming() {
                let Ok(socket) = socket else { break };
                let (config, shared) = (config.clone(), shared.clone());
                *shared.connections.lock().unwrap() += 1;
                shared.connected.notify_all();
                // A client that goes away ends the talk, and nothing else.
                thread::spawn(move || drop(talk::talk(socket, way, &config, &shared)));
            }
        });
        server
    }

    /// What it does from now on.
    pub fn is_in(&self, trouble: Trouble) {
        *self.shared.trouble.lock().unwrap() = trouble;
    }

    /// What it has taken, in order.
    pub fn received(&self) -> Vec<Received> {
        self.shared.received.lock().unwrap().clone()
    }

    /// Waits until so many connections were made to it.
    pub fn wait_for_connections(&self, many: usize) {
        let connections = self.shared.connections.lock().unwrap();
        drop(
            self.shared
                .connected
                .wait_while(connections, |made| *made < many)
                .unwrap(),
        );
    }

    /// How many connections were made to it.
    pub fn connections(&self) -> usize {
        *self.shared.connections.lock().unwrap()
    }
}

fn certified(host: &str) -> (Arc<ServerConfig>, String) {
    let authority_key = KeyPair::generate().unwrap();
    let mut authority = CertificateParams::new(Vec::new()).unwrap();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let ca_pem = authority.self_signed(&authority_key).unwrap().pem();
    let issuer = Issuer::new(authority, authority_key);
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(vec![host.to_owned()]).unwrap();
    let certificate = params.signed_by(&key, &issuer).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            vec![certificate.der().clone()],
            PrivateKeyDer::try_from(key.serialize_der()).unwrap(),
        )
        .unwrap();
    (Arc::new(config), ca_pem)
}
