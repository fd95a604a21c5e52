//! Many rows with one statement: SQLite opens its tables once for all of them, and
//! goes on where the row before went, which costs more than the rows themselves.

use rusqlite::types::ToSqlOutput;
use rusqlite::{CachedStatement, Connection};

/// Rows of one full statement.
const ROWS: usize = 32;

/// Executes `head`, `values` and `tail` for `rows` of `N` values each. In `values`
/// a `?` stands for each of them, or for one of the values `common` to all rows,
/// which come first, as `?1` and so on.
pub(super) fn execute<'v, const N: usize>(
    connection: &Connection,
    (head, values, tail): (&str, &str, &str),
    common: &[ToSqlOutput<'_>],
    rows: impl IntoIterator<Item = [ToSqlOutput<'v>; N]>,
) -> rusqlite::Result<()> {
    let prepare = |count: usize| -> rusqlite::Result<CachedStatement<'_>> {
        let values = vec![values; count].join(", ");
        let mut statement = connection.prepare_cached(&format!("{head} {values} {tail}"))?;
        for (index, value) in (1..).zip(common) {
            statement.raw_bind_parameter(index, value)?;
        }
        Ok(statement)
    };
    let mut rows = rows.into_iter();
    let mut full = None;
    loop {
        let some: Vec<_> = rows.by_ref().take(ROWS).collect();
        if some.len() < ROWS {
            let mut single = None;
            for row in some {
                let statement = match &mut single {
                    Some(statement) => statement,
                    None => single.insert(prepare(1)?),
                };
                execute_with(statement, common.len(), [row])?;
            }
            return Ok(());
        }
        let statement = match &mut full {
            Some(statement) => statement,
            None => full.insert(prepare(ROWS)?),
        };
        execute_with(statement, common.len(), some)?;
    }
}

fn execute_with<'v, const N: usize>(
    statement: &mut CachedStatement<'_>,
    common: usize,
    rows: impl IntoIterator<Item = [ToSqlOutput<'v>; N]>,
) -> rusqlite::Result<()> {
    for (index, value) in (common + 1..).zip(rows.into_iter().flatten()) {
        statement.raw_bind_parameter(index, value)?;
    }
    statement.raw_execute().map(drop)
}
