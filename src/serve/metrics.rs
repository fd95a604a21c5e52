//! Figures for Prometheus, in its text format.

use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use prometheus::core::Collector;
use prometheus::{GaugeVec, IntCounterVec, IntGaugeVec, Opts, Registry, TextEncoder};

use super::answer::Refusal;
use super::{Figures, Receiver};
use crate::ledger::{Gauges, RunGauges};
use crate::model::{RunState, Timestamp};

/// The figures of one moment, as they are sent.
pub(super) struct Metrics(String);

impl Receiver {
    /// The figures of this moment.
    pub(super) async fn metrics(&self) -> Result<Metrics, Refusal> {
        let ids: Vec<_> = self.tasks.iter().map(|task| task.id.clone()).collect();
        let gauges = self
            .books
            .read(move |ledger| {
                let mut all = Vec::new();
                for id in ids {
                    if let Some(gauges) = ledger.gauges(&id)? {
                        all.push((id.to_string(), gauges));
                    }
                }
                Ok::<_, Refusal>(all)
            })
            .await?;
        written(&gauges, &self.figures).map_err(|error| {
            tracing::error!("the metrics cannot be written: {error}");
            Refusal::NoLedger
        })
    }
}

fn written(tasks: &[(String, Gauges)], figures: &Figures) -> prometheus::Result<Metrics> {
    let page = Page(Registry::new_custom(Some("nightferry".to_owned()), None)?);
    page.of_tasks(tasks)?;
    let last_runs: Vec<(&str, &RunGauges)> = tasks
        .iter()
        .filter_map(|(task, gauges)| Some((task.as_str(), gauges.last_run.as_ref()?)))
        .collect();
    page.of_last_runs(&last_runs)?;
    page.of_serve(figures)?;
    TextEncoder::new()
        .encode_to_string(&page.0.gather())
        .map(Metrics)
}

/// What is being written.
struct Page(Registry);

impl Page {
    fn of_tasks(&self, tasks: &[(String, Gauges)]) -> prometheus::Result<()> {
        let requested = self.counter("requested_total", "Requests asked for.", &["task"])?;
        let requests = self.gauge(
            "requests",
            "Requests by where they stand now; a retry takes failed ones back.",
            &["task", "state"],
        )?;
        let pending = self.gauge(
            "pending_requests",
            "Requests without an outcome.",
            &["task"],
        )?;
        let oldest = self.time(
            "oldest_pending_timestamp_seconds",
            "When the oldest pending request was asked for.",
        )?;
        let bytes = self.counter("synced_bytes_total", "Bytes copied.", &["task"])?;
        let rejected = self.counter(
            "rejected_lines_total",
            "Lines of lists that could not be requests.",
            &["task"],
        )?;
        let owed = self.gauge("owed_lists", "Lists still to be delivered.", &["task"])?;
        let paused = self.gauge("paused", "Whether runs leave the task alone.", &["task"])?;
        for (task, gauges) in tasks {
            let label = &[task.as_str()];
            requested.with_label_values(label).inc_by(gauges.requested);
            for (state, count) in [
                ("synced", gauges.synced),
                ("failed", gauges.failed),
                ("ignored", gauges.ignored),
                ("pending", gauges.pending),
            ] {
                requests
                    .with_label_values(&[task.as_str(), state])
                    .set(count.cast_signed());
            }
            pending
                .with_label_values(label)
                .set(gauges.pending.cast_signed());
            if let Some(at) = gauges.oldest_pending {
                oldest.with_label_values(label).set(seconds(at));
            }
            bytes.with_label_values(label).inc_by(gauges.synced_bytes);
            rejected.with_label_values(label).inc_by(gauges.rejected);
            owed.with_label_values(label).set(gauges.owed.cast_signed());
            paused
                .with_label_values(label)
                .set(i64::from(gauges.paused));
        }
        Ok(())
    }

    fn of_last_runs(&self, runs: &[(&str, &RunGauges)]) -> prometheus::Result<()> {
        let number = self.gauge("last_run_number", "The last run's number.", &["task"])?;
        let running = self.gauge("last_run_running", "Whether it has not ended.", &["task"])?;
        let started = self.time("last_run_start_timestamp_seconds", "When it began.")?;
        let ended = self.time("last_run_end_timestamp_seconds", "When it ended.")?;
        let requests = self.gauge(
            "last_run_requests",
            "Requests that it took, by what it came to about them.",
            &["task", "outcome"],
        )?;
        let bytes = self.gauge("last_run_synced_bytes", "Bytes that it copied.", &["task"])?;
        let code = self.gauge("last_run_exit_code", "How it answered.", &["task"])?;
        for (task, run) in runs {
            let label = &[*task];
            number
                .with_label_values(label)
                .set(run.number.cast_signed());
            let at_work = run.state == RunState::Running;
            running.with_label_values(label).set(i64::from(at_work));
            started.with_label_values(label).set(seconds(run.started));
            if let Some(at) = run.ended {
                ended.with_label_values(label).set(seconds(at));
            }
            for (outcome, count) in [
                ("synced", run.synced),
                ("failed", run.failed),
                ("ignored", run.ignored),
                ("deferred", run.deferred),
            ] {
                requests
                    .with_label_values(&[*task, outcome])
                    .set(count.cast_signed());
            }
            bytes
                .with_label_values(label)
                .set(run.synced_bytes.cast_signed());
            if let Some(exit_code) = run.exit_code {
                code.with_label_values(label).set(exit_code.into());
            }
        }
        Ok(())
    }

