//! Who calls, and what they may do.

use std::fmt::Write as _;

use axum::http::request::Parts;
use axum::http::{Extensions, HeaderMap, HeaderName, header};
use sha2::{Digest, Sha256};
use subtle::{Choice, ConstantTimeEq};

use super::ServeError;
use super::answer::Refusal;
use super::sdk_signature::{self, Signed};
use crate::config::{Proof, SendTo, TokenConfig};
use crate::model::{TaskId, Timestamp};
use crate::secret::Secret;

const X_AUTH_TOKEN: HeaderName = HeaderName::from_static("x-auth-token");

/// The path before the path, for senders that can set no header.
const HOOKS: &str = "/hooks/";

/// Random bytes of a new token: more than anybody can try.
const TOKEN_BYTES: usize = 32;

/// Tokens and secret keys with fewer characters are not taken, whoever made them:
/// 128 random bits, which nobody guesses, have as many in the densest usual writing
/// (base64).
///
/// So nothing else is needed against guessing, on any path. To slow down who shows
/// wrong tokens would either hold up those who show right ones, and so let anybody
/// shut them out, or else nobody who guesses: what is not answered as quickly as a
/// right one is a wrong one.
pub(super) const LEAST_TOKEN_CHARS: usize = 22;

/// A token that stood in the path.
#[derive(Clone)]
pub(super) struct Hook(Secret);

/// The token before `path`, and the path after it, if there is one.
pub(super) fn hook_of(path: &str) -> Option<(Hook, &str)> {
    let (token, _) = path.strip_prefix(HOOKS)?.split_once('/')?;
    let rest = &path[HOOKS.len() + token.len()..];
    Some((Hook(Secret::new(token.to_owned())), rest))
}

