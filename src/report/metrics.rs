//! Figures for Prometheus, in its text format: of `serve`, and of the textfile that
//! each run leaves.

use prometheus::core::Collector;
use prometheus::{GaugeVec, IntCounterVec, IntGaugeVec, Opts, Registry, TextEncoder};

use crate::ledger::{Gauges, Ledger, LedgerError, RunGauges, SpotCheck};
use crate::model::{RunState, Sampled, TaskId, Timestamp};

/// The content type of what [`Metrics::render`] answers.
pub const METRICS_TYPE: &str = prometheus::TEXT_FORMAT;

/// The figures cannot be put together; a fault of Nightferry itself.
#[derive(Debug, thiserror::Error)]
#[error("the metrics cannot be written: {0}")]
pub struct MetricsError(#[from] prometheus::Error);

/// One call of `nightferry run`, whatever its tasks did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NightFigures {
    /// When it began.
    pub started: Timestamp,
    /// When it ended, and its exit code; `None` while it is at work.
    pub ended: Option<(Timestamp, u8)>,
}

/// Where those of `tasks` stand that the ledger knows.
///
/// # Errors
/// If the ledger cannot be read.
pub fn gauges_of(
    ledger: &Ledger,
    tasks: impl IntoIterator<Item = TaskId>,
) -> Result<Vec<(TaskId, Gauges)>, LedgerError> {
    let known = tasks.into_iter().filter_map(|task| {
        let gauges = ledger.gauges(&task).transpose()?;
        Some(gauges.map(|gauges| (task, gauges)))
    });
    known.collect()
}

/// The figures of one moment.
pub struct Metrics(Registry);

impl Metrics {
    /// Those of `tasks`.
    ///
    /// # Errors
    /// If they cannot be put together.
    pub fn new(tasks: &[(TaskId, Gauges)]) -> Result<Self, MetricsError> {
        let metrics = Self(Registry::new_custom(Some("nightferry".to_owned()), None)?);
        metrics.of_tasks(tasks)?;
        let last_runs: Vec<(&str, &RunGauges)> = tasks
            .iter()
            .filter_map(|(task, gauges)| Some((task.as_str(), gauges.last_run.as_ref()?)))
            .collect();
        metrics.of_last_runs(&last_runs)?;
        Ok(metrics)
    }

    /// Adds those of the call of `run` that writes them.
    ///
    /// # Errors
    /// If they cannot be put together.
    pub fn add_night(&self, night: NightFigures) -> Result<(), MetricsError> {
        let none: &[&str] = &[];
        let running = self.gauge("night_running", "Whether it has not ended.", none)?;
        running
            .with_label_values(none)
            .set(i64::from(night.ended.is_none()));
        let started = "When the last call of run began.";
        let started = self.time("night_start_timestamp_seconds", started, none)?;
        started.with_label_values(none).set(seconds(night.started));
        let ended = self.time("night_end_timestamp_seconds", "When it ended.", none)?;
        let code = self.gauge("night_exit_code", "With which exit code it ended.", none)?;
        if let Some((at, exit_code)) = night.ended {
            ended.with_label_values(none).set(seconds(at));
            code.with_label_values(none).set(exit_code.into());
        }
        Ok(())
    }

    /// Adds counts that only grow: one, or one for each value of a label.
    ///
    /// # Errors
    /// If they cannot be put together.
    pub fn add_counters(
        &self,
        name: &str,
        help: &str,
        label: &[&str],
        counts: &[(&[&str], u64)],
    ) -> Result<(), MetricsError> {
        let counters = self.counter(name, help, label)?;
        for (values, count) in counts {
            counters.with_label_values(values).inc_by(*count);
        }
        Ok(())
    }

    /// Adds how one thing stands.
    ///
    /// # Errors
    /// If it cannot be put together.
    pub fn add_gauge(&self, name: &str, help: &str, value: i64) -> Result<(), MetricsError> {
        let none: &[&str] = &[];
        let gauge = self.gauge(name, help, none)?;
        gauge.with_label_values(none).set(value);
        Ok(())
    }

    /// All of them as text.
    ///
    /// # Errors
    /// If they cannot be put together.
    pub fn render(&self) -> Result<String, MetricsError> {
        Ok(TextEncoder::new().encode_to_string(&self.0.gather())?)
    }

