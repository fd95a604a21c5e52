//! The `[mail]` section: who is told of a night, and by which mail server.

use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use email_address::{EmailAddress, Options};
use toml::de::DeTable;

use super::credentials::{KeySource, read_key};
use super::error::CredentialsError;
use super::section::{Mistakes, Section};
use crate::model::MailAddress;
use crate::secret::Secret;

/// The most addresses that one mail goes to.
const MOST_ADDRESSES: usize = 50;

/// Who is told of a night, and by which mail server.
#[derive(Debug, Clone)]
pub struct MailConfig {
    /// The mail server's name or address.
    pub server: String,
    /// Its port; default 587, 465 with `tls`, 25 with `none`.
    pub port: u16,
    /// How the connection is secured; default `starttls`.
    pub security: MailSecurity,
    /// Where user and password come from, if the server wants a login.
    pub login: Option<MailLogin>,
    /// Certificates (PEM) that the server is trusted by beside the system's.
    pub ca_file: Option<PathBuf>,
    /// Whom mails are from.
    pub from: MailAddress,
    /// Whom they go to; at least one.
    pub to: Vec<MailAddress>,
    /// After which runs one is sent; default always.
    pub when: MailWhen,
}

/// How the connection to a mail server is secured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MailSecurity {
    /// `starttls`.
    StartTls,
    /// `tls`.
    Tls,
    /// `none`.
    None,
}

/// After which runs a mail is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MailWhen {
    /// `always`.
    Always,
    /// `problems`: those that end otherwise than done.
    Problems,
    /// `never`: only when asked to.
    Never,
}

/// Where user and password come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MailLogin {
    user: KeySource,
    password: KeySource,
}

impl MailLogin {
    /// Fetches user and password from wherever the configuration says.
    ///
    /// # Errors
    /// A variable is unset, a file cannot be read, or what should hold one is empty.
    pub fn resolve(&self) -> Result<(String, Secret), CredentialsError> {
        let env = |name: &str| std::env::var_os(name);
        let user = self.user.resolve("mail.user", &env)?;
        let password = self.password.resolve("mail.password", &env)?;
        Ok((user, Secret::new(password)))
    }

    /// The place of what is secret.
    pub(super) const fn secret(&self) -> &KeySource {
        &self.password
    }
}

impl MailConfig {
    /// What the section of the file at `path` says, where the rest of the file may be
    /// wrong: whoever is to be told of a night is told that there is none.
    #[must_use]
    pub fn salvage(path: &Path) -> Option<Self> {
        let text = std::fs::read_to_string(path).ok()?;
        let mistakes = Mistakes::new(path, &text);
        let table = DeTable::parse(&text).ok()?;
        let mut root = Section::new(&mistakes, String::new(), table.get_ref(), 0);
        let config = read(&mut root, path.parent().unwrap_or(Path::new("")));
        config.filter(|_| mistakes.into_sorted().is_empty())
    }
}

/// Reads the section, if there is one.
pub(super) fn read(root: &mut Section<'_>, folder: &Path) -> Option<MailConfig> {
    let mut section = root.optional_section("mail")?;
    for (key, example) in [
        ("server", "\"smtp.example.com\""),
        ("from", "\"nightferry@example.com\""),
        ("to", "[\"ops@example.com\"]"),
    ] {
        section.require(key, example);
    }
    let server = section.parsed("server", server);
    let security = section.parsed("security", MailSecurity::from_str);
    let security = security.unwrap_or(MailSecurity::StartTls);
    let port = section.number("port", &(1..=65_535));
    let port = port.map_or(Some(security.port()), |port| port.try_into().ok());
    let login = login(&mut section, folder);
    let ca_file = section.parsed("ca_file", |text| super::local_path(text, folder));
    let from = section.parsed("from", address);
    let to = section.texts("to", MOST_ADDRESSES, address);
    let when = section.parsed("when", MailWhen::from_str);
    let allow_plain = section.boolean("allow_plain").unwrap_or(false);
    if security == MailSecurity::None {
        let near = server.as_deref().is_none_or(is_loopback);
        if !near && !allow_plain {
            section.mistake(
                "security",
                "is none, and the server is another machine: mails and password would cross the network in plain text; write \"starttls\" or \"tls\", or add allow_plain = true if the network between is trusted",
            );
        }
        if section.has("ca_file") {
            section.mistake(
                "ca_file",
                "has no effect without TLS; write another security, or leave it out",
            );
        }
    }
    section.finish();
    Some(MailConfig {
        server: server?,
        port: port?,
        security,
        login: login?,
        ca_file,
        from: from?,
        to: to?,
        when: when.unwrap_or(MailWhen::Always),
    })
}

/// `None` if what there is of it is wrong, `Some(None)` if there is none.
#[expect(clippy::option_option, reason = "wrong is not the same as not there")]
fn login(section: &mut Section<'_>, folder: &Path) -> Option<Option<MailLogin>> {
    let user = read_key(section, "user", folder);
    let password = read_key(section, "password", folder);
    if !section.has("user") && !section.has("password") {
        return Some(None);
    }
    section.require("user", "\"nightferry\"");
    section.require("password", "{ env = \"…\" }");
    Some(Some(MailLogin {
        user: user?,
        password: password?,
    }))
}

impl MailSecurity {
    const fn port(self) -> u16 {
        match self {
            Self::StartTls => 587,
            Self::Tls => 465,
            Self::None => 25,
        }
    }
}

impl FromStr for MailSecurity {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "starttls" => Ok(Self::StartTls),
            "tls" => Ok(Self::Tls),
            "none" => Ok(Self::None),
            _ => Err(format!(
                "{text:?} is no such thing; write \"starttls\", \"tls\" or \"none\""
            )),
        }
    }
}

impl FromStr for MailWhen {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "always" => Ok(Self::Always),
            "problems" => Ok(Self::Problems),
            "never" => Ok(Self::Never),
            _ => Err(format!(
                "{text:?} is no such thing; write \"always\", \"problems\" or \"never\""
            )),
        }
    }
}

/// Never repeats `text`: a login may stand in it.
fn server(text: &str) -> Result<String, &'static str> {
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
    if text.parse::<IpAddr>().is_ok() || text.bytes().all(is_name) {
        Ok(text.to_owned())
    } else {
        Err(
            "is no name or address of a server; write it alone, such as \"smtp.example.com\", and its port as port = 587",
        )
    }
}

fn address(text: &str) -> Result<MailAddress, String> {
    let options = Options::default().with_display_text();
    let address = EmailAddress::parse_with_options(text, options)
        .ok()
        .filter(|_| !text.chars().any(char::is_control))
        .ok_or_else(|| {
            format!(
                "{text:?} is no mail address; write one such as \"ops@example.com\" or \"Night desk <ops@example.com>\""
            )
        })?;
    let name = address.display_part().trim().trim_matches('"');
    Ok(MailAddress {
        name: (!name.is_empty()).then(|| name.to_owned()),
        address: address.email().to_owned(),
    })
}

fn is_loopback(server: &str) -> bool {
    match server.parse::<IpAddr>() {
        Ok(address) => address.is_loopback(),
        Err(_) => server == "localhost" || server.ends_with(".localhost"),
    }
}
