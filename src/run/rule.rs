//! What a run decides by.

use std::sync::Arc;

use crate::config::TaskConfig;
use crate::ledger::Queued;
use crate::model::{Exclusion, ObjectFacts, ObjectName, OverwriteMode, Selection, Timestamp};
use crate::select::{excluded_by_facts, excluded_by_name};

/// What a run decides by: its task's rules, as of when it began.
#[derive(Debug, Clone)]
pub struct Rule {
    /// When a name that the destination has already is copied again.
    pub mode: OverwriteMode,
    selection: Arc<Selection>,
    began: Timestamp,
}

impl Rule {
    /// The rule of `task` for a run that began at `began`.
    pub fn new(task: &TaskConfig, began: Timestamp) -> Self {
        Self {
            mode: task.overwrite,
            selection: Arc::new(task.selection.clone()),
            began,
        }
    }

    /// Whether an object may be left out because of what the source says of it.
    pub fn asks_for_facts(&self) -> bool {
        self.selection.asks_for_facts()
    }

    /// What leaves a name out before anybody is asked. What an earlier run may have
    /// copied without getting to its outcome is looked at all the same.
    pub fn excludes_unseen(&self, queued: &Queued) -> Option<Exclusion> {
        match queued.planned {
            Some(_) => None,
            None => excluded_by_name(&self.selection, queued.name.as_str()),
        }
    }

    /// What leaves an object out.
    pub fn excludes(&self, name: &ObjectName, source: &ObjectFacts) -> Option<Exclusion> {
        excluded_by_name(&self.selection, name.as_str())
            .or_else(|| excluded_by_facts(&self.selection, source, self.began))
    }
}
