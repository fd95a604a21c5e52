//! Figures for Prometheus: where each task stands, and what was taken in.

use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};

use super::answer::Refusal;
use super::{Figures, Receiver};
use crate::report::{METRICS_TYPE, Metrics, MetricsError, gauges_of};

/// The figures of one moment, as they are sent.
pub(super) struct Page(String);

impl Receiver {
    /// The figures of this moment.
    pub(super) async fn metrics(&self) -> Result<Page, Refusal> {
        let ids: Vec<_> = self.tasks.iter().map(|task| task.id.clone()).collect();
        let gauges = self
            .books
            .read(move |ledger| Ok::<_, Refusal>(gauges_of(ledger, ids)?))
            .await?;
        let page = Metrics::new(&gauges).and_then(|metrics| {
            add_own(&metrics, &self.figures)?;
            metrics.render()
        });
        page.map(Page).map_err(|error| {
            tracing::error!("{error}");
            Refusal::NoLedger
        })
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
    )
}

impl IntoResponse for Page {
    fn into_response(self) -> Response {
        let text = HeaderValue::from_static(METRICS_TYPE);
        ([(header::CONTENT_TYPE, text)], self.0).into_response()
    }
}
