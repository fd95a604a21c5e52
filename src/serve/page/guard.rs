//! Who may see the page, and what browsers are told about it.

use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::header::{self, HeaderName, HeaderValue};
use axum::http::{HeaderMap, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::Page;
use super::error::PageError;
use super::sign_in;

/// The cookie that holds a session's value.
pub(super) const COOKIE: &str = "nightferry";

/// Scripts, styles and pictures of our own, and nothing from anywhere else.
const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; \
                      connect-src 'self'; form-action 'self'; frame-ancestors 'none'; \
                      base-uri 'none'";

const PROTECTION: [(HeaderName, &str); 6] = [
    (header::CONTENT_SECURITY_POLICY, POLICY),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (header::REFERRER_POLICY, "no-referrer"),
    (
        HeaderName::from_static("cross-origin-opener-policy"),
        "same-origin",
    ),
    (
        HeaderName::from_static("cross-origin-resource-policy"),
        "same-origin",
    ),
];

/// Lets through who may see the page:
///
/// | the page is | and | then |
/// |--|--|--|
/// | open | the request names this machine as its host | shown |
/// | open | it names another: a foreign page may have led the browser here | refused |
/// | open | a proxy says that it comes from elsewhere | refused |
/// | not open | the form or its answer is asked for | shown |
/// | not open | it bears the value of a session | shown |
/// | not open | it does not | led to the form |
pub(super) async fn guard(State(page): State<Arc<Page>>, request: Request, next: Next) -> Response {
    if page.is_open() {
        let headers = request.headers();
        if is_this_machine(headers) && !is_forwarded(headers) {
            return next.run(request).await;
        }
        let why =
            "This page is for this machine alone: call it by localhost or its loopback address.";
        return PageError::Refused(why).into_response();
    }
    let path = request.uri().path();
    if path == sign_in::PATH || has_session(&page, request.headers()) {
        return next.run(request).await;
    }
    if request.method() == Method::GET {
        return sign_in::lead(request.uri());
    }
    StatusCode::UNAUTHORIZED.into_response()
}

/// Tells browsers what they may do with an answer, and to keep none of it.
pub(super) async fn protect(mut response: Response) -> Response {
    let headers = response.headers_mut();
    for (name, value) in PROTECTION {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers
        .entry(header::CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("no-store"));
    response
}

/// The value of the session that a request bears, if it bears one.
pub(super) fn session(headers: &HeaderMap) -> Option<&str> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|cookies| cookies.to_str().ok())
        .flat_map(|cookies| cookies.split(';'))
        .find_map(|cookie| cookie.trim().strip_prefix(COOKIE)?.strip_prefix('='))
}

fn has_session(page: &Page, headers: &HeaderMap) -> bool {
    let now = page.receiver.clock.now();
    session(headers).is_some_and(|value| page.sessions.is_known(value, now))
}

/// Whether a proxy has passed the request on.
fn is_forwarded(headers: &HeaderMap) -> bool {
    headers.keys().any(|name| {
        let name = name.as_str();
        matches!(name, "forwarded" | "via" | "x-real-ip") || name.starts_with("x-forwarded-")
    })
}

/// Whether the host that the request names is this machine's loopback.
fn is_this_machine(headers: &HeaderMap) -> bool {
    let mut hosts = headers.get_all(header::HOST).iter();
    let (Some(host), None) = (hosts.next(), hosts.next()) else {
        return false;
    };
    let Ok(host) = host.to_str() else {
        return false;
    };
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    };
    let address = name
        .strip_prefix('[')
        .and_then(|name| name.strip_suffix(']'))
        .unwrap_or(name);
    name.eq_ignore_ascii_case("localhost")
        || address
            .parse::<IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(name: &HeaderName, values: &[&str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(name.clone(), value.parse().unwrap());
        }
        headers
    }

    #[test]
    fn only_names_of_the_loopback_are_this_machine() {
        for (hosts, is_ours) in [
            (vec!["localhost"], true),
            (vec!["LocalHost:8030"], true),
            (vec!["127.0.0.1:8030"], true),
            (vec!["127.1.2.3"], true),
            (vec!["[::1]:8030"], true),
            (vec!["[::1]"], true),
            (vec!["evil.example"], false),
            (vec!["evil.example:8030"], false),
            (vec!["localhost.evil.example"], false),
            (vec!["127.0.0.1.evil.example:8030"], false),
            (vec!["192.168.1.1"], false),
            (vec!["localhost", "evil.example"], false),
            (vec![""], false),
            (vec![], false),
        ] {
            let headers = headers(&header::HOST, &hosts);
            assert_eq!(is_this_machine(&headers), is_ours, "{hosts:?}");
        }
    }

    #[test]
    fn what_a_proxy_passes_on_is_seen_to_be_so() {
        for (name, is) in [
            (HeaderName::from_static("x-forwarded-for"), true),
            (HeaderName::from_static("x-forwarded-host"), true),
            (header::FORWARDED, true),
            (header::VIA, true),
            (header::HOST, false),
        ] {
            assert_eq!(is_forwarded(&headers(&name, &["x"])), is, "{name}");
        }
    }

    #[test]
    fn a_session_is_found_among_other_cookies_by_its_whole_name() {
        for (cookies, value) in [
            (vec!["nightferry=abc"], Some("abc")),
            (vec!["a=b; nightferry=abc; c=d"], Some("abc")),
            (vec!["a=b", "nightferry=abc"], Some("abc")),
            (vec!["nightferry2=abc"], None),
            (vec!["xnightferry=abc"], None),
            (vec!["nightferry"], None),
            (vec![], None),
        ] {
            let headers = headers(&header::COOKIE, &cookies);
            assert_eq!(session(&headers), value, "{cookies:?}");
        }
    }
}
