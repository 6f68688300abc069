//! Runs that price requests anew.

use gatewright_types::api::{NewReprice, Reprice};
use gatewright_types::{Page, RepriceId};

use super::{Pending, body, page, with_query};
use crate::session::Workspace;

impl Workspace {
    pub(crate) fn reprices(self, cursor: Option<String>) -> Pending<Page<Reprice>> {
        self.api.get(with_query(&self.path("reprice"), &page(cursor)))
    }

    pub(crate) fn reprice(self, run: RepriceId) -> Pending<Reprice> {
        self.api.get(self.path(&format!("reprice/{run}")))
    }

    pub(crate) fn begin_reprice(self, new: &NewReprice) -> Pending<Reprice> {
        self.api.post(self.path("reprice"), body(new))
    }

    pub(crate) fn cancel_reprice(self, run: RepriceId) -> Pending<Reprice> {
        self.api.post(self.path(&format!("reprice/{run}/cancel")), body(&()))
    }
}
