//! `[metrics]` and `[ping]`: who is told that a night begins and how it ended.

use std::path::{Path, PathBuf};

use url::Url;

use super::credentials::{self, KeySource};
use super::endpoint::is_loopback;
use super::error::CredentialsError;
use super::section::Section;

const URL: &str = "url";

/// Where figures for Prometheus are written.
#[derive(Debug, Clone)]
pub struct MetricsConfig {
    /// A file whose name ends in `.prom`. In the configuration absolute, or
    /// relative to its folder; here joined with that folder.
    pub textfile: PathBuf,
}

/// The URL that is told of each night. Whoever knows it can speak for this
/// machine, so it is a secret.
#[derive(Debug, Clone)]
pub struct PingConfig {
    url: KeySource,
    allow_http: bool,
}

/// Why the URL cannot be used. Never holds it.
#[derive(Debug, thiserror::Error)]
pub enum PingUrlError {
    /// It cannot be had.
    #[error(transparent)]
    Place(#[from] CredentialsError),
    /// It is none.
    #[error("url: what stands there {0}")]
    Wrong(&'static str),
}

impl PingConfig {
    /// Fetches the URL from wherever the configuration says.
    ///
    /// # Errors
    /// A variable is unset, a file cannot be read, or what is there is no URL that
    /// may be used.
    pub fn resolve(&self) -> Result<Url, PingUrlError> {
        let text = self.url.resolve(URL, &|name| std::env::var_os(name))?;
        checked(&text, self.allow_http).map_err(PingUrlError::Wrong)
    }

    /// Where the URL is kept.
    pub(super) const fn secret(&self) -> &KeySource {
        &self.url
    }
}

/// Reads `[metrics]`, if it is there.
pub(super) fn read_metrics(root: &mut Section<'_>, folder: &Path) -> Option<MetricsConfig> {
    let mut section = root.optional_section("metrics")?;
    section.require(
        "textfile",
        "\"/var/lib/prometheus/node-exporter/nightferry.prom\"",
    );
    let textfile = section.parsed("textfile", |text| textfile(text, folder));
    section.finish();
    Some(MetricsConfig {
        textfile: textfile?,
    })
}

/// Reads `[ping]`, if it is there.
pub(super) fn read_ping(root: &mut Section<'_>, folder: &Path) -> Option<PingConfig> {
    let mut section = root.optional_section("ping")?;
    section.require(URL, "{ env = \"…\" }");
    let url = credentials::read_key(&mut section, URL, folder);
    let allow_http = section.boolean("allow_http").unwrap_or(false);
    // What stands elsewhere is looked at when it is needed.
    if let Some(KeySource::Literal(text)) = &url
        && let Err(wrong) = checked(text.reveal(), allow_http)
    {
        section.mistake(URL, wrong);
    }
    section.finish();
    Some(PingConfig {
        url: url?,
        allow_http,
    })
}

fn textfile(text: &str, folder: &Path) -> Result<PathBuf, &'static str> {
    let path = super::local_path(text, folder)?;
    if path
        .extension()
        .is_some_and(|extension| extension == "prom")
    {
        Ok(path)
    } else {
        Err("does not end in .prom; node_exporter reads no other file")
    }
}

/// The URL that `text` is. What is wrong with it never repeats it.
fn checked(text: &str, allow_http: bool) -> Result<Url, &'static str> {
    let url = Url::parse(text).ok();
    let url = url
        .filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
        .ok_or("is no http or https URL; write one such as https://hc.example.com/…")?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err("has credentials in it, which are not sent; write it without");
    }
    if url.fragment().is_some() {
        return Err("has a fragment, which is not sent; write it without");
    }
    if url.scheme() == "http" && !allow_http && !is_loopback(&url) {
        return Err(
            "is plain HTTP to another machine; write https://…, or add allow_http = true if the network between is trusted",
        );
    }
    Ok(url)
}
