//! How indexes are named: a violated unique one tells by its name which field is taken.

use sea_orm_migration::prelude::{
    ConditionalStatement as _, Expr, ExprTrait as _, ForeignKey, ForeignKeyAction, ForeignKeyCreateStatement, Index,
    IndexCreateStatement,
};

/// A unique index for a field of a table.
pub(crate) fn unique(table: &'static str, field: &'static str, columns: &[&'static str]) -> IndexCreateStatement {
    named(format!("unique__{table}__{field}"), table, columns)
        .unique()
        .to_owned()
}

/// A unique index over the rows that have nothing in a column.
pub(crate) fn unique_where_null(
    table: &'static str,
    field: &'static str,
    columns: &[&'static str],
    absent: &'static str,
) -> IndexCreateStatement {
    unique(table, field, columns)
        .and_where(Expr::col(absent).is_null())
        .to_owned()
}

pub(crate) fn index(table: &'static str, purpose: &'static str, columns: &[&'static str]) -> IndexCreateStatement {
    named(format!("{table}__{purpose}"), table, columns)
}

/// A reference to another table's `id`; the row goes when that one goes.
pub(crate) fn belongs_to(column: &'static str, table: &'static str) -> ForeignKeyCreateStatement {
    ForeignKey::create()
        .from_col(column)
        .to(table, "id")
        .on_delete(ForeignKeyAction::Cascade)
        .to_owned()
}

fn named(name: String, table: &'static str, columns: &[&'static str]) -> IndexCreateStatement {
    let mut index = Index::create().name(name).table(table).to_owned();
    for column in columns {
        index.col(*column);
    }
    index
}
