//! What is asked of `serve`, rather than told: how tasks stand, as OMS answers it,
//! and figures for those who watch over it.

use std::sync::Arc;

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, Request, State};
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::{MethodRouter, get, post};

use super::Receiver;
use super::answer::{Answered, Refusal};
use super::gate::Seen;
use super::metrics::Page;
use super::query::Query;
use super::statistics::Statistics;
use super::tasks::{TaskList, TaskMonth};
use super::who::Right;
use crate::config::TaskConfig;

/// What can be asked, in the words of `OpenAPI`.
const OPENAPI: &str = include_str!("openapi.json");

type Asked = State<Arc<Receiver>>;
/// A project and a task, if the path can be read.
type TaskPath = Result<Path<(String, String)>, PathRejection>;
type ProjectPath = Result<Path<String>, PathRejection>;

/// Paths, and what answers there.
pub(super) fn table() -> Vec<(&'static str, MethodRouter<Arc<Receiver>>)> {
    vec![
        ("/v2/{project}/sync-tasks", get(list).post(create)),
        ("/v2/{project}/sync-tasks/{task}", get(show).delete(delete)),
        (
            "/v2/{project}/sync-tasks/{task}/statistics",
            get(statistics),
        ),
        ("/v2/{project}/sync-tasks/{task}/start", post(start)),
        ("/v2/{project}/sync-tasks/{task}/stop", post(stop)),
        ("/metrics", get(metrics)),
        ("/healthz", get(health)),
        ("/openapi.json", get(openapi)),
    ]
}

async fn list(
    State(receiver): Asked,
    path: ProjectPath,
    request: Request,
) -> Result<Answered<TaskList>, Refusal> {
    let query = Query::parse(request.uri().query());
    receiver.admit(request, Right::Read).await?;
    receiver.project(&read(path)?)?;
    receiver.list_tasks(&query).await.map(Answered)
}

async fn show(
    State(receiver): Asked,
    path: TaskPath,
    request: Request,
) -> Result<Answered<TaskMonth>, Refusal> {
    let query = Query::parse(request.uri().query());
    let task = receiver.task(path, request, Right::Read).await?;
    receiver.show_task(task, &query).await.map(Answered)
}

async fn statistics(
    State(receiver): Asked,
    path: TaskPath,
    request: Request,
) -> Result<Answered<Statistics>, Refusal> {
    let query = Query::parse(request.uri().query());
    let task = receiver.task(path, request, Right::Read).await?;
    receiver.statistics(task, &query).await.map(Answered)
}

async fn start(
    State(receiver): Asked,
    path: TaskPath,
    request: Request,
) -> Result<StatusCode, Refusal> {
    let task = receiver.task(path, request, Right::Control).await?;
    receiver.start_task(task).await
}

async fn stop(
    State(receiver): Asked,
    path: TaskPath,
    request: Request,
) -> Result<StatusCode, Refusal> {
    let task = receiver.task(path, request, Right::Control).await?;
    receiver.stop_task(task).await
}

async fn create(State(receiver): Asked, path: ProjectPath, request: Request) -> Refusal {
    let admitted = receiver.admit(request, Right::Control).await;
    let known = admitted.and_then(|_| receiver.project(&read(path)?));
    known.err().unwrap_or(Refusal::InConfiguration)
}

async fn delete(State(receiver): Asked, path: TaskPath, request: Request) -> Refusal {
    let task = receiver.task(path, request, Right::Control).await;
    task.err().unwrap_or(Refusal::InConfiguration)
}

async fn metrics(State(receiver): Asked, request: Request) -> Result<Page, Refusal> {
    receiver.admit(request, Right::Read).await?;
    receiver.metrics().await
}

/// For whoever asks: it tells nothing but whether all is well.
async fn health(State(receiver): Asked) -> Result<Answered<serde_json::Value>, Refusal> {
    receiver.health().await?;
    Ok(Answered(serde_json::json!({ "status": "ok" })))
}

async fn openapi() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "application/json")], OPENAPI)
}

/// What the path says; one that is not UTF-8 is none of ours.
fn read<T>(path: Result<Path<T>, PathRejection>) -> Result<T, Refusal> {
    path.map(|Path(path)| path).map_err(|_| Refusal::NoSuchPath)
}

impl Receiver {
    /// The task that a caller who may do this asks about.
    async fn task(
        &self,
        path: TaskPath,
        request: Request,
        right: Right<'_>,
    ) -> Result<&TaskConfig, Refusal> {
        let seen = Seen::of(request.extensions());
        self.admit(request, right).await?;
        let (project, task) = read(path)?;
        self.project(&project)?;
        let task = self.tasks.iter().find(|known| known.id.as_str() == task);
        let task = task.ok_or(Refusal::UnknownTask)?;
        seen.task(&task.id);
        Ok(task)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::Value;

    use super::super::answer::tests::each;
    use super::*;

    fn described() -> Value {
        serde_json::from_str(OPENAPI).unwrap()
    }

    #[test]
    fn every_path_is_described_and_no_other() {
        let described = described();
        let described: BTreeSet<&str> = described["paths"]
            .as_object()
            .unwrap()
            .keys()
            .map(String::as_str)
            .collect();
        let answered = super::super::routes::table().into_iter().chain(table());
        let answered: BTreeSet<&str> = answered.map(|(path, _)| path).collect();
        assert_eq!(described, answered);
    }

    #[test]
    fn every_status_is_described_and_no_other() {
        let described = described();
        let operations = described["paths"].as_object().unwrap().values();
        let operations = operations.flat_map(|path| path.as_object().unwrap().values());
        let statuses: BTreeSet<u16> = operations
            .filter_map(|operation| operation.get("responses"))
            .flat_map(|responses| responses.as_object().unwrap().keys())
            .map(|status| status.parse().unwrap())
            .collect();
        let mut answered: BTreeSet<u16> = each()
            .into_iter()
            // A method that is not described has none of these.
            .filter(|refusal| *refusal != Refusal::NoSuchMethod)
            .map(|refusal| refusal.into_response().status().as_u16())
            .collect();
        answered.insert(200);
        assert_eq!(statuses, answered);
        let no_method = Refusal::NoSuchMethod.into_response().status();
        assert!(!statuses.contains(&no_method.as_u16()));
    }
}
