//! The one way to page: newest first by identifier, a cursor that is the last one given out, one row more than asked to
//! know whether there is a next page. There is no offset, so the tenth page costs what the first one costs.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use gatewright_types::{Page, PageQuery};
use sea_orm::{ColumnTrait, DbErr, EntityTrait, QueryFilter as _, QueryOrder as _, QuerySelect as _, Select};
use uuid::Uuid;

use crate::error::ListError;

/// Which part of a list is asked for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Part {
    size: u64,
    before: Option<Uuid>,
}

impl Part {
    pub(crate) fn asked(query: &PageQuery) -> Result<Self, ListError> {
        let before = query.cursor.as_deref().map(parse).transpose()?;
        Ok(Self {
            size: u64::from(query.size()),
            before,
        })
    }

    /// Narrows a query to the rows of this part and one more.
    pub(crate) fn of<E: EntityTrait>(self, select: Select<E>, id: E::Column) -> Select<E> {
        let select = match self.before {
            Some(before) => select.filter(id.lt(before)),
            None => select,
        };
        select.order_by_desc(id).limit(self.size + 1)
    }

    /// Makes a page of what the narrowed query gave.
    pub(crate) fn page<M, T>(
        self,
        mut rows: Vec<M>,
        id: impl Fn(&M) -> Uuid,
        read: impl FnMut(M) -> Result<T, DbErr>,
    ) -> Result<Page<T>, ListError> {
        let size = usize::try_from(self.size).unwrap_or(usize::MAX);
        let more = rows.len() > size;
        rows.truncate(size);
        let next_cursor = rows
            .last()
            .filter(|_| more)
            .map(|row| URL_SAFE_NO_PAD.encode(id(row).as_bytes()));
        let items = rows.into_iter().map(read).collect::<Result<_, _>>()?;
        Ok(Page { items, next_cursor })
    }
}

fn parse(cursor: &str) -> Result<Uuid, ListError> {
    let bytes = URL_SAFE_NO_PAD.decode(cursor).map_err(|_| ListError::BadCursor)?;
    Uuid::from_slice(&bytes).map_err(|_| ListError::BadCursor)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_of_another_make_is_refused() {
        for cursor in ["", "x", "AAAA", "not base64 at all", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"] {
            let query = PageQuery {
                limit: None,
                cursor: Some(cursor.to_owned()),
            };
            assert!(matches!(Part::asked(&query), Err(ListError::BadCursor)), "{cursor:?}");
        }
    }
}
