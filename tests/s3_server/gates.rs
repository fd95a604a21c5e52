//! Gates: how a test holds requests back.

use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::time::Duration;

use tokio::sync::watch;

use super::exchange::Exchange;

/// Holds back matching requests until it is opened or dropped.
pub struct Gate(Arc<GateState>);

struct GateState {
    operation: String,
    bucket: String,
    key: Option<String>,
    arrived: Mutex<usize>,
    arrival: Condvar,
    /// How many requests may have passed by now.
    may_pass: watch::Sender<usize>,
}

impl Gate {
    /// Blocks until a request waits at the gate.
    ///
    /// # Panics
    /// If none has come after a minute.
    pub fn wait_arrived(&self) {
        self.wait_arrivals(1);
    }

    /// Blocks until so many requests have come to the gate.
    ///
    /// # Panics
    /// If they have not come after a minute.
    pub fn wait_arrivals(&self, count: usize) {
        let arrived = self.0.arrived();
        let (arrived, _) = self
            .0
            .arrival
            .wait_timeout_while(arrived, Duration::from_mins(1), |arrived| *arrived < count)
            .expect("no thread panics with a gate locked");
        assert!(
            *arrived >= count,
            "only {arrived} of {count} requests came to the gate"
        );
    }

    /// How many requests have come to the gate.
    pub fn arrived(&self) -> usize {
        *self.0.arrived()
    }

    /// Lets so many requests go on, in the order of their arrival.
    pub fn let_pass(&self, count: usize) {
        self.0
            .may_pass
            .send_modify(|may_pass| *may_pass = may_pass.saturating_add(count));
    }

    /// Lets the waiting requests and all later ones go on.
    pub fn open(&self) {
        self.0.may_pass.send_replace(usize::MAX);
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        self.open();
    }
}

impl GateState {
    fn arrived(&self) -> MutexGuard<'_, usize> {
        self.arrived
            .lock()
            .expect("no thread panics with a gate locked")
    }

    fn matches(&self, exchange: &Exchange) -> bool {
        self.operation == exchange.operation()
            && self.bucket == exchange.bucket
            && self.key.as_ref().is_none_or(|key| *key == exchange.key)
    }

    async fn pass(&self) {
        let place = {
            let mut arrived = self.arrived();
            *arrived += 1;
            *arrived
        };
        self.arrival.notify_all();
        let mut may_pass = self.may_pass.subscribe();
        // The sender lives as long as `self`, so waiting cannot fail.
        let _ = may_pass.wait_for(|may_pass| *may_pass >= place).await;
    }
}

/// The gates that are not open yet, and some that are.
#[derive(Default)]
pub(super) struct Gates(Mutex<Vec<Arc<GateState>>>);

impl Gates {
    fn lock(&self) -> MutexGuard<'_, Vec<Arc<GateState>>> {
        self.0
            .lock()
            .expect("no thread panics with the gates locked")
    }

    pub(super) fn add(&self, operation: &str, bucket: &str, key: Option<&str>) -> Gate {
        let state = Arc::new(GateState {
            operation: operation.to_owned(),
            bucket: bucket.to_owned(),
            key: key.map(str::to_owned),
            arrived: Mutex::default(),
            arrival: Condvar::new(),
            may_pass: watch::Sender::new(0),
        });
        let mut gates = self.lock();
        gates.retain(|gate| *gate.may_pass.borrow() < usize::MAX);
        gates.push(Arc::clone(&state));
        Gate(state)
    }

    /// Waits at each closed gate in the way of a request.
    pub(super) async fn pass(&self, exchange: &Exchange) {
        let gates = self.lock().clone();
        for gate in gates.iter().filter(|gate| gate.matches(exchange)) {
            gate.pass().await;
        }
    }
}