/// What a caller shows.
pub(super) enum Claim<'r> {
    /// Nothing that could be one's own.
    Nothing,
    /// A token.
    Token(&'r str),
    /// A signature over the request.
    Signed(Signed<'r>),
}

/// What the caller of this request shows. Of several things the first counts:
/// a token in the path, `Authorization`, `X-Auth-Token`.
pub(super) fn claim<'r>(headers: &'r HeaderMap, extensions: &'r Extensions) -> Claim<'r> {
    if let Some(hook) = extensions.get::<Hook>() {
        return Claim::Token(hook.0.reveal());
    }
    let field = |name| text(headers, name);
    if let Some(authorization) = field(header::AUTHORIZATION) {
        return match authorization.split_once(' ') {
            Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => {
                Claim::Token(token.trim())
            }
            _ => Signed::parse(authorization, headers).map_or(Claim::Nothing, Claim::Signed),
        };
    }
    field(X_AUTH_TOKEN).map_or(Claim::Nothing, Claim::Token)
}

fn text(headers: &HeaderMap, name: HeaderName) -> Option<&str> {
    headers.get(name)?.to_str().ok()
}

/// What a caller wants to do.
#[derive(Debug, Clone, Copy)]
pub(super) enum Right<'t> {
    /// Send names for this task; `None` is one that there is not.
    Send(Option<&'t TaskId>),
    /// Send names for a project that is not the configured one.
    SendElsewhere,
    /// Read figures.
    Read,
    /// Start and stop tasks.
    Control,
}

/// All who may call.
pub(super) struct Callers(Vec<Caller>);

/// One who may call.
pub(super) struct Caller {
    id: String,
    proof: KnownProof,
    send: SendTo,
    read: bool,
    control: bool,
}

enum KnownProof {
    Token([u8; 32]),
    Keys { access: String, secret: Secret },
}

impl Callers {
    /// Fetches the keys that `tokens` name.
    pub(super) fn resolve(tokens: &[TokenConfig]) -> Result<Self, ServeError> {
        let caller = |token: &TokenConfig| {
            let keys = token.resolve_keys().map_err(|source| ServeError::Keys {
                id: token.id.clone(),
                source,
            })?;
            let proof = match (&token.proof, keys) {
                (Proof::Keys(_), Some(keys)) => {
                    if is_short(keys.secret_access_key.reveal()) {
                        return Err(ServeError::WeakKey(token.id.clone()));
                    }
                    KnownProof::Keys {
                        access: keys.access_key_id,
                        secret: keys.secret_access_key,
                    }
                }
                (Proof::Token(hash), _) => KnownProof::Token(*hash),
                // Keys that are resolved are there.
                (Proof::Keys(_), None) => return Ok(None),
            };
            Ok(Some(Caller {
                id: token.id.clone(),
                proof,
                send: token.send.clone(),
                read: token.read,
                control: token.control,
            }))
        };
        let callers: Result<Vec<Option<Caller>>, ServeError> = tokens.iter().map(caller).collect();
        Ok(Self(callers?.into_iter().flatten().collect()))
    }

    /// The one with this token. Takes as long for a wrong one as for any other:
    /// hashes are compared, all of them, and each whole.
    pub(super) fn by_token(&self, token: &str) -> Result<&Caller, Refusal> {
        let shown: [u8; 32] = Sha256::digest(token).into();
        let mut found = None;
        for caller in &self.0 {
            let same = match &caller.proof {
                KnownProof::Token(hash) => shown.ct_eq(hash),
                KnownProof::Keys { .. } => Choice::from(0),
            };
            if same.into() {
                found = Some(caller);
            }
        }
        match found {
            None => Err(Refusal::Unknown),
            Some(caller) if is_short(token) => Err(Refusal::WeakToken(caller.id.clone())),
            Some(caller) => Ok(caller),
        }
    }

    /// The one whose keys these are said to be; nothing is proven by that. A
    /// signature that is too old is nobody's.
    pub(super) fn by_keys(&self, signed: &Signed<'_>, now: Timestamp) -> Result<&Caller, Refusal> {
        let is_named = |caller: &&Caller| match &caller.proof {
            KnownProof::Keys { access, .. } => access == signed.access,
            KnownProof::Token(_) => false,
        };
        self.0
            .iter()
            .find(is_named)
            .filter(|_| signed.is_timely(now))
            .ok_or(Refusal::Unknown)
    }
}

/// Whether it could be guessed.
fn is_short(secret: &str) -> bool {
    secret.chars().count() < LEAST_TOKEN_CHARS
}

impl Caller {
    /// Its name in messages.
    pub(super) fn id(&self) -> &str {
        &self.id
    }

    /// This caller, if it is its signature.
    pub(super) fn verify(
        &self,
        signed: &Signed<'_>,
        head: &Parts,
        body: &[u8],
    ) -> Result<&Self, Refusal> {
        match &self.proof {
            KnownProof::Keys { secret, .. }
                if sdk_signature::is_right(signed, secret, head, body) =>
            {
                Ok(self)
            }
            _ => Err(Refusal::Unknown),
        }
    }

    /// Whether it may do this:
    ///
    /// | it wants to | and | may |
    /// |--|--|--|
    /// | send for a task that there is not | | not: there is no such task |
    /// | send for another project | | not: it is another one |
    /// | send for a task | may send for it, or for all | |
    /// | send for a task | may not | not |
    /// | read | may read | |
    /// | read | may not | not |
    /// | start or stop a task | may control | |
    /// | start or stop a task | may not | not |
    ///
    /// Who is known may know which tasks there are.
    pub(super) fn may(&self, right: Right<'_>) -> Result<(), Refusal> {
        let may = match right {
            Right::Send(None) => return Err(Refusal::UnknownTask),
            Right::SendElsewhere => return Err(Refusal::UnknownProject),
            Right::Send(Some(task)) => self.send.includes(task),
            Right::Read => self.read,
            Right::Control => self.control,
        };
        if may {
            Ok(())
        } else {
            Err(Refusal::NotAllowed)
        }
    }
}

/// A new token, and its SHA-256 in lower-case hexadecimal.
///
/// # Errors
/// If the system has no randomness to give.
pub fn new_token() -> Result<(Secret, String), getrandom::Error> {
    let mut random = [0; TOKEN_BYTES];
    getrandom::fill(&mut random)?;
    let mut token = String::from("nightferry_");
    for byte in random {
        // Writing to a string cannot fail.
        let _ = write!(token, "{byte:02x}");
    }
    let hash = base16ct::lower::encode_string(&Sha256::digest(&token));
    Ok((Secret::new(token), hash))
}

#[cfg(test)]
mod tests;
