//! Rows that go in by a few statements of fixed widths, which the driver keeps prepared. Their texts are long, so each is
//! written once and kept, too.

use std::sync::OnceLock;

use sea_orm::{ConnectionTrait as _, DatabaseTransaction, DbBackend, DbErr, Statement, Value};

/// How many rows a statement takes; rows are cut into these, the widest first. Each statement is a way to the database and
/// back. Sums come in threes: by minute, hour and day.
const WIDTHS: [usize; 5] = [128, 48, 12, 3, 1];

/// Cuts rows into portions of the fixed widths.
pub(crate) fn portions<T>(mut rows: &[T]) -> impl Iterator<Item = &[T]> {
    std::iter::from_fn(move || {
        let width = WIDTHS.into_iter().find(|width| *width <= rows.len())?;
        let (portion, rest) = rows.split_at(width);
        rows = rest;
        Some(portion)
    })
}

/// One statement in every width, for either database.
pub(crate) struct Wide {
    write: fn(DbBackend, usize) -> String,
    sqlite: [OnceLock<String>; WIDTHS.len()],
    postgres: [OnceLock<String>; WIDTHS.len()],
}

impl Wide {
    /// `write` gives the text for a number of rows.
    pub(crate) const fn new(write: fn(DbBackend, usize) -> String) -> Self {
        Self {
            write,
            sqlite: [const { OnceLock::new() }; WIDTHS.len()],
            postgres: [const { OnceLock::new() }; WIDTHS.len()],
        }
    }

    /// The text that takes a portion of this many rows.
    pub(crate) fn text(&self, backend: DbBackend, rows: usize) -> String {
        let kept = match backend {
            DbBackend::Postgres => &self.postgres,
            _ => &self.sqlite,
        };
        let place = WIDTHS.iter().zip(kept).find(|(width, _)| **width == rows);
        match place {
            Some((_, kept)) => kept.get_or_init(|| (self.write)(backend, rows)).clone(),
            None => (self.write)(backend, rows),
        }
    }
}

/// Writes rows a portion at a time. Those of sums come in the order of their key, so that two writers never wait for each
/// other in a circle.
pub(crate) async fn write<R, V>(
    transaction: &DatabaseTransaction,
    statement: &Wide,
    rows: &[R],
    values: impl Fn(&R) -> V,
) -> Result<(), DbErr>
where
    V: IntoIterator<Item = Value>,
{
    let backend = transaction.get_database_backend();
    for portion in portions(rows) {
        let sql = statement.text(backend, portion.len());
        let values: Vec<_> = portion.iter().flat_map(&values).collect();
        transaction
            .execute_raw(Statement::from_sql_and_values(backend, sql, values))
            .await?;
    }
    Ok(())
}

/// How a statement of many rows begins that fails together with its transaction. SQLite would otherwise keep a second
/// journal to undo the statement alone, in a file of its own, with a copy of every page that the statement touches.
pub(crate) fn insert_of_many(backend: DbBackend) -> &'static str {
    match backend {
        DbBackend::Sqlite => "INSERT OR FAIL",
        _ => "INSERT",
    }
}

/// Appends `(?, ?), (?, ?)`, or `($1, $2), ($3, $4)` for PostgreSQL, after so many that are there already.
pub(crate) fn placeholders(sql: &mut String, backend: DbBackend, before: usize, rows: usize, columns: usize) {
    for row in 0..rows {
        sql.push_str(if row == 0 { "(" } else { ", (" });
        list(sql, backend, before + row * columns, columns);
        sql.push(')');
    }
}

/// Appends `?, ?`, or `$1, $2` for PostgreSQL, after so many that are there already.
pub(crate) fn list(sql: &mut String, backend: DbBackend, before: usize, columns: usize) {
    for number in before + 1..=before + columns {
        if number > before + 1 {
            sql.push_str(", ");
        }
        match backend {
            DbBackend::Postgres => {
                sql.push('$');
                sql.push_str(&number.to_string());
            }
            _ => sql.push('?'),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_is_in_one_portion_and_every_portion_has_a_kept_text() {
        let rows: Vec<_> = (0..243).collect();
        let cut: Vec<_> = portions(&rows).collect();

        assert_eq!(cut.concat(), rows);
        assert!(cut.iter().all(|portion| WIDTHS.contains(&portion.len())));

        static WIDE: Wide = Wide::new(|backend, rows| {
            let mut sql = String::new();
            placeholders(&mut sql, backend, 0, rows, 2);
            sql
        });
        for _ in 0..2 {
            assert_eq!(WIDE.text(DbBackend::Sqlite, 1), "(?, ?)");
            assert_eq!(WIDE.text(DbBackend::Postgres, 3), "($1, $2), ($3, $4), ($5, $6)");
            assert_eq!(WIDE.text(DbBackend::Sqlite, 2), "(?, ?), (?, ?)");
        }
    }
}
