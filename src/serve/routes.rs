//! Which path does what, and what every call goes through.

use std::convert::Infallible;
use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, Request, State};
use axum::http::{Extensions, HeaderMap, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, post};
use tower::ServiceExt;

use super::Receiver;
use super::answer::Refusal;
use super::limits::{Held, let_send};
use super::who::{self, Claim, Right};
use super::{events, notifications, reading};
use crate::config::TaskConfig;

/// Lines for a list, ready to be written.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Names {
    /// Percent-encoded, each line ended.
    pub(super) lines: Vec<u8>,
    /// How many.
    pub(super) count: u64,
    /// How many events asked for nothing.
    pub(super) others: u64,
}

/// Paths by which names come in, and what answers there.
pub(super) fn table() -> Vec<(&'static str, MethodRouter<Arc<Receiver>>)> {
    vec![
        ("/v2/{project}/sync-tasks/{task}/events", post(take_events)),
        ("/v1/tasks/{task}/s3-events", post(take_notifications)),
    ]
}

/// All paths.
pub(super) fn all(receiver: Arc<Receiver>) -> Router {
    let paths = table().into_iter().chain(reading::table());
    paths
        .fold(Router::new(), |router, (path, methods)| {
            router.route(path, methods.fallback(no_such_method))
        })
        .fallback(no_such_path)
        .with_state(receiver)
}

/// Answers one request. A token in its path is taken out before anything else
/// sees the path.
pub(super) async fn answer(router: Router, mut request: Request) -> Result<Response, Infallible> {
    if let Some((hook, rest)) = who::hook_of(request.uri().path()) {
        let rest = match request.uri().query() {
            Some(query) => format!("{rest}?{query}"),
            None => rest.to_owned(),
        };
        match rest.parse::<Uri>() {
            Ok(uri) => *request.uri_mut() = uri,
            Err(_) => return Ok(Refusal::NoSuchPath.into_response()),
        }
        request.extensions_mut().insert(hook);
    }
    router.oneshot(request).await
}

async fn no_such_path(request: Request) -> Refusal {
    refuse(request, Refusal::NoSuchPath).await
}

async fn no_such_method(request: Request) -> Refusal {
    refuse(request, Refusal::NoSuchMethod).await
}

/// Refuses a call whose body is not read. Who asks whether to send it at all
/// does not have to.
async fn refuse(request: Request, refusal: Refusal) -> Refusal {
    if !request.headers().contains_key(header::EXPECT) {
        let_send(request.into_body()).await;
    }
    refusal
}

async fn take_events(
    State(receiver): State<Arc<Receiver>>,
    Path((project, task)): Path<(String, String)>,
    request: Request,
) -> Result<StatusCode, Refusal> {
    let is_ours = |ours: &String| *ours == project;
    let known_project = receiver.config.project_id.as_ref().is_none_or(is_ours);
    let most_names = receiver.config.limits.most_names;
    receiver
        .take(request, &task, known_project, |body, task| {
            events::names(body, task.plus_is_space, most_names)
        })
        .await
}

async fn take_notifications(
    State(receiver): State<Arc<Receiver>>,
    Path(task): Path<String>,
    request: Request,
) -> Result<StatusCode, Refusal> {
    let most_names = receiver.config.limits.most_names;
    receiver
        .take(request, &task, true, |body, task| {
            notifications::names(body, &task.source.bucket, most_names)
        })
        .await
}

impl Receiver {
    /// Records the names that `names_of` finds in the body, if the caller may
    /// send them; they are safe when this answers 200.
    async fn take(
        &self,
        request: Request,
        task: &str,
        known_project: bool,
        names_of: impl FnOnce(&[u8], &TaskConfig) -> Result<Names, Refusal>,
    ) -> Result<StatusCode, Refusal> {
        let taken = self.try_take(request, task, known_project, names_of).await;
        match &taken {
            Ok(names) => {
                self.figures.accepted_calls.add(1);
                self.figures.accepted_names.add(names.count);
                self.figures.other_events.add(names.others);
            }
            Err(refusal) => {
                self.figures.refused_calls.add(1);
                if self.tasks.iter().any(|known| known.id.as_str() == task) {
                    tracing::info!(task, "a call was refused: {refusal}");
                }
            }
        }
        taken.map(|_| StatusCode::OK)
    }

    async fn try_take(
        &self,
        request: Request,
        task: &str,
        known_project: bool,
        names_of: impl FnOnce(&[u8], &TaskConfig) -> Result<Names, Refusal>,
    ) -> Result<Names, Refusal> {
        let place = self
            .tasks
            .iter()
            .position(|known| known.id.as_str() == task);
        let place = place.filter(|_| known_project);
        let id = place.map(|place| &self.tasks[place].id);
        let body = self.admit(request, Right::Send(id)).await?;
        let place = place.ok_or(Refusal::UnknownTask)?;
        let mut names = names_of(body.bytes(), &self.tasks[place])?;
        if names.count > 0 {
            let lines = std::mem::take(&mut names.lines);
            let memory = body.into_memory();
            self.recorder
                .record(place, lines, names.count, memory)
                .await?;
        }
        Ok(names)
    }

    /// The body of a call whose caller is known and may do it. Nothing is read
    /// for those who show nothing that is known.
    pub(super) async fn admit(&self, request: Request, right: Right<'_>) -> Result<Held, Refusal> {
        if let Err(refusal) = self.foresee(request.headers(), request.extensions(), right) {
            return Err(refuse(request, refusal).await);
        }
        let (head, body) = request.into_parts();
        let body = self.bodies.read(body).await?;
        if let Claim::Signed(signed) = who::claim(&head.headers, &head.extensions) {
            let keys = self.callers.by_keys(&signed, self.clock.now())?;
            keys.verify(&signed, &head, body.bytes())?.may(right)?;
        }
        Ok(body)
    }

    /// Whether the body is to be read at all. Of a signature only what it says
    /// of itself is known until then.
    fn foresee(
        &self,
        headers: &HeaderMap,
        extensions: &Extensions,
        right: Right<'_>,
    ) -> Result<(), Refusal> {
        match who::claim(headers, extensions) {
            Claim::Nothing => Err(Refusal::Unknown),
            Claim::Token(token) => self.callers.by_token(token)?.may(right),
            Claim::Signed(signed) => {
                let now = self.clock.now();
                self.callers.by_keys(&signed, now).map(drop)
            }
        }
    }
}
