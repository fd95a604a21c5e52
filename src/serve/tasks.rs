//! Tasks as OMS shows them: how each stands, its month, and start and stop.

use axum::http::StatusCode;
use serde::Serialize;

use super::Receiver;
use super::answer::Refusal;
use super::query::{Query, wrong};
use crate::config::TaskConfig;
use crate::ledger::{Ledger, LedgerError, MonthRow, Standing, TaskKey};
use crate::model::{LocalTime, OverwriteMode, Timestamp};

/// How many tasks one answer may have, and has if nothing is said.
const MOST_TASKS: usize = 100;
const DEFAULT_TASKS: usize = 10;
const MOST_OFFSET: usize = 10_000;

const SYNCHRONIZING: &str = "SYNCHRONIZING";
const STOPPED: &str = "STOPPED";

/// A task, with the names and types of OMS's `SyncTaskInfo`.
#[derive(Debug, Serialize)]
pub(super) struct TaskInfo {
    sync_task_id: String,
    src_cloud_type: &'static str,
    src_region: String,
    src_bucket: String,
    create_time: i64,
    last_start_time: i64,
    dst_bucket: String,
    dst_region: String,
    description: &'static str,
    status: &'static str,
    enable_metadata_migration: bool,
    enable_restore: bool,
    app_id: &'static str,
    object_overwrite_mode: &'static str,
    dst_storage_policy: Option<&'static str>,
    consistency_check: &'static str,
}

/// `ListSyncTasksResponse`.
#[derive(Debug, Serialize)]
pub(super) struct TaskList {
    tasks: Vec<TaskInfo>,
    count: usize,
}

/// `ShowSyncTaskResponse`: a task and its month.
#[derive(Debug, Serialize)]
pub(super) struct TaskMonth {
    #[serde(flatten)]
    task: TaskInfo,
    monthly_acceptance_request: i64,
    monthly_success_object: i64,
    monthly_failure_object: i64,
    monthly_skip_object: i64,
    monthly_size: i64,
}

impl Receiver {
    /// Some of the tasks, in the order of the configuration.
    pub(super) async fn list_tasks(&self, query: &Query) -> Result<TaskList, Refusal> {
        let limit = query.number("limit", &(1..=MOST_TASKS), DEFAULT_TASKS)?;
        let offset = query.number("offset", &(0..=MOST_OFFSET), 0)?;
        let status = match query.text("status")? {
            None => None,
            Some(known @ (SYNCHRONIZING | STOPPED)) => Some(known.to_owned()),
            Some(_) => return Err(wrong("status", "is neither SYNCHRONIZING nor STOPPED.")),
        };
        let tasks = self.tasks.clone();
        let all = self
            .books
            .read(move |ledger| {
                tasks
                    .iter()
                    .map(|task| Ok(TaskInfo::of(task, &ledger.standing(&task.id)?)))
                    .collect::<Result<Vec<_>, Refusal>>()
            })
            .await?;
        let is_wanted =
            |task: &TaskInfo| status.as_ref().is_none_or(|wanted| task.status == wanted);
        let wanted: Vec<TaskInfo> = all.into_iter().filter(is_wanted).collect();
        Ok(TaskList {
            count: wanted.len(),
            tasks: wanted.into_iter().skip(offset).take(limit).collect(),
        })
    }

    /// A task, and the month in which `query_time` lies, by the task's own clocks.
    pub(super) async fn show_task(
        &self,
        task: &TaskConfig,
        query: &Query,
    ) -> Result<TaskMonth, Refusal> {
        let month = task.zone.local(query.time("query_time")?).month();
        let task = task.clone();
        self.books
            .read(move |ledger| {
                let standing = ledger.standing(&task.id)?;
                let figures = ledger.month_figures(&task.id, month)?;
                Ok(TaskMonth::of(TaskInfo::of(&task, &standing), &figures))
            })
            .await
    }

    /// Has runs take a stopped task up again. The keys that OMS asks for are in
    /// the configuration: what the call brings of them is not looked at.
    pub(super) async fn start_task(&self, task: &TaskConfig) -> Result<StatusCode, Refusal> {
        let (task, now) = (task.clone(), self.clock.now());
        let resumed = self
            .books
            .write(move |ledger| {
                let now = task.zone.local(now);
                let key = enter(ledger, &task, now)?;
                Ok::<_, Refusal>(ledger.resume(key, now)?)
            })
            .await?;
        changed(
            resumed,
            "Only a stopped task can be started: this one is not stopped.",
        )
    }

    /// Has runs leave a task alone.
    pub(super) async fn stop_task(&self, task: &TaskConfig) -> Result<StatusCode, Refusal> {
        let (task, now) = (task.clone(), self.clock.now());
        let paused = self
            .books
            .write(move |ledger| {
                let now = task.zone.local(now);
                let key = enter(ledger, &task, now)?;
                Ok::<_, Refusal>(ledger.pause(key, now)?)
            })
            .await?;
        changed(
            paused,
            "Only a started task can be stopped: this one is stopped already.",
        )
    }
}

fn enter(ledger: &mut Ledger, task: &TaskConfig, now: LocalTime) -> Result<TaskKey, LedgerError> {
    ledger.enter_task(&task.id, task.zone, task.carry_over_days, now)
}

fn changed(has_changed: bool, otherwise: &'static str) -> Result<StatusCode, Refusal> {
    if has_changed {
        Ok(StatusCode::OK)
    } else {
        Err(Refusal::WrongState(otherwise))
    }
}

impl TaskInfo {
    fn of(task: &TaskConfig, standing: &Standing) -> Self {
        let ms = |at: Option<Timestamp>| at.map_or(0, Timestamp::ms);
        Self {
            sync_task_id: task.id.to_string(),
            // OMS's word for a source that is asked by S3.
            src_cloud_type: "AWS",
            src_region: task.source.region.clone(),
            src_bucket: task.source.bucket.clone(),
            create_time: ms(standing.entered),
            last_start_time: ms(standing.resumed.or(standing.entered)),
            dst_bucket: task.destination.bucket.clone(),
            dst_region: task.destination.region.clone(),
            description: "",
            status: if standing.paused.is_some() {
                STOPPED
            } else {
                SYNCHRONIZING
            },
            enable_metadata_migration: true,
            enable_restore: false,
            app_id: "",
            object_overwrite_mode: overwrite_mode(task.overwrite),
            dst_storage_policy: None,
            // Every copy is compared by a checksum of its bytes.
            consistency_check: "crc64",
        }
    }
}

impl TaskMonth {
    fn of(task: TaskInfo, figures: &MonthRow) -> Self {
        Self {
            task,
            monthly_acceptance_request: figures.requested,
            monthly_success_object: figures.synced,
            monthly_failure_object: figures.failed,
            monthly_skip_object: figures.ignored,
            monthly_size: figures.synced_bytes,
        }
    }
}

/// OMS's word for the rule.
const fn overwrite_mode(mode: OverwriteMode) -> &'static str {
    match mode {
        OverwriteMode::SizeLastModified => "SIZE_LAST_MODIFIED_COMPARISON_OVERWRITE",
        OverwriteMode::Never => "NO_OVERWRITE",
        OverwriteMode::Always => "FULL_OVERWRITE",
        OverwriteMode::Checksum => "CRC64_COMPARISON_OVERWRITE",
    }
}