    fn of_tasks(&self, tasks: &[(TaskId, Gauges)]) -> prometheus::Result<()> {
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
            &["task"],
        )?;
        let requested_last = self.time(
            "last_requested_timestamp_seconds",
            "When names were last taken in.",
            &["task"],
        )?;
        let success = self.time(
            "last_success_timestamp_seconds",
            "When the last run ended that answered with 0.",
            &["task"],
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
            if let Some(at) = gauges.last_requested {
                requested_last.with_label_values(label).set(seconds(at));
            }
            if let Some(at) = gauges.last_success {
                success.with_label_values(label).set(seconds(at));
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
        let started = self.time(
            "last_run_start_timestamp_seconds",
            "When it began.",
            &["task"],
        )?;
        let ended = self.time(
            "last_run_end_timestamp_seconds",
            "When it ended.",
            &["task"],
        )?;
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
        let checks = runs
            .iter()
            .filter_map(|(task, run)| Some((*task, run.spot_check?)));
        self.of_spot_checks(&checks.collect::<Vec<_>>())
    }

    fn of_spot_checks(&self, checks: &[(&str, SpotCheck)]) -> prometheus::Result<()> {
        let labels = ["task", "kind"];
        let checked = self.gauge(
            "last_run_spot_checked",
            "Objects that its spot check compared with the source.",
            &labels,
        )?;
        let drifted = self.gauge(
            "last_run_spot_drifted",
            "Of these, objects that are not as the source's.",
            &labels,
        )?;
        for (task, check) in checks {
            for (kind, compared, differ) in [
                (Sampled::Copy, check.copies, check.copies_drifted),
                (Sampled::Ignored, check.ignored, check.ignored_drifted),
            ] {
                let label = &[*task, kind.as_str()];
                checked.with_label_values(label).set(compared.cast_signed());
                drifted.with_label_values(label).set(differ.cast_signed());
            }
        }
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

    /// A time, in seconds since the epoch.
    fn time(&self, name: &str, help: &str, labels: &[&str]) -> prometheus::Result<GaugeVec> {
        self.entered(GaugeVec::new(Opts::new(name, help), labels)?)
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

#[cfg(test)]
mod tests {
    use super::*;

    fn gauges(last_run: Option<RunGauges>) -> Gauges {
        Gauges {
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
            last_requested: None,
            last_success: Some(Timestamp::from_ms(1_793_412_000_000)),
            last_run,
        }
    }

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
            spot_check: None,
        };
        let ended = RunGauges {
            state: RunState::Ended,
            ended: Some(Timestamp::from_ms(1_793_412_000_000)),
            exit_code: Some(4),
            spot_check: Some(SpotCheck {
                copies: 20,
                copies_drifted: 1,
                ..SpotCheck::default()
            }),
            ..run.clone()
        };
        let tasks = [
            ("films".parse().unwrap(), gauges(Some(ended))),
            ("new".parse().unwrap(), gauges(None)),
            ("photos".parse().unwrap(), gauges(Some(run))),
        ];
        let text = Metrics::new(&tasks).unwrap().render().unwrap();
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
                "nightferry_last_run_spot_checked{kind=\"copy\",task=\"films\"} 20",
                "nightferry_last_run_spot_checked{kind=\"ignored\",task=\"films\"} 0",
                "nightferry_last_run_spot_drifted{kind=\"copy\",task=\"films\"} 1",
                "nightferry_last_run_spot_drifted{kind=\"ignored\",task=\"films\"} 0",
                "nightferry_last_run_start_timestamp_seconds{task=\"films\"} 1793408400.5",
                "nightferry_last_run_start_timestamp_seconds{task=\"photos\"} 1793408400.5",
                "nightferry_last_run_synced_bytes{task=\"films\"} 30",
                "nightferry_last_run_synced_bytes{task=\"photos\"} 30",
            ]
        );
        let deferred = "nightferry_last_run_requests{outcome=\"deferred\",task=\"photos\"} 2";
        assert!(text.contains(deferred), "{text}");
        let success = "nightferry_last_success_timestamp_seconds{task=\"new\"} 1793412000\n";
        assert!(text.contains(success), "{text}");
    }

    #[test]
    fn every_series_is_described_once_and_only_counters_are_totals() {
        let metrics = Metrics::new(&[("photos".parse().unwrap(), gauges(None))]).unwrap();
        let started = Timestamp::from_ms(0);
        let ended = Some((started, 0));
        metrics.add_night(NightFigures { started, ended }).unwrap();
        let text = metrics.render().unwrap();
        let of = |word: &str| -> Vec<&str> {
            text.lines()
                .filter_map(|line| line.strip_prefix(word))
                .collect()
        };
        let types = of("# TYPE ");
        assert_eq!(types.len(), of("# HELP ").len());
        for kind in types {
            let (name, kind) = kind.split_once(' ').unwrap();
            assert!(name.starts_with("nightferry_"), "{name}");
            assert_eq!(name.ends_with("_total"), kind == "counter", "{name} {kind}");
            let helps = of("# HELP ")
                .into_iter()
                .filter(|help| help.split(' ').next() == Some(name) && help.ends_with('.'));
            assert_eq!(helps.count(), 1, "{name}");
        }
    }

    #[test]
    fn a_night_is_told_as_far_as_it_came() {
        let started = Timestamp::from_ms(1_793_408_400_500);
        let told = |ended| {
            let metrics = Metrics::new(&[]).unwrap();
            metrics.add_night(NightFigures { started, ended }).unwrap();
            let text = metrics.render().unwrap();
            let values = text.lines().filter(|line| !line.starts_with('#'));
            values.map(str::to_owned).collect::<Vec<String>>()
        };
        let running = [
            "nightferry_night_running 1",
            "nightferry_night_start_timestamp_seconds 1793408400.5",
        ];
        assert_eq!(told(None), running);
        let ended = [
            "nightferry_night_end_timestamp_seconds 1793412000",
            "nightferry_night_exit_code 3",
            "nightferry_night_running 0",
            "nightferry_night_start_timestamp_seconds 1793408400.5",
        ];
        assert_eq!(
            told(Some((Timestamp::from_ms(1_793_412_000_000), 3))),
            ended
        );
    }
}
