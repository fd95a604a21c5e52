//! What is checked of a request before `s3s` sees it.
//!
//! `s3s` verifies signatures in the `Authorization` header. Those in the query are verified here:
//! `s3s` would compare their age with the machine's clock, which tests cannot set, and hand on
//! only headers that it understands, whereas S3 keeps, for instance, any `Expires`.

use std::borrow::Cow;

use hyper::http::request::Parts;
use hyper::{HeaderMap, Method, Uri, header};
use s3s::crypto::{Checksum as _, Sha256};
use s3s::{S3Result, s3_error};

use super::Server;
use super::attributes::METADATA_PREFIX;
use super::clock;
use super::content::hex;
use super::exchange::Exchange;
use super::percent;

const ALLOWED_SKEW_SECONDS: i64 = 15 * 60;
const LONGEST_EXPIRY_SECONDS: i64 = 7 * 24 * 60 * 60;

/// Refuses what AWS refuses, and rewrites a presigned request to what `s3s` shall see.
pub(super) fn check(server: &Server, exchange: &Exchange, parts: &mut Parts) -> S3Result<()> {
    require_length(exchange)?;
    if exchange.parameter("X-Amz-Signature").is_some() {
        let access_key = verify_presigned(server, exchange)?;
        exchange.set_access_key(&access_key);
        strip_presigned(parts);
    } else if let Some(authorization) = parts.headers.get(header::AUTHORIZATION) {
        let authorization = String::from_utf8_lossy(authorization.as_bytes());
        let signed = authorization
            .split([' ', ','])
            .find_map(|part| part.strip_prefix("SignedHeaders="));
        require_signed(exchange, signed.unwrap_or_default())?;
        let date = parts
            .headers
            .get("x-amz-date")
            .and_then(|date| date.to_str().ok());
        check_skew(server, exchange, date.unwrap_or_default())?;
    }
    Ok(())
}

fn require_length(exchange: &Exchange) -> S3Result<()> {
    let is_upload = exchange.method == Method::PUT
        && !exchange.key.is_empty()
        && !exchange.headers.contains_key("x-amz-copy-source");
    if is_upload && !exchange.headers.contains_key(header::CONTENT_LENGTH) {
        return Err(s3_error!(
            MissingContentLength,
            "You must provide the Content-Length HTTP header."
        ));
    }
    Ok(())
}

fn require_signed(exchange: &Exchange, signed_headers: &str) -> S3Result<()> {
    let names = exchange.headers.keys().map(header::HeaderName::as_str);
    let unsigned: Vec<_> = names
        .filter(|name| {
            name.starts_with("x-amz-") && !signed_headers.split(';').any(|signed| signed == *name)
        })
        .collect();
    if unsigned.is_empty() {
        return Ok(());
    }
    exchange.add_error_detail("HeadersNotSigned", &unsigned.join(", "));
    Err(s3_error!(
        AccessDenied,
        "There were headers present in the request which were not signed"
    ))
}

fn check_skew(server: &Server, exchange: &Exchange, date: &str) -> S3Result<()> {
    // A date that cannot be read is left to `s3s` to refuse.
    let Some(signed_at) = clock::parse_signature_date(date) else {
        return Ok(());
    };
    if (server.clock.now_epoch_seconds() - signed_at).abs() <= ALLOWED_SKEW_SECONDS {
        return Ok(());
    }
    exchange.add_error_detail("RequestTime", date);
    exchange.add_error_detail(
        "ServerTime",
        &clock::iso_date(clock::whole_seconds(server.clock.now())),
    );
    exchange.add_error_detail("MaxAllowedSkewMilliseconds", "900000");
    Err(s3_error!(
        RequestTimeTooSkewed,
        "The difference between the request time and the current time is too large."
    ))
}

/// Checks date and signature of a presigned request and returns its access key.
fn verify_presigned(server: &Server, exchange: &Exchange) -> S3Result<String> {
    let required = |name| {
        exchange.parameter(name).ok_or_else(|| {
            s3_error!(
                AuthorizationQueryParametersError,
                "Query-string authentication version 4 requires the X-Amz-Algorithm, X-Amz-Credential, \
                 X-Amz-Signature, X-Amz-Date, X-Amz-SignedHeaders, and X-Amz-Expires parameters."
            )
        })
    };
    let malformed = || {
        s3_error!(
            AuthorizationQueryParametersError,
            "The signature's parameters are malformed."
        )
    };
    let credential = required("X-Amz-Credential")?;
    let date = required("X-Amz-Date")?;
    let signed_headers = required("X-Amz-SignedHeaders")?;
    let expires = required("X-Amz-Expires")?
        .parse()
        .map_err(|_| malformed())?;
    let (access_key, scope) = credential.split_once('/').ok_or_else(malformed)?;
    let [day, _region, "s3", "aws4_request"] = scope.split('/').collect::<Vec<_>>()[..] else {
        return Err(malformed());
    };
    let is_date = clock::parse_signature_date(&date).is_some() && date.starts_with(day);
    if required("X-Amz-Algorithm")? != "AWS4-HMAC-SHA256" || !is_date {
        return Err(malformed());
    }

    let secret_key = server.credentials.secret_key(access_key)?;
    check_expiry(server, exchange, &date, expires)?;
    let request = canonical_request(exchange, &signed_headers);
    if signature(&secret_key, &date, scope, &request) != required("X-Amz-Signature")? {
        return Err(s3_error!(
            SignatureDoesNotMatch,
            "The request signature we calculated does not match the signature you provided. Check your key and signing method."
        ));
    }
    require_signed(exchange, &signed_headers)?;
    Ok(access_key.to_owned())
}

