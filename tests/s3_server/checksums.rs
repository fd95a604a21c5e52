//! `Content-MD5` and the `x-amz-checksum-*` values of a request, verified while its body streams.

use std::io;

use base64::prelude::{BASE64_STANDARD, Engine as _};
use hyper::HeaderMap;
use s3s::checksum::ChecksumHasher;
use s3s::crypto::{Checksum as _, Crc32, Crc32c, Crc64Nvme, Md5, Sha1, Sha256};
use s3s::dto::Checksum;
use s3s::{S3Result, TrailingHeaders, s3_error};

use super::content::Content;

pub(super) const PREFIX: &str = "x-amz-checksum-";
const ALGORITHMS: [&str; 5] = ["crc32", "crc32c", "crc64nvme", "sha1", "sha256"];

/// The value of one algorithm, if there is one.
pub(super) fn value_of<'a>(checksums: &'a Checksum, algorithm: &str) -> Option<&'a str> {
    match algorithm {
        "crc32" => checksums.checksum_crc32.as_deref(),
        "crc32c" => checksums.checksum_crc32c.as_deref(),
        "crc64nvme" => checksums.checksum_crc64nvme.as_deref(),
        "sha1" => checksums.checksum_sha1.as_deref(),
        "sha256" => checksums.checksum_sha256.as_deref(),
        _ => None,
    }
}

/// Changes each value that is there.
pub(super) fn map(mut checksums: Checksum, change: impl Fn(&str) -> String) -> Checksum {
    for value in [
        &mut checksums.checksum_crc32,
        &mut checksums.checksum_crc32c,
        &mut checksums.checksum_crc64nvme,
        &mut checksums.checksum_sha1,
        &mut checksums.checksum_sha256,
    ] {
        *value = value.as_deref().map(&change);
    }
    checksums
}

/// The values that `headers` promise.
pub(super) fn promised(headers: &HeaderMap) -> Checksum {
    let value = |algorithm: &str| {
        let value = headers.get(format!("{PREFIX}{algorithm}"))?;
        value.to_str().ok().map(str::to_owned)
    };
    Checksum {
        checksum_crc32: value("crc32"),
        checksum_crc32c: value("crc32c"),
        checksum_crc64nvme: value("crc64nvme"),
        checksum_sha1: value("sha1"),
        checksum_sha256: value("sha256"),
        ..Checksum::default()
    }
}

/// Adds the values to the headers of an answer.
pub(super) fn add_headers(checksums: &Checksum, headers: &mut HeaderMap) {
    for algorithm in ALGORITHMS {
        if let Some(value) = value_of(checksums, algorithm) {
            headers.insert(
                hyper::header::HeaderName::try_from(format!("{PREFIX}{algorithm}"))
                    .expect("the name is valid"),
                value.parse().expect("base64 is a valid header value"),
            );
        }
    }
}

/// A hasher for the named algorithms; unknown ones are left out.
pub(super) fn hasher<'a>(algorithms: impl IntoIterator<Item = &'a str>) -> ChecksumHasher {
    let mut hasher = ChecksumHasher::default();
    for algorithm in algorithms {
        match algorithm.to_ascii_lowercase().as_str() {
            "crc32" => hasher.crc32 = Some(Crc32::new()),
            "crc32c" => hasher.crc32c = Some(Crc32c::new()),
            "crc64nvme" => hasher.crc64nvme = Some(Crc64Nvme::new()),
            "sha1" => hasher.sha1 = Some(Sha1::new()),
            "sha256" => hasher.sha256 = Some(Sha256::new()),
            _ => {}
        }
    }
    hasher
}

/// Refuses a body whose checksums differ from those the headers promise.
pub(super) fn check(promised: &HeaderMap, computed: &Checksum) -> S3Result<()> {
    for algorithm in ALGORITHMS {
        let Some(promise) = promised.get(format!("{PREFIX}{algorithm}")) else {
            continue;
        };
        let value = value_of(computed, algorithm);
        let bytes_of = |text: &[u8]| BASE64_STANDARD.decode(text).ok();
        let length = |text: &[u8]| bytes_of(text).map(|bytes| bytes.len());
        if length(promise.as_bytes()) != value.and_then(|value| length(value.as_bytes())) {
            return Err(s3_error!(
                InvalidRequest,
                "Value for x-amz-checksum-{algorithm} header is invalid."
            ));
        }
        if value.map(str::as_bytes) != Some(promise.as_bytes()) {
            return Err(s3_error!(
                BadDigest,
                "The {algorithm} you specified did not match the calculated checksum."
            ));
        }
    }
    Ok(())
}

/// Everything that is computed over a body as it is received.
pub(super) struct BodyVerifier<'a> {
    headers: &'a HeaderMap,
    trailers: Option<TrailingHeaders>,
    promised_md5: Option<[u8; 16]>,
    md5: Md5,
    checksums: ChecksumHasher,
}

impl<'a> BodyVerifier<'a> {
    /// Computes what `headers` promise and, for a part, what its upload asks for.
    pub(super) fn new(
        headers: &'a HeaderMap,
        trailers: Option<TrailingHeaders>,
        upload_algorithm: Option<&'a str>,
    ) -> S3Result<Self> {
        let promised_md5 = headers
            .get("content-md5")
            .map(|value| {
                let bytes = BASE64_STANDARD.decode(value.as_bytes()).ok();
                bytes.and_then(|bytes| bytes.try_into().ok())
            })
            .map(|digest| {
                digest.ok_or_else(|| {
                    s3_error!(InvalidDigest, "The Content-MD5 you specified is not valid.")
                })
            })
            .transpose()?;
        let trailer_names = headers.get_all("x-amz-trailer").iter();
        let trailer_names = trailer_names.filter_map(|value| value.to_str().ok());
        let names = headers
            .keys()
            .map(hyper::header::HeaderName::as_str)
            .chain(trailer_names.flat_map(|names| names.split(',').map(str::trim)));
        let algorithms = names.filter_map(|name| name.strip_prefix(PREFIX));
        Ok(Self {
            headers,
            trailers,
            promised_md5,
            md5: Md5::new(),
            checksums: hasher(algorithms.chain(upload_algorithm)),
        })
    }

    pub(super) fn update(&mut self, bytes: &[u8]) {
        self.md5.update(bytes);
        self.checksums.update(bytes);
    }

    /// The MD5 and the other checksums, if they are those promised.
    pub(super) fn finish(self) -> S3Result<([u8; 16], Checksum)> {
        let md5: [u8; 16] = self.md5.finalize();
        if self.promised_md5.is_some_and(|promised| promised != md5) {
            return Err(s3_error!(
                BadDigest,
                "The Content-MD5 you specified did not match what we received."
            ));
        }
        let computed = self.checksums.finalize();
        check(self.headers, &computed)?;
        if let Some(trailers) = self.trailers.and_then(|trailers| trailers.take()) {
            check(&trailers, &computed)?;
        }
        Ok((md5, computed))
    }
}

/// Computes a checksum over a content that is stored already.
pub(super) fn of_content(content: &Content, algorithm: Option<&str>) -> io::Result<Checksum> {
    let mut checksums = hasher(algorithm);
    if algorithm.is_some() {
        for chunk in content.chunks() {
            checksums.update(&chunk?);
        }
    }
    Ok(checksums.finalize())
}
