//! `SDK-HMAC-SHA256`, the signature of Huawei Cloud's SDKs: a request written in
//! one certain way, its hash signed with the caller's secret key.

use std::borrow::Cow;

use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use chrono::NaiveDateTime;
use hmac::{Hmac, KeyInit, Mac};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, percent_encode};
use sha2::{Digest, Sha256};
use url::form_urlencoded;

use crate::model::Timestamp;
use crate::secret::Secret;

const ALGORITHM: &str = "SDK-HMAC-SHA256";
const DATE: &str = "x-sdk-date";

/// How far the caller's clock may be off, and so for how long a request that was
/// overheard could be repeated.
const LEEWAY_MS: i64 = 15 * 60 * 1_000;

/// All but `A-Za-z0-9-._~` is escaped.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// What a signed request says of its signature.
#[derive(Debug)]
pub(super) struct Signed<'r> {
    /// The id of the keys.
    pub(super) access: &'r str,
    /// The fields that are signed, in this order.
    fields: &'r str,
    signature: Vec<u8>,
    date: &'r str,
}

impl<'r> Signed<'r> {
    /// Reads `Authorization: SDK-HMAC-SHA256 Access=…, SignedHeaders=…, Signature=…`
    /// and `X-Sdk-Date`, both of which have to be there, the date and the host signed.
    pub(super) fn parse(authorization: &'r str, headers: &'r HeaderMap) -> Option<Self> {
        let said = authorization.strip_prefix(ALGORITHM)?.strip_prefix(' ')?;
        let part = |key| {
            said.split(',')
                .find_map(|part| part.trim().strip_prefix(key)?.strip_prefix('='))
        };
        let fields = part("SignedHeaders")?;
        let is_signed = |name: &str| fields.split(';').any(|field| field == name);
        if !is_signed(DATE) || !is_signed(header::HOST.as_str()) {
            return None;
        }
        Some(Self {
            access: part("Access")?,
            fields,
            signature: base16ct::mixed::decode_vec(part("Signature")?).ok()?,
            date: headers.get(DATE)?.to_str().ok()?,
        })
    }

    /// Whether it was signed a quarter of an hour around `now`.
    pub(super) fn is_timely(&self, now: Timestamp) -> bool {
        NaiveDateTime::parse_from_str(self.date, "%Y%m%dT%H%M%SZ").is_ok_and(|date| {
            let signed_at = date.and_utc().timestamp_millis();
            (now.ms() - signed_at).abs() <= LEEWAY_MS
        })
    }
}

/// Whether `signed` is the signature over this request made with `secret`. Takes
/// as long for a wrong one as for the right one.
pub(super) fn is_right(signed: &Signed<'_>, secret: &Secret, head: &Parts, body: &[u8]) -> bool {
    let Some(request) = canonical(signed, head, body) else {
        return false;
    };
    let hash = base16ct::lower::encode_string(&Sha256::digest(request));
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.reveal().as_bytes()) else {
        return false;
    };
    mac.update(format!("{ALGORITHM}\n{}\n{hash}", signed.date).as_bytes());
    mac.verify_slice(&signed.signature).is_ok()
}

/// The request as both sides write it; `None` if a field that is signed is not
/// there exactly once. The body's hash is always its own, whatever
/// `X-Sdk-Content-Sha256` says: so nobody can sign without it.
fn canonical(signed: &Signed<'_>, head: &Parts, body: &[u8]) -> Option<Vec<u8>> {
    let mut text = format!(
        "{}\n{}\n{}\n",
        head.method,
        canonical_path(head.uri.path()),
        canonical_query(head.uri.query().unwrap_or_default())
    )
    .into_bytes();
    for field in signed.fields.split(';') {
        let mut values = head.headers.get_all(field).iter();
        let (Some(value), None) = (values.next(), values.next()) else {
            return None;
        };
        text.extend_from_slice(field.as_bytes());
        text.push(b':');
        text.extend_from_slice(value.as_bytes().trim_ascii());
        text.push(b'\n');
    }
    text.extend_from_slice(b"\n");
    text.extend_from_slice(signed.fields.as_bytes());
    text.push(b'\n');
    let hash = base16ct::lower::encode_string(&Sha256::digest(body));
    text.extend_from_slice(hash.as_bytes());
    Some(text)
}

/// Each part of the path escaped anew, and a `/` at its end.
fn canonical_path(path: &str) -> String {
    let decoded: Cow<'_, [u8]> = percent_decode_str(path).into();
    let parts: Vec<String> = decoded
        .split(|byte| *byte == b'/')
        .map(|part| percent_encode(part, ESCAPED).to_string())
        .collect();
    let mut canonical = parts.join("/");
    if !canonical.ends_with('/') {
        canonical.push('/');
    }
    canonical
}

