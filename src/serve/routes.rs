//! Which path does what, and what every call goes through.

use std::sync::Arc;

use axum::Router;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, Request, State};
use axum::http::{Extensions, HeaderMap, StatusCode, header};
use axum::routing::{MethodRouter, post};

use super::Receiver;
use super::answer::Refusal;
use super::gate::Seen;
use super::limits::{Held, let_send};
use super::notifications::{LeftOut, Sns};
use super::who::{self, Claim, Right};
use super::{events, notifications, reading, subscriptions};
use crate::config::TaskConfig;
use crate::intake::NameForm;
use crate::model::TaskId;

/// Lines for a list, ready to be written.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Names {
    /// Percent-encoded, each line ended.
    pub(super) lines: Vec<u8>,
    /// How many.
    pub(super) count: u64,
    /// How many events asked for nothing.
    pub(super) others: u64,
    /// What is missing.
    pub(super) left_out: LeftOut,
    /// What SNS says beside.
    pub(super) sns: Option<Sns>,
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
    path: Result<Path<(String, String)>, PathRejection>,
    request: Request,
) -> Result<StatusCode, Refusal> {
    let Ok(Path((project, task))) = path else {
        return Err(no_such_path(request).await);
    };
    let is_ours = receiver.project(&project).is_ok();
    let most_names = receiver.config.limits.most_names;
    receiver
        .take(request, &task, is_ours, |body, task| {
            let form = NameForm::of(task).url();
            events::names(body, &form, task.plus_is_space, most_names)
        })
        .await
}

async fn take_notifications(
    State(receiver): State<Arc<Receiver>>,
    path: Result<Path<String>, PathRejection>,
    request: Request,
) -> Result<StatusCode, Refusal> {
    let Ok(Path(task)) = path else {
        return Err(no_such_path(request).await);
    };
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
            Err(_) => self.figures.refused_calls.add(1),
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
        let right = if known_project {
            Right::Send(place.map(|place| &self.tasks[place].id))
        } else {
            Right::SendElsewhere
        };
        if let Some(place) = place {
            Seen::of(request.extensions()).task(&self.tasks[place].id);
        }
        let body = self.admit(request, right).await?;
        let place = place.ok_or(Refusal::UnknownTask)?;
        let task = &self.tasks[place];
        let mut names = names_of(body.bytes(), task)?;
        self.say_left_out(task, &names.left_out);
        if let Some(sns) = names.sns.take() {
            self.heed(&task.id, sns).await?;
        }
        if names.count > 0 {
            let lines = std::mem::take(&mut names.lines);
            let memory = body.into_memory();
            self.recorder
                .record(place, lines, names.count, memory)
                .await?;
        }
        Ok(names)
    }

    /// Counts and says what somebody may miss.
    fn say_left_out(&self, task: &TaskConfig, left_out: &LeftOut) {
        let (count, bucket) = &left_out.other_bucket;
        if *count > 0 {
            self.figures.other_buckets.add(*count);
            let text = format!(
                "{}: an event of the bucket {bucket} is left out: the task copies from {}; \
                 correct the notification of that bucket",
                task.id, task.source.bucket
            );
            let subject = ("other_bucket", Some(task.id.to_string()));
            self.notices.note(subject, *count, text);
        }
        let (count, lacks) = left_out.unreadable;
        if count > 0 {
            self.figures.unreadable_records.add(count);
            let text = format!(
                "{}: a record of a notification is left out: it lacks {lacks}; nothing is asked for by it",
                task.id
            );
            let subject = ("unreadable", Some(task.id.to_string()));
            self.notices.note(subject, count, text);
        }
    }

    /// Does what a message of SNS wants.
    async fn heed(&self, task: &TaskId, sns: Sns) -> Result<(), Refusal> {
        let (task, waiting) = (task.clone(), self.subscriptions.clone());
        let subject = ("sns", Some(task.to_string()));
        let asked = match sns {
            Sns::Sends(topic) => {
                waiting.forget(&task, &topic);
                return Ok(());
            }
            Sns::Asks(None) => {
                let text = format!(
                    "{task}: a message wants a subscription confirmed, and not by an address of Amazon SNS: \
                     it is left alone"
                );
                self.notices.note(subject, 1, text);
                return Ok(());
            }
            Sns::Asks(Some(asked)) => asked,
        };
        let keep = move || {
            let kept = waiting.keep(&task, &asked);
            kept.map(|file| subscriptions::to_be_confirmed(&task, &asked, &file))
                .map_err(|error| {
                    format!("{task}: a subscription of Amazon SNS cannot be kept: {error}")
                })
        };
        match tokio::task::spawn_blocking(keep).await {
            Ok(Ok(text)) => {
                self.notices.note(subject, 1, text);
                Ok(())
            }
            Ok(Err(text)) => {
                self.notices.note(subject, 1, text);
                Err(Refusal::NotRecorded("the subscription cannot be kept"))
            }
            Err(_) => Err(Refusal::NotRecorded("the work broke down")),
        }
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
            let caller = keys.verify(&signed, &head, body.bytes())?;
            Seen::of(&head.extensions).caller(caller.id());
            caller.may(right)?;
        }
        Ok(body)
    }

    /// That this is a project of ours.
    pub(super) fn project(&self, project: &str) -> Result<(), Refusal> {
        let is_ours = |ours: &String| ours == project;
        if self.config.project_id.as_ref().is_none_or(is_ours) {
            Ok(())
        } else {
            Err(Refusal::UnknownProject)
        }
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
            Claim::Token(token) => {
                let caller = self.callers.by_token(token)?;
                Seen::of(extensions).caller(caller.id());
                caller.may(right)
            }
            Claim::Signed(signed) => {
                let now = self.clock.now();
                self.callers.by_keys(&signed, now).map(drop)
            }
        }
    }
}
