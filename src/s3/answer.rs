//! From a refusal, or no answer at all, to a [`Failure`].

use std::error::Error;
use std::fmt::Write;
use std::io;

use bytes::Bytes;
use reqwest::header::{HeaderMap, RETRY_AFTER};

use super::bucket::Bucket;
use super::cause::{Operation, Trouble, cause, is_about_key};
use super::exchange::{Answer, Broken};
use super::headers::http_date;
use super::xml::S3Error;
use crate::clock::Clock;
use crate::model::{Failure, FailureCause, Side};
use crate::secret::Secret;

/// How much of a server's own words goes into a message, in characters.
const MAX_WORDS: usize = 300;

/// The length of a signature: SHA-256 in hexadecimal.
const SIGNATURE_DIGITS: usize = 64;

/// What stands in a signed URL alone.
const SIGNED: [&str; 5] = [
    "x-amz-signature",
    "x-amz-credential",
    "x-amz-security-token",
    "x-amz-signedheaders",
    "x-amz-expires",
];

/// A [`Failure`] on its way through an [`io::Error`].
#[derive(Debug, thiserror::Error)]
#[error("{}", .0.message)]
pub(super) struct FailureInIo(pub(super) Failure);

impl Bucket {
    /// `<operation> "<name>" in <side> bucket "<bucket>": <why>`.
    pub(super) fn describe(
        &self,
        operation: Operation,
        name: Option<&str>,
        why: impl FnOnce(&mut String),
    ) -> String {
        let mut line = String::from(operation.as_str());
        // Writing to a String cannot fail.
        let _ = match name {
            Some(name) => write!(line, " {:?} in {self:?}: ", self.key(name)),
            None => write!(line, " of {self:?}: "),
        };
        why(&mut line);
        line
    }

    /// The failure that a refusal stands for; reads the answer's body.
    pub(super) fn refused(
        &self,
        operation: Operation,
        name: Option<&str>,
        answer: Answer,
    ) -> Failure {
        let status = answer.status.as_u16();
        let retry_after_ms = retry_after_ms(&answer.headers, &self.0.clock);
        let request_id = request_id(&answer.headers);
        let body = match answer.body.at_once() {
            Ok(body) => body,
            Err(error) => {
                let failure = self.unanswered(operation, name, &error);
                if failure.cause == FailureCause::Timeout {
                    return failure;
                }
                // A broken error body says as little as a missing one.
                Bytes::new()
            }
        };
        let error = std::str::from_utf8(&body).ok().and_then(S3Error::parse);
        self.refusal(operation, name, status, error, retry_after_ms, request_id)
    }

    /// The failure for an error that came with `status`.
    pub(super) fn refusal(
        &self,
        operation: Operation,
        name: Option<&str>,
        status: u16,
        error: Option<S3Error>,
        retry_after_ms: Option<u64>,
        request_id: Option<String>,
    ) -> Failure {
        let (code, words) = error.as_ref().map_or((None, ""), |error| {
            (Some(error.code.as_str()), error.message.as_str())
        });
        let trouble = Trouble::Refused {
            status,
            code,
            message: words,
        };
        let cause = cause(self.0.side, operation, trouble);
        let message = self.describe(operation, name, |line| {
            let _ = match code {
                Some(code) => write!(line, "answered HTTP {status} {}", self.cleaned(code)),
                None => write!(line, "answered HTTP {status} without an S3 error"),
            };
            if !words.is_empty() {
                line.push_str(": ");
                line.push_str(&self.cleaned(words));
            }
            if self.writes_under_key() && code.is_some_and(|code| is_about_key(code, words)) {
                line.push_str(
                    "; the key that `encryption` and `kms_key_id` of the destination mean must be there, enabled, and open to the destination's access key",
                );
            }
        });
        let (error_code, id_in_body) = error.map_or((None, None), |error| {
            (Some(self.cleaned(&error.code)), error.request_id)
        });
        // A copy by the server is asked of the destination.
        let is_archived = cause == FailureCause::SourceArchived;
        Failure {
            cause,
            side: Some(if is_archived {
                Side::Source
            } else {
                self.0.side
            }),
            error_code,
            http_status: Some(status),
            message,
            retry_after_ms,
            server_request_id: request_id.or(id_in_body).map(|id| self.cleaned(&id)),
        }
    }

