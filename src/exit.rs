//! Exit codes and which of several wins.

/// Why the program ends as it does; the contract's table of exit codes, section 4.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ExitReason {
    /// All taken requests were synced or ignored.
    Done,
    /// An unexpected error, a full disk included.
    Unexpected,
    /// Wrong usage, unknown task or month.
    Usage,
    /// Configuration or ledger unusable; nothing was tried.
    Unusable,
    /// Requests failed.
    Failed,
    /// Lines of lists were rejected.
    Rejected,
    /// No list came in for longer than is expected.
    NoList,
    /// A spot check found copies, or ignored objects, that are not as the source's.
    Drifted,
    /// Another run of this task holds the lock.
    Locked,
    /// Work was deferred.
    Deferred,
    /// A list was not delivered; it is owed.
    Owed,
    /// The books do not balance.
    Unbalanced,
    /// The run could not begin.
    CouldNotBegin,
}

impl ExitReason {
    /// All reasons, the most serious first. A wrong usage ends the program
    /// before it has any other reason, so its place among them does not matter.
    pub const BY_SERIOUSNESS: [Self; 13] = [
        Self::Unbalanced,
        Self::Unexpected,
        Self::Unusable,
        Self::CouldNotBegin,
        Self::Locked,
        Self::Failed,
        Self::Rejected,
        Self::NoList,
        Self::Drifted,
        Self::Deferred,
        Self::Owed,
        Self::Usage,
        Self::Done,
    ];

    /// The process's exit code.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Unexpected => 1,
            Self::Usage => 2,
            Self::Unusable => 3,
            Self::Failed | Self::Rejected | Self::NoList | Self::Drifted => 4,
            Self::Locked => 5,
            Self::Deferred => 6,
            Self::Owed => 7,
            Self::Unbalanced => 8,
            Self::CouldNotBegin => 9,
        }
    }

    /// The word in `run_history.exit_reasons`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Unexpected => "unexpected_error",
            Self::Usage => "usage",
            Self::Unusable => "unusable",
            Self::Failed => "failed",
            Self::Rejected => "rejected",
            Self::NoList => "no_list",
            Self::Drifted => "drifted",
            Self::Locked => "locked",
            Self::Deferred => "deferred",
            Self::Owed => "owed",
            Self::Unbalanced => "unbalanced",
            Self::CouldNotBegin => "could_not_begin",
        }
    }

    /// What it means, in words.
    #[must_use]
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::Done => "All taken requests were synced or ignored, or there was nothing to do.",
            Self::Unexpected => "An unexpected error, a full disk included.",
            Self::Usage => "Wrong usage, an unknown task or month.",
            Self::Unusable => "Configuration or ledger unusable; nothing was tried.",
            Self::Failed => "Requests failed in this run.",
            Self::Rejected => "Lines of lists were rejected in this run.",
            Self::NoList => "No list came for longer than the task expects.",
            Self::Drifted => "A spot check found objects that are not as the source's any more.",
            Self::Locked => "Another run of the task is at work.",
            Self::Deferred => {
                "Work was deferred: time was up, the run was stopped, a limit was reached or a \
                 side went on failing. The next run takes it."
            }
            Self::Owed => {
                "The ledger is right, but a list was not delivered or no backup was made; the \
                 next run tries again."
            }
            Self::Unbalanced => "The books do not balance.",
            Self::CouldNotBegin => {
                "The run could not begin: source or destination refused or did not answer."
            }
        }
    }

    /// Those that hold; [`Done`](Self::Done) if none does.
    #[must_use]
    pub fn that_hold<const N: usize>(reasons: [(bool, Self); N]) -> Vec<Self> {
        let holding = reasons
            .into_iter()
            .filter_map(|(holds, reason)| holds.then_some(reason));
        let mut holding: Vec<Self> = holding.collect();
        if holding.is_empty() {
            holding.push(Self::Done);
        }
        holding
    }

    /// The words of `reasons`, as `run_history.exit_reasons` has them.
    #[must_use]
    pub fn words(reasons: &[Self]) -> String {
        let words: Vec<&str> = reasons.iter().map(|reason| reason.as_str()).collect();
        words.join(",")
    }

    /// The reasons that [`words`](Self::words) wrote; what is no such word is left out.
    #[must_use]
    pub fn of_words(words: &str) -> Vec<Self> {
        let known = |word| {
            Self::BY_SERIOUSNESS
                .into_iter()
                .find(|reason| reason.as_str() == word)
        };
        words.split(',').filter_map(known).collect()
    }

    /// The most serious of `reasons`; [`Done`](Self::Done) if there are none.
    #[must_use]
    pub fn most_serious(reasons: &[Self]) -> Self {
        Self::BY_SERIOUSNESS
            .into_iter()
            .find(|reason| reasons.contains(reason))
            .unwrap_or(Self::Done)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_serious_reason_wins() {
        let order: Vec<u8> = ExitReason::BY_SERIOUSNESS
            .iter()
            .map(|r| r.code())
            .collect();
        assert_eq!(order, [8, 1, 3, 9, 5, 4, 4, 4, 4, 6, 7, 2, 0]);
        let reasons = [ExitReason::Owed, ExitReason::Deferred, ExitReason::Failed];
        assert_eq!(ExitReason::most_serious(&reasons), ExitReason::Failed);
        assert_eq!(ExitReason::most_serious(&[]), ExitReason::Done);
    }

    #[test]
    fn what_holds_is_said_and_if_nothing_does_that_it_is_done() {
        let reasons = |failed, deferred| {
            ExitReason::words(&ExitReason::that_hold([
                (failed, ExitReason::Failed),
                (deferred, ExitReason::Deferred),
            ]))
        };
        assert_eq!(reasons(true, true), "failed,deferred");
        assert_eq!(reasons(false, true), "deferred");
        assert_eq!(reasons(false, false), "done");
        let held = ExitReason::of_words("failed,deferred,unheard_of");
        assert_eq!(held, [ExitReason::Failed, ExitReason::Deferred]);
    }
}
