//! Mails to a mail server, by SMTP; the one place that knows of lettre.
//!
//! A server that does not answer is waited for no longer than its
//! [`timeout`](MailServer::timeout) at each step. Nothing that is said of a failure
//! holds the password.

mod error;
mod message;

use std::time::Duration;

use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::client::{Certificate, SmtpConnection, TlsParameters};
use lettre::transport::smtp::extension::ClientId;

pub use error::MailError;
use error::Words;

use crate::model::{Mail, MailAddress};
use crate::secret::Secret;

/// How the connection is kept from being read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Security {
    /// Begun in plain text and then made TLS, or given up (port 587).
    StartTls,
    /// TLS from the first byte (port 465).
    Tls,
    /// Not at all.
    None,
}

/// A mail server, and how to get at it.
#[derive(Debug, Clone)]
pub struct MailServer {
    /// Its name, or its address.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How the connection is secured.
    pub security: Security,
    /// User and password, if it wants a login.
    pub login: Option<(String, Secret)>,
    /// Certificates (PEM) that it is trusted by beside the system's.
    pub ca_pem: Option<Vec<u8>>,
    /// How long each step may take.
    pub timeout: Duration,
}

/// From whom mails are, and to whom they go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Envelope {
    /// One.
    pub from: MailAddress,
    /// At least one.
    pub to: Vec<MailAddress>,
}

/// A connection over which mails can be sent: secured, and logged in.
pub struct Session {
    connection: SmtpConnection,
    words: Words,
}

impl Session {
    /// Connects and logs in.
    ///
    /// # Errors
    /// If the server does not answer, cannot be trusted, or refuses the login.
    pub fn open(server: &MailServer) -> Result<Self, MailError> {
        let words = Words::of(server);
        let unreachable = |error: &lettre::transport::smtp::Error| words.unreachable(error);
        let tls = match server.security {
            Security::None => None,
            Security::StartTls | Security::Tls => Some(trust(server, &words)?),
        };
        let wrapper = tls.as_ref().filter(|_| server.security == Security::Tls);
        let name = ClientId::default();
        let address = (server.host.as_str(), server.port);
        let mut connection =
            SmtpConnection::connect(address, Some(server.timeout), &name, wrapper, None)
                .map_err(|error| unreachable(&error))?;
        if let (Some(tls), Security::StartTls) = (&tls, server.security) {
            if !connection.can_starttls() {
                connection.abort();
                return Err(words.no_starttls());
            }
            connection
                .starttls(tls, &name)
                .map_err(|error| unreachable(&error))?;
        }
        if let Some((user, password)) = &server.login {
            let credentials = Credentials::new(user.clone(), password.reveal().to_owned());
            let ways = [Mechanism::Plain, Mechanism::Login];
            if let Err(error) = connection.auth(&ways, &credentials) {
                connection.abort();
                return Err(words.login(&error));
            }
        }
        Ok(Self { connection, words })
    }

    /// Sends one mail. Once this has answered, the server has taken it.
    ///
    /// # Errors
    /// If the server refuses it or the connection breaks; the session is of no more
    /// use then.
    pub fn send(&mut self, mail: &Mail, envelope: &Envelope) -> Result<(), MailError> {
        let message = message::compose(mail, envelope)?;
        self.connection
            .send(message.envelope(), &message.formatted())
            .map(drop)
            .map_err(|error| self.words.refused(&error))
    }

    /// Takes leave of the server.
    pub fn close(mut self) {
        // All that was to be sent is taken already.
        drop(self.connection.quit());
    }
}

fn trust(server: &MailServer, words: &Words) -> Result<TlsParameters, MailError> {
    let mut parameters = TlsParameters::builder(server.host.clone());
    if let Some(pem) = &server.ca_pem {
        let authority = Certificate::from_pem(pem).map_err(|error| words.authority(&error))?;
        parameters = parameters.add_root_certificate(authority);
    }
    parameters.build().map_err(|error| words.authority(&error))
}
