//! Why a mail was not sent, in words without the password.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use lettre::transport::smtp::Error;

use super::{MailServer, Security};

/// Of the words of a server no more is repeated.
const MOST_CHARACTERS: usize = 300;

/// Why a mail was not sent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MailError {
    /// No connection that mails can be sent over.
    #[error("{0}")]
    NoSession(String),
    /// The server did not take this mail, or the connection broke over it.
    #[error("{0}")]
    NotTaken(String),
    /// It cannot be written as a mail.
    #[error("it cannot be written as a mail: {0}")]
    Unwritable(String),
}

/// How failures of one server are told.
#[derive(Debug, Clone)]
pub struct Words {
    server: String,
    security: Security,
    /// The password in every form in which it travels.
    withheld: Vec<String>,
}

impl Words {
    pub(super) fn of(server: &MailServer) -> Self {
        let forms = |(user, password): &(String, crate::secret::Secret)| {
            let password = password.reveal();
            vec![
                password.to_owned(),
                STANDARD.encode(password),
                STANDARD.encode(format!("\0{user}\0{password}")),
            ]
        };
        Self {
            server: format!("{}:{}", server.host, server.port),
            security: server.security,
            withheld: server.login.as_ref().map(forms).unwrap_or_default(),
        }
    }

    pub(super) fn unreachable(&self, error: &Error) -> MailError {
        let said = self.said(error);
        let advice = if said.contains("certificate") {
            "; if an authority of your own has signed it, name its file as ca_file in [mail]"
        } else if error.status().is_some() {
            ""
        } else {
            match self.security {
                Security::Tls => {
                    "; check server and port in [mail], and that the port expects TLS from the first byte (else security = \"starttls\")"
                }
                _ => "; check server and port in [mail]",
            }
        };
        MailError::NoSession(format!(
            "the mail server {} cannot be used: {said}{advice}",
            self.server
        ))
    }

    pub(super) fn no_starttls(&self) -> MailError {
        MailError::NoSession(format!(
            "the mail server {} does not offer STARTTLS, so nothing was sent to it; if the port expects TLS from the first byte, write security = \"tls\" in [mail]",
            self.server
        ))
    }

    pub(super) fn authority(&self, error: &Error) -> MailError {
        MailError::NoSession(format!(
            "the certificates that the mail server {} is to be trusted by cannot be used: {}; see ca_file in [mail]",
            self.server,
            self.said(error)
        ))
    }

    pub(super) fn login(&self, error: &Error) -> MailError {
        let said = self.said(error);
        MailError::NoSession(if error.is_client() {
            format!(
                "the mail server {} offers no way to log in that is known here (PLAIN, LOGIN); leave out user and password in [mail], or choose another security",
                self.server
            )
        } else if error.status().is_some() {
            format!(
                "the mail server {} refused the login: {said}; correct user and password in [mail]",
                self.server
            )
        } else {
            format!(
                "the mail server {} broke off the login: {said}",
                self.server
            )
        })
    }

    pub(super) fn refused(&self, error: &Error) -> MailError {
        MailError::NotTaken(format!(
            "the mail server {} did not take it: {}",
            self.server,
            self.said(error)
        ))
    }

    /// What went wrong, on one line, of bounded length and without the password.
    fn said(&self, error: &Error) -> String {
        let said = if error.is_timeout() || is_would_block(error) {
            "it did not answer in time".to_owned()
        } else {
            error.to_string()
        };
        let quotes = |secret: &String| !secret.is_empty() && said.contains(secret.as_str());
        if self.withheld.iter().any(quotes) {
            return "its words are withheld, for they quote the password".to_owned();
        }
        let plain = said.chars().map(|character| {
            if character.is_control() {
                ' '
            } else {
                character
            }
        });
        let plain: String = plain.take(MOST_CHARACTERS).collect();
        plain.trim_end().to_owned()
    }
}

/// What a socket says when nothing came within its timeout.
fn is_would_block(error: &Error) -> bool {
    let mut source = std::error::Error::source(error);
    while let Some(error) = source {
        if let Some(error) = error.downcast_ref::<std::io::Error>() {
            return error.kind() == std::io::ErrorKind::WouldBlock;
        }
        source = error.source();
    }
    false
}
