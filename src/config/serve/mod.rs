//! The `[serve]` section: where requests are taken in, from whom, and how much at once.

mod token;

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use bytesize::ByteSize;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use url::Url;

use super::section::{Mistakes, Section};
use super::task::TaskConfig;
use crate::model::TaskId;

pub use token::{Proof, SendTo, TokenConfig};

const DEFAULT_LISTEN: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 8030);
const DEFAULT_MOST_NAMES: u32 = 1_000;
/// The most names that a configuration may allow in one call.
pub const MOST_NAMES: u32 = 100_000;
const DEFAULT_MOST_BODY: ByteSize = ByteSize::mib(4);
const DEFAULT_MEMORY: ByteSize = ByteSize::mib(64);
const LEAST_BODY: ByteSize = ByteSize::kib(16);
const DEFAULT_CONNECTIONS: u32 = 512;
const MOST_CONNECTIONS: u32 = 100_000;
const DEFAULT_PATIENCE: Duration = Duration::from_secs(30);
const LONGEST_PATIENCE: Duration = Duration::from_hours(1);

/// How requests are taken in over the network.
#[derive(Debug, Clone)]
pub struct ServeConfig {
    /// Where it listens; default `127.0.0.1:8030`.
    pub listen: SocketAddr,
    /// What it shows that it is who it is; `None`: it speaks plain HTTP.
    pub tls: Option<TlsFiles>,
    /// Scheme, host and port by which callers reach it, if not by those at which
    /// it listens.
    pub public_url: Option<Url>,
    /// Whether everybody on this machine may see the page, without a token.
    pub open_page: bool,
    /// The project in the paths of OMS; `None`: any.
    pub project_id: Option<String>,
    /// What callers may ask of it.
    pub limits: ServeLimits,
    /// Who may call.
    pub tokens: Vec<TokenConfig>,
}

impl ServeConfig {
    /// Where callers reach it, without a slash at the end. `host` is the host that
    /// one of them has named; without it, where it listens.
    #[must_use]
    pub fn origin(&self, host: Option<&str>) -> String {
        if let Some(url) = &self.public_url {
            return url.origin().ascii_serialization();
        }
        let scheme = if self.tls.is_some() { "https" } else { "http" };
        let listen = self.listen.to_string();
        format!("{scheme}://{}", host.unwrap_or(&listen))
    }

    /// As [`origin`](Self::origin), told on the machine itself, whose name stands
    /// for its addresses where it listens at all of them.
    #[must_use]
    pub fn own_origin(&self, machine: &str) -> String {
        let is_everywhere = self.listen.ip().is_unspecified();
        let host = is_everywhere.then(|| format!("{machine}:{}", self.listen.port()));
        self.origin(host.as_deref())
    }

    /// Where the source platform sends the names for `task`, on a server that is
    /// reached at `origin`.
    #[must_use]
    pub fn events_url(&self, origin: &str, task: &TaskId) -> String {
        let project = self.project_id.as_deref().unwrap_or("any");
        let project = utf8_percent_encode(project, NON_ALPHANUMERIC);
        format!("{origin}/v2/{project}/sync-tasks/{task}/events")
    }

    /// Whether callers reach it over TLS, here or at a proxy.
    #[must_use]
    pub fn is_called_over_tls(&self) -> bool {
        let is_https = |url: &Url| url.scheme() == "https";
        self.tls.is_some() || self.public_url.as_ref().is_some_and(is_https)
    }
}

/// A certificate with its chain, and its key; PEM files. In the configuration
/// absolute, or relative to its folder; here joined with that folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsFiles {
    /// The certificate, then the chain up to the authority.
    pub certificate: PathBuf,
    /// Its private key.
    pub key: PathBuf,
}

/// What callers may ask of `serve`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ServeLimits {
    /// Names in one call, 1 to 100,000; default 1,000.
    pub most_names: usize,
    /// The body of one call, in bytes; default 4 MiB.
    pub most_body_bytes: usize,
    /// All bodies that are held at one time, in bytes; default 64 MiB.
    pub memory_bytes: usize,
    /// Connections at one time, 1 to 100,000; default 512.
    pub connections: usize,
    /// How long a caller may take over the head of a request, over its body, and
    /// between two requests; default 30 s.
    pub patience: Duration,
}

