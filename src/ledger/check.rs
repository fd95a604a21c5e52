//! Everything counted anew and compared with the kept tallies.

use rusqlite::Connection;

use super::{Ledger, Result};

/// What must hold, each as a query whose rows say where it does not.
const RULES: &[&str] = &[
    include_str!("../../sql/statements/check_tasks.sql"),
    include_str!("../../sql/statements/check_pending.sql"),
    include_str!("../../sql/statements/check_days.sql"),
    include_str!("../../sql/statements/check_slots.sql"),
    include_str!("../../sql/statements/check_runs.sql"),
    include_str!("../../sql/statements/check_requests.sql"),
    include_str!("../../sql/statements/check_bill.sql"),
    include_str!("../../sql/statements/check_suspects.sql"),
    include_str!("../../sql/statements/check_spots.sql"),
];

impl Ledger {
    /// Checks the file and recounts the books. Answers what is wrong, a
    /// sentence each; empty if all is well.
    ///
    /// # Errors
    /// If the ledger cannot be read at all.
    pub fn check(&self) -> Result<Vec<String>> {
        self.read(|connection| {
            let mut problems = integrity(connection)?;
            for rule in RULES {
                problems.extend(sentences(connection, rule)?);
            }
            Ok(problems)
        })
    }
}

pub(super) fn integrity(connection: &Connection) -> rusqlite::Result<Vec<String>> {
    let mut problems = sentences(connection, "PRAGMA integrity_check(20)")?;
    problems.retain(|problem| problem != "ok");
    problems.extend(sentences(
        connection,
        "SELECT 'a row of ' || \"table\" || ' names a row of ' || parent || ' that is not there'
         FROM pragma_foreign_key_check LIMIT 20",
    )?);
    Ok(problems)
}

fn sentences(connection: &Connection, query: &str) -> rusqlite::Result<Vec<String>> {
    connection
        .prepare(query)?
        .query_map([], |row| row.get(0))?
        .collect()
}
