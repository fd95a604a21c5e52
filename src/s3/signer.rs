//! Signatures of AWS Signature Version 4, in the query of a URL.
//!
//! The same as `rusty_s3::signing::sign`, and compared with it by the tests.
//! What is equal for all requests of a second is made once a second here, the
//! signing key above all: small objects cost so little that it showed.

use std::fmt::Write;
use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, Utc};
use hmac::{Hmac, KeyInit, Mac};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use rusty_s3::Method;
use sha2::{Digest, Sha256};
use url::Url;

use crate::model::Timestamp;
use crate::secret::Secret;

/// How long a signature holds. As far as S3 lets the clocks of the two ends differ.
const SIGNATURE_SECONDS: u64 = 900;

/// All but what RFC 3986 never reserves.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// Signs URLs for one access key in one region.
pub struct Signer {
    access_key_id: String,
    secret_access_key: Secret,
    session_token: Option<Secret>,
    region: String,
    second: Mutex<Option<Arc<Second>>>,
}

/// What all requests of a second have in common.
struct Second {
    seconds: i64,
    /// The query up to the names of the signed headers.
    query: String,
    /// What is signed, up to the digest of the request.
    head: String,
    key: Hmac<Sha256>,
}

impl Signer {
    /// Signs for this key and region; an empty token is none.
    #[must_use]
    pub fn new(
        access_key_id: String,
        secret_access_key: Secret,
        session_token: Option<Secret>,
        region: String,
    ) -> Self {
        Self {
            access_key_id,
            secret_access_key,
            session_token: session_token.filter(|token| !token.reveal().is_empty()),
            region,
            second: Mutex::default(),
        }
    }

    /// `url`, whose path is percent-encoded, with `query` and a signature over
    /// it and `headers`, which must be sent as they are. Query and headers are
    /// sorted by name; names in the query begin with a lower-case letter, those
    /// of headers have no upper-case ones.
    ///
    /// `None` if `at` is in a year that no signature can hold, or `url` has no
    /// host.
    #[must_use]
    pub fn sign<'a>(
        &self,
        at: Timestamp,
        method: Method,
        mut url: Url,
        query: &[(&str, &str)],
        headers: impl Iterator<Item = (&'a str, &'a str)>,
    ) -> Option<Url> {
        let second = self.second(at)?;
        let (names, lines) = canonical_headers(&url, headers)?;
        let mut signed = String::with_capacity(second.query.len() + 256);
        signed.push_str(&second.query);
        signed.extend(encoded(&names));
        for (name, value) in query {
            signed.push('&');
            signed.extend(encoded(name));
            signed.push('=');
            signed.extend(encoded(value));
        }
        let mut request = Sha256::new();
        for part in [
            method.to_str(),
            "\n",
            url.path(),
            "\n",
            &signed,
            "\n",
            &lines,
            "\n",
            &names,
            "\nUNSIGNED-PAYLOAD",
        ] {
            request.update(part);
        }
        let mut key = second.key.clone();
        key.update(second.head.as_bytes());
        key.update(base16ct::lower::encode_string(&request.finalize()).as_bytes());
        signed.push_str("&X-Amz-Signature=");
        signed.push_str(&base16ct::lower::encode_string(
            &key.finalize().into_bytes(),
        ));
        url.set_query(Some(&signed));
        Some(url)
    }

    /// The access key's id.
    pub(super) fn access_key_id(&self) -> &str {
        &self.access_key_id
    }

    /// What nobody may see: the access key's secret, and the token if there is one.
    pub(super) fn secrets(&self) -> impl Iterator<Item = &Secret> {
        [Some(&self.secret_access_key), self.session_token.as_ref()]
            .into_iter()
            .flatten()
    }

    fn second(&self, at: Timestamp) -> Option<Arc<Second>> {
        let seconds = at.ms().div_euclid(1000);
        let mut kept = self.second.lock().unwrap_or_else(PoisonError::into_inner);
        match &*kept {
            Some(second) if second.seconds == seconds => Some(Arc::clone(second)),
            _ => {
                let second = Arc::new(self.prepare(seconds)?);
                *kept = Some(Arc::clone(&second));
                Some(second)
            }
        }
    }

    fn prepare(&self, seconds: i64) -> Option<Second> {
        let at = DateTime::<Utc>::from_timestamp(seconds, 0)?;
        let time = at.format("%Y%m%dT%H%M%SZ").to_string();
        // Years of more or fewer than four digits.
        let day = time.get(..8).filter(|_| time.len() == 16)?;
        let scope = format!("{day}/{}/s3/aws4_request", self.region);
        let mut query = String::from("X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=");
        query.extend(encoded(&format!("{}/{scope}", self.access_key_id)));
        // Writing to a String cannot fail.
        let _ = write!(
            query,
            "&X-Amz-Date={time}&X-Amz-Expires={SIGNATURE_SECONDS}"
        );
        if let Some(token) = &self.session_token {
            query.push_str("&X-Amz-Security-Token=");
            query.extend(encoded(token.reveal()));
        }
        query.push_str("&X-Amz-SignedHeaders=");
        let secret = format!("AWS4{}", self.secret_access_key.reveal());
        let mut key = keyed(secret.as_bytes())?;
        for part in [day, &self.region, "s3", "aws4_request"] {
            key.update(part.as_bytes());
            key = keyed(&key.finalize().into_bytes())?;
        }
        Some(Second {
            seconds,
            query,
            head: format!("AWS4-HMAC-SHA256\n{time}\n{scope}\n"),
            key,
        })
    }
}