/// Reads the section, if there is one.
pub(super) fn read(
    root: &mut Section<'_>,
    mistakes: &Mistakes<'_>,
    tasks: &[TaskConfig],
    folder: &Path,
) -> Option<ServeConfig> {
    let mut section = root.optional_section("serve")?;
    let listen = section.parsed("listen", listen).unwrap_or(DEFAULT_LISTEN);
    let certificate = section.parsed("tls_certificate", |text| super::local_path(text, folder));
    let key = section.parsed("tls_key", |text| super::local_path(text, folder));
    for (one, other) in [
        ("tls_certificate", "tls_key"),
        ("tls_key", "tls_certificate"),
    ] {
        if section.has(one) {
            section.require(other, "\"/etc/nightferry/….pem\"");
        }
    }
    let has_tls = section.has("tls_certificate") || section.has("tls_key");
    let allow_http = section.boolean("allow_http").unwrap_or(false);
    if !listen.ip().is_loopback() && !has_tls && !allow_http {
        section.mistake(
            "listen",
            format_args!(
                "{listen} is open to other machines, and tokens would cross the network in plain text; \
                 write tls_certificate and tls_key, or allow_http = true behind a proxy that has them"
            ),
        );
    }
    let public_url = section.parsed("public_url", public_url);
    let open_page = section.boolean("open_page").unwrap_or(false);
    if open_page && !listen.ip().is_loopback() {
        section.mistake(
            "open_page",
            format_args!(
                "would show the page to whoever reaches {listen}; leave it out, and sign in with a token that has read = true"
            ),
        );
    }
    if open_page && section.has("public_url") {
        section.mistake(
            "open_page",
            format_args!(
                "would show the page to whoever reaches it through the proxy at public_url; leave out one of them"
            ),
        );
    }
    let project_id = section.string("project_id").map(str::to_owned);
    let limits = limits(&mut section);
    let tokens = token::read_all(&mut section, mistakes, tasks, folder);
    section.finish();
    Some(ServeConfig {
        listen,
        tls: certificate
            .zip(key)
            .map(|(certificate, key)| TlsFiles { certificate, key }),
        public_url,
        open_page,
        project_id,
        limits: limits?,
        tokens,
    })
}

fn limits(section: &mut Section<'_>) -> Option<ServeLimits> {
    let most_names = section.number("most_names", &(1..=MOST_NAMES));
    let most_body = section
        .parsed("most_body", size)
        .unwrap_or(DEFAULT_MOST_BODY);
    let memory = section.parsed("memory", size).unwrap_or(DEFAULT_MEMORY);
    if memory < most_body {
        section.mistake(
            "memory",
            format_args!(
                "is less than one body may have (most_body, {most_body}); write as much or more"
            ),
        );
    }
    let connections = section.number("connections", &(1..=MOST_CONNECTIONS));
    let patience = section.parsed("patience", patience);
    Some(ServeLimits {
        most_names: most_names.unwrap_or(DEFAULT_MOST_NAMES).try_into().ok()?,
        most_body_bytes: most_body.as_u64().try_into().ok()?,
        memory_bytes: memory.as_u64().try_into().ok()?,
        connections: connections.unwrap_or(DEFAULT_CONNECTIONS).try_into().ok()?,
        patience: patience.unwrap_or(DEFAULT_PATIENCE),
    })
}

fn listen(text: &str) -> Result<SocketAddr, String> {
    text.parse().map_err(|_| {
        format!("{text:?} is no address; write one with its port, such as \"{DEFAULT_LISTEN}\" or \"[::1]:8030\"")
    })
}

fn public_url(text: &str) -> Result<Url, String> {
    let url: Option<Url> = text.parse().ok();
    let is_origin = |url: &Url| {
        let is_http = matches!(url.scheme(), "http" | "https") && url.has_host();
        is_http && text.trim_end_matches('/') == url.origin().ascii_serialization()
    };
    url.filter(is_origin).ok_or_else(|| {
        format!("{text:?} is no such address; write scheme, host and port alone, such as \"https://nightferry.example.com\"")
    })
}

fn size(text: &str) -> Result<ByteSize, String> {
    let size: ByteSize = text
        .parse()
        .map_err(|_| format!("{text:?} is no size; write one such as \"{DEFAULT_MOST_BODY}\""))?;
    // A permit of the semaphore that counts them is a byte.
    if size < LEAST_BODY || size > ByteSize::gib(1) {
        return Err(format!(
            "{text:?} is out of range; write \"{LEAST_BODY}\" to \"1GiB\""
        ));
    }
    Ok(size)
}

fn patience(text: &str) -> Result<Duration, String> {
    let patience = humantime::parse_duration(text).map_err(|_| {
        format!("{text:?} is no duration; write one with its unit, such as \"30s\"")
    })?;
    if !(Duration::from_secs(1)..=LONGEST_PATIENCE).contains(&patience) {
        return Err(format!("{text:?} is out of range; write \"1s\" to \"1h\""));
    }
    Ok(patience)
}
