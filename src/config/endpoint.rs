//! One end of a task: a bucket at an S3-compatible server.

use std::path::{Path, PathBuf};

use url::{Host, Url};

use super::credentials::{self, Credentials, CredentialsConfig};
use super::error::CredentialsError;
use super::section::Section;

/// The region where none is given; S3-compatible servers mostly take it.
const DEFAULT_REGION: &str = "us-east-1";

/// No endpoint is asked more often in a second, cap or not.
const MOST_REQUESTS_PER_SECOND: u32 = 10_000;

/// A bucket, where it is, and how to get at it.
#[derive(Debug, Clone)]
pub struct EndpointConfig {
    /// The server: scheme, host and port alone.
    pub endpoint: Url,
    /// The region that requests are signed for; default `us-east-1`.
    pub region: String,
    /// The bucket's name.
    pub bucket: String,
    /// Whether the bucket stands in the path (default) rather than in the host name.
    pub path_style: bool,
    /// Whether plain HTTP to another machine is wanted; default false.
    pub allow_http: bool,
    /// Whether this end's requests say that we pay for them; default false.
    pub requester_pays: bool,
    /// The most requests a second to the endpoint; default unlimited.
    pub requests_per_second: Option<u32>,
    /// Certificates (PEM) that this end is trusted by beside the system's.
    pub ca_file: Option<PathBuf>,
    /// Where the keys come from.
    pub credentials: CredentialsConfig,
}

impl EndpointConfig {
    /// Fetches the keys from wherever the configuration says, or says which program
    /// does. Done only by commands that talk to S3: all others work without them.
    ///
    /// # Errors
    /// A variable is unset, a file cannot be read, a profile is not there, or
    /// what should hold a key is empty. Whether the program works is not tried.
    pub fn resolve_credentials(&self) -> Result<Credentials, CredentialsError> {
        self.credentials.resolve(&|name| std::env::var_os(name))
    }

    /// Whether both are the same bucket of the same server.
    #[must_use]
    pub fn is_same_bucket_as(&self, other: &Self) -> bool {
        let server = |end: &Self| {
            (
                end.endpoint.host_str().map(str::to_owned),
                end.endpoint.port(),
            )
        };
        self.bucket == other.bucket && server(self) == server(other)
    }

    /// Reads a `source` or `destination` section.
    pub(super) fn read(mut section: Section<'_>, folder: &Path) -> Option<Self> {
        section.require("endpoint", "\"https://…\"");
        section.require("bucket", "\"…\"");
        let endpoint = section.parsed("endpoint", server);
        let region = section.parsed("region", region);
        let path_style = section.boolean("path_style").unwrap_or(true);
        let bucket = section.parsed("bucket", |name| bucket(name, path_style));
        let allow_http = section.boolean("allow_http").unwrap_or(false);
        let requester_pays = section.boolean("requester_pays").unwrap_or(false);
        let requests_per_second =
            section.number("requests_per_second", &(1..=MOST_REQUESTS_PER_SECOND));
        let ca_file = section.parsed("ca_file", |text| ca_file(text, folder));
        let credentials = credentials::read(&mut section, folder);
        if let Some(endpoint) = &endpoint {
            check_transport(&section, endpoint, path_style, allow_http);
            if endpoint.scheme() == "http" && section.has("ca_file") {
                section.mistake(
                    "ca_file",
                    "has no effect on plain HTTP; write https://… as endpoint, or leave it out",
                );
            }
        }
        section.finish();
        Some(Self {
            endpoint: endpoint?,
            region: region.unwrap_or_else(|| DEFAULT_REGION.to_owned()),
            bucket: bucket?,
            path_style,
            allow_http,
            requester_pays,
            requests_per_second,
            ca_file,
            credentials: credentials?,
        })
    }
}

fn ca_file(text: &str, folder: &Path) -> Result<PathBuf, &'static str> {
    if text.contains('\0') {
        return Err("has a NUL character in it; write a path");
    }
    Ok(folder.join(text))
}