fn check_expiry(server: &Server, exchange: &Exchange, date: &str, expires: i64) -> S3Result<()> {
    if !(0..=LONGEST_EXPIRY_SECONDS).contains(&expires) {
        return Err(s3_error!(
            AuthorizationQueryParametersError,
            "X-Amz-Expires must be less than a week (in seconds) and not negative"
        ));
    }
    let signed_at = clock::parse_signature_date(date).expect("the date was checked");
    let age = server.clock.now_epoch_seconds() - signed_at;
    if age < 0 {
        return check_skew(server, exchange, date);
    }
    if age > expires {
        exchange.add_error_detail("X-Amz-Expires", &expires.to_string());
        exchange.add_error_detail(
            "ServerTime",
            &clock::iso_date(clock::whole_seconds(server.clock.now())),
        );
        return Err(s3_error!(AccessDenied, "Request has expired"));
    }
    Ok(())
}

fn signature(secret_key: &str, date: &str, scope: &str, request: &str) -> String {
    let hash = hex(&Sha256::checksum(request.as_bytes()));
    let text = format!("AWS4-HMAC-SHA256\n{date}\n{scope}\n{hash}");
    let key = scope
        .split('/')
        .fold(format!("AWS4{secret_key}").into_bytes(), |key, part| {
            hmac_sha256(&key, part.as_bytes()).to_vec()
        });
    hex(&hmac_sha256(&key, text.as_bytes()))
}

fn canonical_request(exchange: &Exchange, signed_headers: &str) -> String {
    let path = percent::encode_for_signature(&percent::decode(&exchange.path), true);
    let mut pairs: Vec<_> = exchange
        .query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .filter(|(name, _)| *name != "X-Amz-Signature")
        .map(|(name, value)| format!("{}={}", canonical_value(name), canonical_value(value)))
        .collect();
    pairs.sort();
    let header = |name| format!("{name}:{}\n", canonical_header(&exchange.headers, name));
    let headers: Vec<_> = signed_headers.split(';').map(header).collect();
    let payload = exchange.headers.get("x-amz-content-sha256");
    let payload = payload.map_or(Cow::Borrowed("UNSIGNED-PAYLOAD"), |hash| {
        String::from_utf8_lossy(hash.as_bytes())
    });
    format!(
        "{}\n{path}\n{}\n{}\n{signed_headers}\n{payload}",
        exchange.method,
        pairs.join("&"),
        headers.concat(),
    )
}

fn canonical_value(text: &str) -> String {
    percent::encode_for_signature(&percent::decode(&text.replace('+', " ")), false)
}

fn canonical_header(headers: &HeaderMap, name: &str) -> String {
    let values = headers.get_all(name).iter().map(|value| {
        let text = String::from_utf8_lossy(value.as_bytes());
        text.split(' ')
            .filter(|word| !word.is_empty())
            .collect::<Vec<_>>()
            .join(" ")
    });
    values.collect::<Vec<_>>().join(",")
}

fn hmac_sha256(key: &[u8], message: &[u8]) -> [u8; 32] {
    let mut block = [0; 64];
    if key.len() > block.len() {
        block[..32].copy_from_slice(&Sha256::checksum(key));
    } else {
        block[..key.len()].copy_from_slice(key);
    }
    let hash = |pad: u8, message: &[u8]| {
        let mut sha256 = Sha256::new();
        sha256.update(&block.map(|byte| byte ^ pad));
        sha256.update(message);
        sha256.finalize()
    };
    hash(0x5c, &hash(0x36, message))
}

/// Leaves of a verified request what tells the operation. The headers that operations take
/// verbatim from the exchange are removed too, as `s3s` would refuse unusual values.
fn strip_presigned(parts: &mut Parts) {
    let path = parts.uri.path();
    let query: Vec<_> = parts
        .uri
        .query()
        .unwrap_or_default()
        .split('&')
        .filter(|pair| !pair.to_ascii_lowercase().starts_with("x-amz-"))
        .collect();
    let target = if query.is_empty() {
        path.to_owned()
    } else {
        format!("{path}?{}", query.join("&"))
    };
    parts.uri = target
        .parse::<Uri>()
        .expect("part of a valid target is one");
    let names: Vec<_> = parts.headers.keys().cloned().collect();
    for name in names {
        let unreadable_range = name == header::RANGE && s3s_cannot_read_range(&parts.headers);
        if name == header::EXPIRES || name.as_str().starts_with(METADATA_PREFIX) || unreadable_range
        {
            parts.headers.remove(name);
        }
    }
    parts.headers.remove("x-amz-content-sha256");
}

/// S3 ignores such a range and answers with the whole object.
fn s3s_cannot_read_range(headers: &HeaderMap) -> bool {
    let range = headers
        .get(header::RANGE)
        .and_then(|range| range.to_str().ok());
    range.is_none_or(|range| s3s::dto::Range::parse(range).is_err())
}
