//! What every request goes through before and after it is answered: a token in its
//! path is taken out, and a refusal is counted and said.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};

use axum::Router;
use axum::extract::Request;
use axum::http::{Extensions, Uri};
use axum::response::{IntoResponse, Response};
use tower::ServiceExt;

use super::Figures;
use super::answer::Refusal;
use super::notices::Notices;
use super::who;
use crate::model::TaskId;

/// Where requests come in.
#[derive(Clone)]
pub(super) struct Gate {
    pub(super) router: Router,
    pub(super) figures: Arc<Figures>,
    pub(super) notices: Arc<Notices>,
}

/// What is found out about a call on its way: who makes it, and for which task.
#[derive(Debug, Clone, Default)]
pub(super) struct Seen(Arc<Facts>);

#[derive(Debug, Default)]
struct Facts {
    caller: OnceLock<String>,
    task: OnceLock<TaskId>,
}

impl Seen {
    /// The one that the gate gave to this request.
    pub(super) fn of(extensions: &Extensions) -> Self {
        extensions.get().cloned().unwrap_or_default()
    }

    /// The caller has proven to be this one.
    pub(super) fn caller(&self, id: &str) {
        self.0.caller.get_or_init(|| id.to_owned());
    }

    /// It is about this task, which is one of the configuration.
    pub(super) fn task(&self, id: &TaskId) {
        self.0.task.get_or_init(|| id.clone());
    }
}

impl Gate {
    /// Answers one request of this peer.
    pub(super) async fn answer(
        self,
        peer: SocketAddr,
        mut request: Request,
    ) -> Result<Response, Infallible> {
        let seen = Seen::default();
        request.extensions_mut().insert(seen.clone());
        let response = match take_hook_out(&mut request) {
            Ok(()) => self.router.oneshot(request).await?,
            Err(refusal) => refusal.into_response(),
        };
        if let Some(refusal) = response.extensions().get::<Refusal>() {
            self.figures.refused.add(refusal.reason());
            // That the ledger is gone is said by who loads into it, once; the rest
            // of what makes it unwell shows here or there too.
            if !matches!(refusal, Refusal::LedgerGone | Refusal::Unhealthy(_)) {
                let subject = (refusal.reason(), seen.0.caller.get().cloned());
                self.notices.note(subject, 1, refused(refusal, peer, &seen));
            }
        }
        Ok(response)
    }
}

/// Takes a token out of the path before anything else sees it.
fn take_hook_out(request: &mut Request) -> Result<(), Refusal> {
    let Some((hook, rest)) = who::hook_of(request.uri().path()) else {
        return Ok(());
    };
    let rest = match request.uri().query() {
        Some(query) => format!("{rest}?{query}"),
        None => rest.to_owned(),
    };
    *request.uri_mut() = rest.parse::<Uri>().map_err(|_| Refusal::NoSuchPath)?;
    request.extensions_mut().insert(hook);
    Ok(())
}

/// What is said of a refused call. Of what the caller sent only what is known to
/// be no secret: neither path nor fields.
fn refused(refusal: &Refusal, peer: SocketAddr, seen: &Seen) -> String {
    let task = seen.0.task.get().map(|task| format!("{task}: "));
    let caller = seen.0.caller.get().map(|id| format!(", token {id:?}"));
    format!(
        "{}a call from {}{} was refused: {refusal}",
        task.unwrap_or_default(),
        peer.ip(),
        caller.unwrap_or_default()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refused_call_is_told_with_all_that_is_known_of_it() {
        let peer = "10.1.2.3:4711".parse().unwrap();
        let seen = Seen::default();
        assert_eq!(
            refused(&Refusal::Unknown, peer, &seen),
            "a call from 10.1.2.3 was refused: Incorrect authentication information. (401)"
        );
        seen.caller("camera \"1\"");
        seen.task(&"photos".parse().unwrap());
        assert_eq!(
            refused(&Refusal::NotAllowed, peer, &seen),
            r#"photos: a call from 10.1.2.3, token "camera \"1\"" was refused: The caller may not do this. (403)"#
        );
    }
}