    /// The failure for a request that got no answer, or not all of it.
    pub(super) fn unanswered(
        &self,
        operation: Operation,
        name: Option<&str>,
        error: &Broken,
    ) -> Failure {
        let trouble = match error {
            Broken::Reader(error) => match failure_within(error) {
                Some(failure) => return failure,
                None => Trouble::Broken,
            },
            Broken::TimedOut => Trouble::TimedOut,
            Broken::Http(error) if error.is_timeout() => Trouble::TimedOut,
            Broken::Http(_) | Broken::Early | Broken::Client => Trouble::Broken,
        };
        self.no_answer(operation, name, trouble, error)
    }

    fn no_answer(
        &self,
        operation: Operation,
        name: Option<&str>,
        trouble: Trouble<'_>,
        error: &(dyn Error + 'static),
    ) -> Failure {
        let message = self.describe(operation, name, |line| {
            line.push_str(match trouble {
                Trouble::TimedOut => "no answer in time",
                _ => "the connection failed",
            });
            let _ = write!(line, " ({})", self.server());
            line.push_str(": ");
            let why = innermost(error);
            line.push_str(&self.cleaned(&why));
            if why.contains("certificate") {
                line.push_str(
                    "; check the endpoint's host name, this machine's clock, and whether ca_file names the authority that signed the server's certificate",
                );
            }
        });
        Failure::new(cause(self.0.side, operation, trouble), message).at(self.0.side)
    }

    /// Another's words as one line of at most 300 characters that gives neither
    /// the access key nor a signature away, and shows what it holds.
    pub(super) fn cleaned(&self, words: &str) -> String {
        if quotes_signature(words) || self.quotes_secret(words) {
            return "(words withheld: they quote the signed request)".to_owned();
        }
        let mut line: String = words
            .chars()
            .map(|c| if is_shown(c) { c } else { ' ' })
            .take(MAX_WORDS)
            .collect();
        if words.chars().nth(MAX_WORDS).is_some() {
            line.push('…');
        }
        let ids = self.0.keys.ids().into_iter().filter(|id| !id.is_empty());
        ids.fold(line, |line, id| line.replace(&id, "(access key)"))
    }

    fn quotes_secret(&self, words: &str) -> bool {
        let decoded = percent_encoding::percent_decode_str(words).decode_utf8_lossy();
        self.0
            .keys
            .secrets()
            .iter()
            .map(Secret::reveal)
            .any(|secret| {
                !secret.is_empty() && (words.contains(secret) || decoded.contains(secret))
            })
    }
}

/// Whether `words` hold a parameter of a signed URL, or what may be a signature:
/// 64 hexadecimal digits in a row.
fn quotes_signature(words: &str) -> bool {
    let decoded = percent_encoding::percent_decode_str(words).decode_utf8_lossy();
    let mut digits = 0;
    let has_digits = words.bytes().any(|byte| {
        digits = if byte.is_ascii_hexdigit() {
            digits + 1
        } else {
            0
        };
        digits >= SIGNATURE_DIGITS
    });
    let decoded = decoded.to_ascii_lowercase();
    has_digits || SIGNED.iter().any(|parameter| decoded.contains(parameter))
}

/// Whether a character shows itself on a terminal. Marks without width and those
/// that turn the direction of writing do not; Rust escapes them as it does
/// control characters.
fn is_shown(character: char) -> bool {
    let escaped = character.escape_debug().len() > 1;
    !escaped || matches!(character, '"' | '\'' | '\\')
}

/// The failure that a reader put into `error`, if one did: a copy whose source
/// broke off fails for the source's cause.
fn failure_within(error: &io::Error) -> Option<Failure> {
    let FailureInIo(failure) = error.get_ref()?.downcast_ref()?;
    Some(failure.clone())
}

/// The last of a chain of errors. The first ones name the URL or repeat what
/// the last one says.
fn innermost(error: &(dyn Error + 'static)) -> String {
    let mut last = error;
    while let Some(source) = last.source() {
        last = source;
    }
    match last.downcast_ref::<reqwest::Error>() {
        // Without a source it is its own last word, and would say its URL.
        Some(_) => "no details".to_owned(),
        None => last.to_string(),
    }
}

/// The server's id of a request.
pub(super) fn request_id(headers: &HeaderMap) -> Option<String> {
    ["x-amz-request-id", "x-amz-id-2", "x-request-id"]
        .iter()
        .find_map(|name| headers.get(*name)?.to_str().ok())
        // A server that quotes the request there has no id to tell.
        .filter(|id| !quotes_signature(id))
        .map(|id| id.chars().take(MAX_WORDS).collect())
}

/// `Retry-After`, in seconds or as a date, as milliseconds from now.
fn retry_after_ms(headers: &HeaderMap, clock: &Clock) -> Option<u64> {
    let value = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = value.parse::<u64>() {
        return Some(seconds.saturating_mul(1000));
    }
    let wait_ms = http_date(value)?.ms() - clock.now().ms();
    Some(u64::try_from(wait_ms).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::super::bucket::tests::bucket_at;
    use super::*;
    use crate::model::{Side, Timestamp};

    fn refusal(words: &str) -> Failure {
        let error = S3Error {
            code: "AccessDenied".into(),
            message: words.into(),
            request_id: Some("from the body".into()),
        };
        let bucket = bucket_at("http://127.0.0.1:9", Side::Destination);
        bucket.refusal(
            Operation::PutObject,
            Some("a\nb"),
            403,
            Some(error),
            None,
            None,
        )
    }

    #[test]
    fn a_refusal_says_who_refused_what_and_why() {
        let failure = refusal("Not\tfor\nyou");
        assert_eq!(
            failure.message,
            "PutObject \"a\\nb\" in destination bucket \"photos\": \
             answered HTTP 403 AccessDenied: Not for you"
        );
        assert_eq!(failure.cause, FailureCause::DestinationDenied);
        assert_eq!(failure.error_code.as_deref(), Some("AccessDenied"));
        assert_eq!(failure.server_request_id.as_deref(), Some("from the body"));
    }

    #[test]
    fn a_servers_words_are_cut_and_give_nothing_away() {
        assert!(refusal(&"ü".repeat(301)).message.ends_with("ü…"));
        assert!(!refusal("key AKIDEXAMPLE unknown").message.contains("AKID"));
        let digits = "0123456789abcdef".repeat(4);
        for secret in [
            "/x?X-Amz-Signature=1f",
            "/x?x-amz-signature=1f",
            "/x%3FX%2DAmz%2DSignature%3D1f",
            "secret hush-hush-hush",
            "secret hush%2Dhush-hush",
            &format!("you sent {digits}"),
        ] {
            assert!(refusal(secret).message.contains("withheld"));
        }
    }

    #[test]
    fn a_servers_words_move_no_cursor_and_turn_no_text() {
        let words = "a\u{1b}[2Jb\u{202e}c\u{200b}d\u{9b}e\u{2066}f ü日 \"'\\";
        let message = refusal(words).message;
        assert!(
            message.ends_with(": a [2Jb c d e f ü日 \"'\\"),
            "{message:?}"
        );
    }

    #[test]
    fn without_an_s3_error_the_status_speaks() {
        let bucket = bucket_at("http://127.0.0.1:9", Side::Source);
        let failure = bucket.refusal(Operation::ListObjectsV2, None, 502, None, Some(5), None);
        assert_eq!(
            failure.message,
            "ListObjectsV2 of source bucket \"photos\": answered HTTP 502 without an S3 error"
        );
        assert_eq!(failure.cause, FailureCause::ServerError);
        assert_eq!(failure.retry_after_ms, Some(5));
    }

    #[test]
    fn retry_after_is_read_in_both_forms() {
        let clock = Clock::fixed(Timestamp::from_ms(784_111_777_000));
        let of = |value: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(RETRY_AFTER, value.parse().unwrap());
            retry_after_ms(&headers, &clock)
        };
        assert_eq!(of("3"), Some(3000));
        assert_eq!(of("Sun, 06 Nov 1994 08:49:47 GMT"), Some(10_000));
        assert_eq!(of("Sun, 06 Nov 1994 08:49:27 GMT"), Some(0));
        assert_eq!(of("soon"), None);
    }
}