/// HMAC takes keys of any length, so there always is one.
fn keyed(key: &[u8]) -> Option<Hmac<Sha256>> {
    Hmac::new_from_slice(key).ok()
}

fn encoded(text: &str) -> impl Iterator<Item = &str> {
    utf8_percent_encode(text, RESERVED)
}

/// The names of the signed headers, and a line for each. `headers` and the host
/// come in order of their names; spaces in a row count as one.
fn canonical_headers<'a>(
    url: &Url,
    headers: impl Iterator<Item = (&'a str, &'a str)>,
) -> Option<(String, String)> {
    let host = url.host_str()?;
    let (mut names, mut lines) = (String::with_capacity(64), String::with_capacity(256));
    let mut host_is_in = false;
    let mut add = |name: &str, value: &str| {
        if !names.is_empty() {
            names.push(';');
        }
        names.push_str(name);
        lines.push_str(name);
        lines.push(':');
        for (index, word) in value.split_whitespace().enumerate() {
            if index > 0 {
                lines.push(' ');
            }
            lines.push_str(word);
        }
        lines.push('\n');
    };
    let authority = match url.port() {
        None => host.to_owned(),
        Some(port) => format!("{host}:{port}"),
    };
    for (name, value) in headers {
        if !host_is_in && name > "host" {
            add("host", &authority);
            host_is_in = true;
        }
        add(name, value);
    }
    if !host_is_in {
        add("host", &authority);
    }
    Some((names, lines))
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use proptest::prelude::*;

    use super::*;

    const SECRET: &str = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";

    fn signer(token: Option<&str>) -> Signer {
        Signer::new(
            "AKID/+=EXAMPLE".into(),
            Secret::new(SECRET.into()),
            token.map(|token| Secret::new(token.into())),
            "eu-west-1".into(),
        )
    }

    fn sorted(pairs: Vec<(String, String)>) -> Vec<(String, String)> {
        pairs
            .into_iter()
            .collect::<std::collections::BTreeMap<_, _>>()
            .into_iter()
            .collect()
    }

    fn borrowed(pairs: &[(String, String)]) -> Vec<(&str, &str)> {
        pairs
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect()
    }

    #[test]
    fn a_year_that_no_signature_can_hold_is_refused() {
        let url: Url = "http://127.0.0.1:9/b/x".parse().unwrap();
        for at in [i64::MIN, i64::MAX, 253_402_300_800_000] {
            let at = Timestamp::from_ms(at);
            let none = signer(None).sign(at, Method::Get, url.clone(), &[], std::iter::empty());
            assert_eq!(none, None);
        }
    }

    proptest! {
        #[test]
        fn a_signature_is_that_of_rusty_s3(
            name in "\\PC{1,40}",
            ms in 0_i64..253_402_300_799_999,
            endpoint in prop::sample::select(vec![
                "http://127.0.0.1:9000", "http://localhost:80", "https://s3.example.com/below",
                "https://[::1]:8443",
            ]),
            token in prop::option::of("[ -~]{0,40}"),
            query in prop::collection::vec(("[a-z][a-zA-Z.-]{0,10}", "\\PC{0,20}"), 0..4),
            headers in prop::collection::vec(("[a-z!#-'*+.^_`|~-][a-z0-9_.-]{0,12}", "\\PC{0,20}"), 0..6),
            methods in 0_usize..5,
        ) {
            let method = [Method::Head, Method::Get, Method::Post, Method::Put, Method::Delete][methods];
            let style = rusty_s3::UrlStyle::Path;
            let bucket =
                rusty_s3::Bucket::new(endpoint.parse().unwrap(), style, "photos", "eu-west-1").unwrap();
            let url = bucket.object_url(&name);
            let (query, mut headers) = (sorted(query), sorted(headers));
            headers.retain(|(name, _)| name != "host");
            let (query, headers) = (borrowed(&query), borrowed(&headers));
            let now = UNIX_EPOCH + Duration::from_millis(u64::try_from(ms).unwrap());
            let theirs = rusty_s3::signing::sign(
                &now.try_into().unwrap(),
                method,
                url.clone(),
                "AKID/+=EXAMPLE",
                SECRET,
                token.as_deref(),
                "eu-west-1",
                SIGNATURE_SECONDS,
                query.iter().copied(),
                headers.iter().copied(),
            );
            let signer = signer(token.as_deref());
            for _ in 0..2 {
                let at = Timestamp::from_ms(ms);
                let ours = signer.sign(at, method, url.clone(), &query, headers.iter().copied());
                prop_assert_eq!(ours.as_ref(), Some(&theirs));
            }
        }
    }
}