/// The parameters in order, escaped anew.
fn canonical_query(query: &str) -> String {
    let mut parameters: Vec<(Cow<'_, str>, Cow<'_, str>)> =
        form_urlencoded::parse(query.as_bytes()).collect();
    parameters.sort();
    let escaped = |text: &str| percent_encode(text.as_bytes(), ESCAPED).to_string();
    let pairs: Vec<String> = parameters
        .iter()
        .map(|(key, value)| format!("{}={}", escaped(key), escaped(value)))
        .collect();
    pairs.join("&")
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderValue, Request};

    use super::*;

    const SECRET: &str = "a secret key of forty characters or so..";
    const BODY: &str = "{\"object_keys\": [\"photos%2F001.jpg\"]}";

    /// What the official SDK (huaweicloudsdkcore 3.1.219) sends for an event.
    fn event() -> Parts {
        let request = Request::post("/v2/p1/sync-tasks/photos/events")
            .header("Content-Type", "application/json;charset=UTF-8")
            .header("X-Sdk-Date", "20261122T120000Z")
            .header("X-Project-Id", "p1")
            .header("Host", "127.0.0.1:8030")
            .header(
                "Authorization",
                "SDK-HMAC-SHA256 Access=AKIDEXAMPLE, \
                 SignedHeaders=content-type;host;x-project-id;x-sdk-date, \
                 Signature=a1ff5937ff951a3403597ac96e847b931974a4494d97fc94dd0e9e8aed98d64a",
            );
        request.body(()).unwrap().into_parts().0
    }

    fn signed(head: &Parts) -> Option<Signed<'_>> {
        let authorization = head.headers[header::AUTHORIZATION].to_str().unwrap();
        Signed::parse(authorization, &head.headers)
    }

    fn right(head: &Parts, body: &str) -> bool {
        let signed = signed(head).unwrap();
        is_right(&signed, &Secret::new(SECRET.into()), head, body.as_bytes())
    }

    #[test]
    fn what_the_official_sdk_signs_is_right() {
        let head = event();
        assert_eq!(signed(&head).unwrap().access, "AKIDEXAMPLE");
        assert!(right(&head, BODY));
    }

    #[test]
    fn awkward_paths_queries_and_fields_are_written_as_the_sdk_writes_them() {
        let request = Request::get(
            "/v2/p1/sync-tasks/ph~o%20t%C3%A9?data_type=REQUEST%2CSUCCESS&b=2&a=x%20y~%2F",
        )
        .header("Content-Type", "application/json")
        .header("X-Sdk-Date", "20261122T120000Z")
        .header(
            "X-Name",
            HeaderValue::from_bytes(" café ".as_bytes()).unwrap(),
        )
        .header("Host", "127.0.0.1:8030")
        .header(
            "Authorization",
            "SDK-HMAC-SHA256 Access=AKIDEXAMPLE, SignedHeaders=content-type;host;x-name;x-sdk-date, \
             Signature=fd4666fae2e5b06d0f6c18bb7b738dbdb8e61a1e9e075f31b3645b4fd5935415",
        );
        assert!(right(&request.body(()).unwrap().into_parts().0, ""));
    }

    #[test]
    fn whatever_is_altered_makes_the_signature_wrong() {
        assert!(!right(&event(), "{}"));
        let mut head = event();
        head.uri = "/v2/p1/sync-tasks/films/events".parse().unwrap();
        assert!(!right(&head, BODY));
        let mut head = event();
        head.method = axum::http::Method::PUT;
        assert!(!right(&head, BODY));
        for field in ["content-type", "host", "x-project-id"] {
            let mut head = event();
            head.headers.insert(field, "other".parse().unwrap());
            assert!(!right(&head, BODY), "{field}");
            head.headers.remove(field);
            assert!(!right(&head, BODY), "{field}");
            let mut head = event();
            head.headers.append(field, "other".parse().unwrap());
            assert!(!right(&head, BODY), "{field}");
        }
        let head = event();
        let other = Secret::new("another".into());
        assert!(!is_right(
            &signed(&head).unwrap(),
            &other,
            &head,
            BODY.as_bytes()
        ));
    }

    #[test]
    fn the_hash_that_a_caller_states_counts_for_nothing() {
        let mut head = event();
        head.headers
            .insert("x-sdk-content-sha256", "UNSIGNED-PAYLOAD".parse().unwrap());
        assert!(right(&head, BODY));
        assert!(!right(&head, "{}"));
    }

    #[test]
    fn host_and_date_have_to_be_signed() {
        for fields in ["content-type;host", "content-type;x-sdk-date", ""] {
            let mut head = event();
            let authorization =
                format!("SDK-HMAC-SHA256 Access=A, SignedHeaders={fields}, Signature=00");
            head.headers
                .insert(header::AUTHORIZATION, authorization.parse().unwrap());
            assert!(signed(&head).is_none(), "{fields}");
        }
    }

    #[test]
    fn a_signature_holds_for_a_quarter_of_an_hour_either_way() {
        let head = event();
        let signed = signed(&head).unwrap();
        let noon = NaiveDateTime::parse_from_str("20261122T120000Z", "%Y%m%dT%H%M%SZ").unwrap();
        let noon = Timestamp::from_ms(noon.and_utc().timestamp_millis());
        for (off_ms, timely) in [
            (0, true),
            (LEEWAY_MS, true),
            (-LEEWAY_MS, true),
            (LEEWAY_MS + 1, false),
            (-LEEWAY_MS - 1, false),
        ] {
            assert_eq!(signed.is_timely(noon.plus_ms(off_ms)), timely, "{off_ms}");
        }
    }
}