    /// What `serve` itself has done since it began.
    fn of_serve(&self, figures: &Figures) -> prometheus::Result<()> {
        let calls = self.counter("serve_calls_total", "Calls that bring names.", &["answer"])?;
        calls
            .with_label_values(&["accepted"])
            .inc_by(figures.accepted_calls.get());
        calls
            .with_label_values(&["refused"])
            .inc_by(figures.refused_calls.get());
        let names = self.counter("serve_accepted_names_total", "Names recorded.", &[])?;
        names
            .with_label_values::<&str>(&[])
            .inc_by(figures.accepted_names.get());
        let others = self.counter(
            "serve_other_events_total",
            "Records of notifications that ask for nothing.",
            &[],
        )?;
        others
            .with_label_values::<&str>(&[])
            .inc_by(figures.other_events.get());
        Ok(())
    }

    fn counter(
        &self,
        name: &str,
        help: &str,
        labels: &[&str],
    ) -> prometheus::Result<IntCounterVec> {
        self.entered(IntCounterVec::new(Opts::new(name, help), labels)?)
    }

    fn gauge(&self, name: &str, help: &str, labels: &[&str]) -> prometheus::Result<IntGaugeVec> {
        self.entered(IntGaugeVec::new(Opts::new(name, help), labels)?)
    }

    /// A time of each task.
    fn time(&self, name: &str, help: &str) -> prometheus::Result<GaugeVec> {
        self.entered(GaugeVec::new(Opts::new(name, help), &["task"])?)
    }

    fn entered<C: Collector + Clone + 'static>(&self, collector: C) -> prometheus::Result<C> {
        self.0.register(Box::new(collector.clone()))?;
        Ok(collector)
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "milliseconds until the year 287396 fit"
)]
fn seconds(at: Timestamp) -> f64 {
    at.ms() as f64 / 1000.0
}

impl IntoResponse for Metrics {
    fn into_response(self) -> Response {
        let text = HeaderValue::from_static(prometheus::TEXT_FORMAT);
        ([(header::CONTENT_TYPE, text)], self.0).into_response()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_run_of_each_task_is_told_as_far_as_it_came() {
        let run = RunGauges {
            number: 12,
            state: RunState::Running,
            started: Timestamp::from_ms(1_793_408_400_500),
            ended: None,
            taken: 7,
            synced: 3,
            failed: 1,
            ignored: 1,
            deferred: 2,
            synced_bytes: 30,
            exit_code: None,
        };
        let ended = RunGauges {
            state: RunState::Ended,
            ended: Some(Timestamp::from_ms(1_793_412_000_000)),
            exit_code: Some(4),
            ..run.clone()
        };
        let gauges = |last_run| Gauges {
            requested: 7,
            synced: 3,
            failed: 1,
            ignored: 1,
            pending: 2,
            oldest_pending: None,
            synced_bytes: 30,
            rejected: 0,
            owed: 0,
            paused: false,
            last_run,
        };
        let tasks = [
            ("films".to_owned(), gauges(Some(ended))),
            ("new".to_owned(), gauges(None)),
            ("photos".to_owned(), gauges(Some(run))),
        ];
        let Metrics(text) = written(&tasks, &Figures::default()).unwrap();
        let of_runs: Vec<&str> = text
            .lines()
            .filter(|line| line.starts_with("nightferry_last_run_"))
            .filter(|line| !line.contains("_requests{"))
            .collect();
        assert_eq!(
            of_runs,
            [
                "nightferry_last_run_end_timestamp_seconds{task=\"films\"} 1793412000",
                "nightferry_last_run_exit_code{task=\"films\"} 4",
                "nightferry_last_run_number{task=\"films\"} 12",
                "nightferry_last_run_number{task=\"photos\"} 12",
                "nightferry_last_run_running{task=\"films\"} 0",
                "nightferry_last_run_running{task=\"photos\"} 1",
                "nightferry_last_run_start_timestamp_seconds{task=\"films\"} 1793408400.5",
                "nightferry_last_run_start_timestamp_seconds{task=\"photos\"} 1793408400.5",
                "nightferry_last_run_synced_bytes{task=\"films\"} 30",
                "nightferry_last_run_synced_bytes{task=\"photos\"} 30",
            ]
        );
        let deferred = "nightferry_last_run_requests{outcome=\"deferred\",task=\"photos\"} 2";
        assert!(text.contains(deferred), "{text}");
    }
}