fn check_transport(section: &Section<'_>, endpoint: &Url, path_style: bool, allow_http: bool) {
    if endpoint.scheme() == "http" && !allow_http && !is_loopback(endpoint) {
        section.mistake(
            "endpoint",
            "is plain HTTP to another machine; write https://…, or add allow_http = true if the network between is trusted",
        );
    }
    if !path_style && !matches!(endpoint.host(), Some(Host::Domain(_))) {
        section.mistake(
            "path_style",
            "is false, but a bucket cannot stand before an IP address; write path_style = true",
        );
    }
}

pub(super) fn is_loopback(endpoint: &Url) -> bool {
    match endpoint.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        None => false,
    }
}

/// Never repeats `text`: credentials may stand in it.
fn server(text: &str) -> Result<Url, String> {
    let wrong = |what: &str| {
        format!("{what}; write scheme, host and port alone, such as https://s3.example.com")
    };
    let url = Url::parse(text).map_err(|error| wrong(&format!("is no URL ({error})")))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(wrong("is no http or https URL"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(wrong("has credentials in it"));
    }
    if url.path() != "/" || url.query().is_some() || url.fragment().is_some() {
        return Err(wrong("has a path, query or fragment"));
    }
    Ok(url)
}

fn region(text: &str) -> Result<String, String> {
    // The region is a segment of the signature's scope.
    let legal = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    if text.bytes().all(legal) {
        Ok(text.to_owned())
    } else {
        Err(format!(
            "{text:?} is no region; write one such as \"{DEFAULT_REGION}\""
        ))
    }
}

fn bucket(name: &str, path_style: bool) -> Result<String, String> {
    // S3 wants a-z 0-9 . and -; some servers take more, but never in a host name.
    let legal = |byte: u8| match byte {
        b'a'..=b'z' | b'0'..=b'9' | b'.' | b'-' => true,
        b'A'..=b'Z' | b'_' => path_style,
        _ => false,
    };
    let begins_well = name.starts_with(|first: char| first.is_ascii_alphanumeric());
    if begins_well && (3..=63).contains(&name.len()) && name.bytes().all(legal) {
        return Ok(name.to_owned());
    }
    let rule = if path_style {
        "3 to 63 letters, digits, `.`, `-` or `_`, the first a letter or digit"
    } else {
        "with path_style = false, 3 to 63 of a-z, 0-9, `.` or `-`, the first a letter or digit"
    };
    Err(format!("{name:?} is no bucket name; write {rule}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endpoint_is_a_server_and_nothing_more() {
        for good in [
            "https://s3.example.com",
            "https://s3.example.com:9000/",
            "http://[::1]:80",
        ] {
            assert!(server(good).is_ok(), "{good}");
        }
        for bad in [
            "s3.example.com",
            "localhost:9000",
            "ftp://s3.example.com",
            "https://s3.example.com/photos",
            "https://s3.example.com/?hush",
            "https://key:hush@s3.example.com",
            "https://s3.example.com:hush",
        ] {
            let mistake = server(bad).unwrap_err();
            assert!(!mistake.contains("hush"), "{mistake}");
        }
    }

    #[test]
    fn a_bucket_name_is_legal_for_its_style() {
        for good in ["photos", "a.b-c", "9lives", &"x".repeat(63)] {
            assert!(
                bucket(good, true).is_ok() && bucket(good, false).is_ok(),
                "{good}"
            );
        }
        assert!(bucket("Old_Photos", true).is_ok());
        assert!(bucket("Old_Photos", false).is_err());
        for bad in [
            "",
            "ab",
            "...",
            "a/b",
            "bücher",
            "a b c",
            "../..",
            &"x".repeat(64),
        ] {
            assert!(bucket(bad, true).is_err(), "{bad}");
        }
    }

    #[test]
    fn loopback_is_known_by_name_and_by_address() {
        for near in [
            "http://localhost:1",
            "http://a.localhost",
            "http://127.0.0.9",
            "http://[::1]",
        ] {
            assert!(is_loopback(&near.parse().unwrap()), "{near}");
        }
        for far in [
            "http://localhost.example.com",
            "http://10.0.0.1",
            "http://[fe80::1]",
        ] {
            assert!(!is_loopback(&far.parse().unwrap()), "{far}");
        }
    }
}
