//! The handle for the few queries that belong to no single organization: signing in, looking up by digest, the
//! configuration feed, taking in usage. They are in the file of their resource, and few enough to be read all.

use crate::db::Db;

/// Queries that belong to no single organization. Each is named for its one purpose.
#[derive(Debug, Clone, Copy)]
pub struct System<'a> {
    pub(crate) db: &'a Db,
}
