//! Figures for Prometheus: where each task stands, and what was taken in.

use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};

use super::answer::Refusal;
use super::{Figures, Receiver};
use crate::report::{METRICS_TYPE, Metrics, MetricsError, gauges_of};

/// The figures of one moment, as they are sent.
pub(super) struct Page(String);

impl Receiver {
    /// The figures of this moment. Without a ledger those of `serve` itself, and
    /// that there is none: who watches is to see that, not just nothing.
    pub(super) async fn metrics(&self) -> Result<Page, Refusal> {
        let ids: Vec<_> = self.tasks.iter().map(|task| task.id.clone()).collect();
        let gauges = self
            .books
            .read(move |ledger| Ok::<_, Refusal>(gauges_of(ledger, ids)?))
            .await;
        let gauges = match gauges {
            Ok(gauges) => Some(gauges),
            Err(Refusal::LedgerGone) => None,
            Err(refusal) => return Err(refusal),
        };
        let page = Metrics::new(gauges.as_deref().unwrap_or_default()).and_then(|metrics| {
            metrics.add_gauge(
                "serve_ledger_in_place",
                "Whether the ledger is where it was when serve began to use it.",
                i64::from(gauges.is_some()),
            )?;
            add_own(&metrics, &self.figures)?;
            metrics.render()
        });
        page.map(Page)
            .map_err(|error| Refusal::NoLedger(error.to_string()))
    }
}

/// What `serve` itself has done since it began.
fn add_own(metrics: &Metrics, figures: &Figures) -> Result<(), MetricsError> {
    metrics.add_counters(
        "serve_calls_total",
        "Calls that bring names.",
        &["answer"],
        &[
            (&["accepted"], figures.accepted_calls.get()),
            (&["refused"], figures.refused_calls.get()),
        ],
    )?;
    metrics.add_counters(
        "serve_accepted_names_total",
        "Names recorded.",
        &[],
        &[(&[], figures.accepted_names.get())],
    )?;
    metrics.add_counters(
        "serve_other_events_total",
        "Records of notifications that ask for nothing.",
        &[],
        &[(&[], figures.other_events.get())],
    )?;
    metrics.add_counters(
        "serve_left_out_records_total",
        "Records of notifications of which no name was made, though they should have one.",
        &["reason"],
        &[
            (&["other_bucket"], figures.other_buckets.get()),
            (&["unreadable"], figures.unreadable_records.get()),
        ],
    )?;
    let refused: Vec<([&str; 1], u64)> = figures
        .refused
        .each()
        .map(|(reason, count)| ([reason], count))
        .collect();
    let refused: Vec<(&[&str], u64)> = refused
        .iter()
        .map(|(reason, count)| (&reason[..], *count))
        .collect();
    metrics.add_counters(
        "serve_refused_total",
        "Calls of any kind that were refused, by why.",
        &["reason"],
        &refused,
    )
}

impl IntoResponse for Page {
    fn into_response(self) -> Response {
        let text = HeaderValue::from_static(METRICS_TYPE);
        ([(header::CONTENT_TYPE, text)], self.0).into_response()
    }
}
