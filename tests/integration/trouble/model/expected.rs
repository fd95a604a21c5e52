//! The books as they must be, worked out from the contract's rules alone.

use std::collections::BTreeMap;

use super::drawn::Foreign;

/// Where a request stands: the views' words.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    Pending,
    Synced,
    Failed(String),
    Ignored(String),
}

/// One name asked for once.
#[derive(Clone, Debug)]
pub struct Request {
    pub name: usize,
    pub state: State,
    asked_month: String,
    settled_month: String,
    carried_day: Option<i64>,
}

/// An object at the source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Original {
    pub sha256: String,
    pub size: u64,
}

/// An object at the destination.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Copy {
    pub object: Original,
    /// Later than the source's object by the second.
    pub is_newer: bool,
    /// Recorded as synced from the source object of this SHA-256.
    pub ours: Option<String>,
}

/// All that the ledger and the destination must show.
pub struct Books {
    pub mode: &'static str,
    pub sources: Vec<Option<Original>>,
    pub copies: Vec<Option<Copy>>,
    pub requests: Vec<Request>,
    /// For each run: taken, synced, failed, ignored, deferred.
    pub runs: Vec<[u64; 5]>,
}

impl Books {
    pub fn ask(&mut self, name: usize, month: &str) {
        self.requests.push(Request {
            name,
            state: State::Pending,
            asked_month: month.to_owned(),
            settled_month: String::new(),
            carried_day: None,
        });
    }

    /// Failed requests that are worth another night are pending again, once a day.
    pub fn carry_over(&mut self, day: i64) {
        for request in &mut self.requests {
            let curable =
                matches!(&request.state, State::Failed(cause) if cause != "source_missing");
            if curable && request.carried_day.is_none_or(|carried| carried < day) {
                request.state = State::Pending;
                request.carried_day = Some(day);
            }
        }
    }

    /// The requests that a run which begins now takes.
    pub fn pending(&self) -> Vec<usize> {
        (0..self.requests.len())
            .filter(|&request| self.requests[request].state == State::Pending)
            .collect()
    }

    /// What must become of a name if nothing is denied: the contract's section 6.
    pub fn outcome(&self, name: usize) -> State {
        let Some(source) = &self.sources[name] else {
            return State::Failed("source_missing".to_owned());
        };
        let Some(copy) = &self.copies[name] else {
            return State::Synced;
        };
        let ignored = |reason: &str| State::Ignored(reason.to_owned());
        if self.mode.contains("never") {
            ignored("exists")
        } else if self.mode.contains("always") || copy.object.size != source.size {
            State::Synced
        } else if let Some(ours) = &copy.ours {
            if *ours == source.sha256 {
                ignored("already_copied")
            } else {
                State::Synced
            }
        } else if copy.is_newer {
            ignored("newer_at_destination")
        } else {
            State::Synced
        }
    }

    /// Settles the `taken` requests for a name by the outcome of the first;
    /// answers what they come to.
    pub fn settle(&mut self, name: usize, outcome: &State, taken: &[usize], month: &str) {
        if *outcome == State::Synced {
            self.copies[name] = self.sources[name].clone().map(|object| Copy {
                ours: Some(object.sha256.clone()),
                object,
                is_newer: true,
            });
        }
        let mut next = outcome.clone();
        for &request in taken {
            let request = &mut self.requests[request];
            if request.name != name {
                continue;
            }
            request.state = next.clone();
            month.clone_into(&mut request.settled_month);
            if !matches!(outcome, State::Failed(_)) {
                next = State::Ignored("duplicate".to_owned());
            }
        }
    }

    /// What a run made of the requests that it took.
    pub fn note_run(&mut self, taken: &[usize]) {
        let mut books = [taken.len() as u64, 0, 0, 0, 0];
        for &request in taken {
            let place = match self.requests[request].state {
                State::Synced => 1,
                State::Failed(_) => 2,
                State::Ignored(_) => 3,
                State::Pending => 4,
            };
            books[place] += 1;
        }
        self.runs.push(books);
    }

    /// The rows of `month_summary`: requested, synced, failed, ignored.
    pub fn months(&self) -> BTreeMap<String, [u64; 4]> {
        let mut months: BTreeMap<String, [u64; 4]> = BTreeMap::new();
        for request in &self.requests {
            months.entry(request.asked_month.clone()).or_default()[0] += 1;
            let place = match request.state {
                State::Pending => continue,
                State::Synced => 1,
                State::Failed(_) => 2,
                State::Ignored(_) => 3,
            };
            months.entry(request.settled_month.clone()).or_default()[place] += 1;
        }
        months
    }
}

impl Foreign {
    /// The copy that somebody else's object is.
    pub fn copy(self, object: Original) -> Copy {
        Copy {
            object,
            is_newer: self != Self::Older,
            ours: None,
        }
    }
}
