//! Objects that are brought back from an archive of the source.

use std::sync::atomic::Ordering;

use super::{Tally, Transfer};
use crate::model::{Archive, Failure, RestoreAnswer, RestoreOrder};

/// The archive cannot give anything back within minutes now.
const NO_ROOM: &str = "GlacierExpeditedRetrievalNotAvailable";

impl Transfer {
    /// Asks the source to bring `name` back.
    ///
    /// # Errors
    /// It refused or did not answer, after all attempts.
    pub fn restore(
        &self,
        name: &str,
        archive: Archive,
        order: RestoreOrder,
        tally: &Tally,
    ) -> Result<RestoreAnswer, Failure> {
        self.attempts(tally, || {
            match self.source.restore(name, archive, order) {
                // Other attempts of this night meet the same, and it says nothing
                // against the source.
                Err(failure) if failure.error_code.as_deref() == Some(NO_ROOM) => {
                    let message = format!(
                        "{}; the next night asks again, and tier = \"Standard\" is always taken",
                        failure.message
                    );
                    Ok(Err(Failure {
                        side: None,
                        message,
                        ..failure
                    }))
                }
                answer => answer.map(Ok),
            }
        })?
    }

    /// Whether the run begins nothing any more.
    #[must_use]
    pub fn is_stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }
}
