//! Migrations and views.

use rusqlite::{Connection, TransactionBehavior};

/// `NFRY`: marks a SQLite file as a Nightferry ledger.
pub const APPLICATION_ID: i64 = 0x4e46_5259;

/// Each migration once, in order; its place (from 1) is the ledger's version after it.
pub(super) const MIGRATIONS: &[&str] = &[
    include_str!("../../sql/migrations/0001_ledger.sql"),
    include_str!("../../sql/migrations/0002_faults.sql"),
    include_str!("../../sql/migrations/0003_speed.sql"),
];

/// The public views, made anew with every migration.
pub const VIEWS: &[(&str, &str)] = &[
    ("books", include_str!("../../sql/views/books.sql")),
    (
        "day_summary",
        include_str!("../../sql/views/day_summary.sql"),
    ),
    (
        "failed_requests",
        include_str!("../../sql/views/failed_requests.sql"),
    ),
    (
        "loaded_lists",
        include_str!("../../sql/views/loaded_lists.sql"),
    ),
    (
        "month_close",
        include_str!("../../sql/views/month_close.sql"),
    ),
    (
        "month_summary",
        include_str!("../../sql/views/month_summary.sql"),
    ),
    (
        "object_history",
        include_str!("../../sql/views/object_history.sql"),
    ),
    (
        "open_breakers",
        include_str!("../../sql/views/open_breakers.sql"),
    ),
    (
        "pending_requests",
        include_str!("../../sql/views/pending_requests.sql"),
    ),
    (
        "rejected_lines",
        include_str!("../../sql/views/rejected_lines.sql"),
    ),
    ("requests", include_str!("../../sql/views/requests.sql")),
    (
        "run_history",
        include_str!("../../sql/views/run_history.sql"),
    ),
    ("throttling", include_str!("../../sql/views/throttling.sql")),
];

/// The newest version that this release knows.
#[must_use]
pub fn known_version() -> i64 {
    i64::try_from(MIGRATIONS.len()).unwrap_or(i64::MAX)
}

/// What stands in the file's header: application id and version.
///
/// # Errors
/// What SQLite says, for instance that the file is no database.
pub fn header(connection: &Connection) -> rusqlite::Result<(i64, i64)> {
    let application_id = connection.pragma_query_value(None, "application_id", |row| row.get(0))?;
    let version = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    Ok((application_id, version))
}

/// Brings an empty or older ledger to the known version, views included, in one
/// transaction. Two processes may try at once; the second finds nothing to do.
///
/// # Errors
/// What SQLite says; the ledger is then as it was.
pub fn migrate(connection: &mut Connection) -> rusqlite::Result<()> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let (_, version) = header(&transaction)?;
    let done = usize::try_from(version).unwrap_or(0);
    if done < MIGRATIONS.len() {
        for migration in &MIGRATIONS[done..] {
            transaction.execute_batch(migration)?;
        }
        for (name, definition) in VIEWS {
            transaction.execute_batch(&format!("DROP VIEW IF EXISTS {name}"))?;
            transaction.execute_batch(definition)?;
        }
        transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
        transaction.pragma_update(None, "user_version", known_version())?;
    }
    transaction.commit()
}

#[cfg(test)]
mod tests {
    use super::super::Ledger;
    use super::*;

    #[test]
    fn a_ledger_of_an_older_release_is_brought_up_to_date_by_whoever_reads_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ledger.sqlite");
        let older = Connection::open(&path).unwrap();
        older.execute_batch(MIGRATIONS[0]).unwrap();
        older
            .pragma_update(None, "application_id", APPLICATION_ID)
            .unwrap();
        older.pragma_update(None, "user_version", 1).unwrap();
        drop(older);
        let ledger = Ledger::open_read_only(&path).unwrap();
        assert_eq!(
            header(&ledger.connection).unwrap(),
            (APPLICATION_ID, known_version())
        );
        for (view, _) in VIEWS {
            let query = format!("SELECT * FROM {view}");
            ledger.connection.prepare(&query).unwrap();
        }
    }
}
