//! What the ledger tells of one task's night.

use super::Ended;
use super::block::Tone;
use crate::exit::ExitReason;
use crate::ledger::{Compared, Ledger, NightRow, PastRun, RejectedHere};
use crate::model::{FailureCause, TaskId, Timestamp, Zone};
use crate::report::outlook::{Outlook, Schedule};
use crate::report::{MonthChoice, ReportError, TaskMonth};

/// So many rejected lines are shown.
const REJECTED_LINES: usize = 3;

/// What is told of one task.
#[derive(Debug)]
pub struct Told {
    /// The task.
    pub id: TaskId,
    /// How it ended.
    pub ended: Ended,
    /// The run by which it did, if the ledger has it.
    pub run: Option<RunTold>,
    /// The present month, if the ledger knows the task.
    pub month: Option<TaskMonth>,
    /// The task's zone, likewise.
    pub zone: Option<Zone>,
}

/// What is told of one run.
#[derive(Debug)]
pub struct RunTold {
    /// Its row and its books.
    pub past: PastRun,
    /// The rest of its row.
    pub row: NightRow,
    /// All reasons for its exit code.
    pub reasons: Vec<ExitReason>,
    /// Why requests failed, the most frequent cause first: how many, and one's name.
    pub failures: Vec<(FailureCause, u64, String)>,
    /// The first of the lines that it rejected.
    pub rejected: Vec<RejectedHere>,
    /// The night before, if there is one to compare with.
    pub compared: Option<Compared>,
    /// When what was deferred is likely to be done, if past runs tell.
    pub forecast: Option<String>,
}

impl Told {
    /// How `task` ended, and nothing else.
    pub fn bare(task: &TaskId, ended: &Ended) -> Self {
        Self {
            id: task.clone(),
            ended: ended.clone(),
            run: None,
            month: None,
            zone: None,
        }
    }

    /// Reads what the ledger has on how `task` ended.
    ///
    /// # Errors
    /// If the ledger cannot be read.
    pub fn read(
        ledger: &Ledger,
        task: &TaskId,
        ended: &Ended,
        schedule: Option<Schedule>,
        now: Timestamp,
    ) -> Result<Self, ReportError> {
        let mut told = Self::bare(task, ended);
        let known = ledger.known_tasks()?;
        if let Some(known) = known.iter().find(|known| known.id == *task) {
            let month = MonthChoice::This.of(known, now);
            told.month = Some(TaskMonth::read(ledger, task, month)?);
            told.zone = Some(known.zone);
        }
        if let Ended::Ran(number) = ended {
            told.run = RunTold::read(ledger, task, *number, schedule, now)?;
        }
        Ok(told)
    }

    /// How serious it is; the least is the worst.
    pub fn place(&self) -> usize {
        let reason = self.reason();
        let all = ExitReason::BY_SERIOUSNESS;
        all.iter().position(|known| *known == reason).unwrap_or(0)
    }

    /// Whether nothing is the matter.
    pub fn is_done(&self) -> bool {
        self.reason() == ExitReason::Done
    }

    /// How it is to be taken.
    pub fn tone(&self) -> Tone {
        match self.reason() {
            ExitReason::Done => Tone::Good,
            ExitReason::Deferred | ExitReason::Owed => Tone::Wait,
            _ => Tone::Bad,
        }
    }

    fn reason(&self) -> ExitReason {
        match (&self.run, &self.ended) {
            (Some(run), _) => ExitReason::most_serious(&run.reasons),
            (None, Ended::NotRun { reason, .. }) => *reason,
            (None, Ended::Ran(_)) => ExitReason::Unexpected,
            (None, Ended::Paused(_)) => ExitReason::Done,
            (None, Ended::NotBegun) => ExitReason::Deferred,
        }
    }

    /// The id of its run.
    pub fn run_id(&self) -> Option<&str> {
        self.run.as_ref().map(|run| run.past.run_id.as_str())
    }
}

impl RunTold {
    fn read(
        ledger: &Ledger,
        task: &TaskId,
        number: u64,
        schedule: Option<Schedule>,
        now: Timestamp,
    ) -> Result<Option<Self>, ReportError> {
        let past = ledger.past_runs(task, Some(number + 1), 1)?;
        let past = past.into_iter().find(|run| run.number == number);
        let (Some(past), Some(row)) = (past, ledger.night_row(task, number)?) else {
            return Ok(None);
        };
        let words = past.exit_reasons.as_deref().unwrap_or_default();
        let settled = past.books.settled() > 0;
        let outlook = match schedule.filter(|_| past.books.deferred > 0) {
            Some(schedule) => Outlook::read(ledger, task, schedule, false, now)?,
            None => None,
        };
        Ok(Some(Self {
            reasons: ExitReason::of_words(words),
            failures: ledger.run_failures(row.key)?,
            rejected: match past.rejected {
                0 => Vec::new(),
                _ => ledger.first_rejected(task, number, REJECTED_LINES)?,
            },
            compared: if settled {
                ledger.compare_failures(row.key)?
            } else {
                None
            },
            forecast: outlook.and_then(|outlook| outlook.of_deferred()),
            past,
            row,
        }))
    }

    /// Whether its books do not balance.
    pub fn is_unbalanced(&self) -> bool {
        !self.past.books.balanced() || self.reasons.contains(&ExitReason::Unbalanced)
    }
}
