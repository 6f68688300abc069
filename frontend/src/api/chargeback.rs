//! What months came to and who bears it, and the lock that keeps a month as it is.

use gatewright_types::api::{Chargeback, ChargebackMonth, ChargebackMonthQuery, ChargebackQuery, ChargebackUnlock};
use gatewright_types::{Month, Page};

use super::{Method, Pending, body, longest_page, with_query};
use crate::session::Workspace;

impl Workspace {
    pub(crate) fn chargeback(self, query: &ChargebackQuery) -> Pending<Chargeback> {
        self.api.get(with_query(&self.path("chargeback"), query))
    }

    pub(crate) fn chargeback_months(self) -> Pending<Page<ChargebackMonth>> {
        self.api
            .get(with_query(&self.path("chargeback/months"), &longest_page()))
    }

    pub(crate) fn lock_month(self, month: Month) -> Pending<()> {
        let path = self.path(&format!("chargeback/{month}/lock"));
        self.api.order(Method::POST, path, Some(body(&())))
    }

    pub(crate) fn unlock_month(self, month: Month, reason: String) -> Pending<()> {
        let path = self.path(&format!("chargeback/{month}/lock"));
        self.api.delete(with_query(&path, &ChargebackUnlock { reason }))
    }

    /// Where the browser downloads a month's charges from.
    pub(crate) fn focus_href(self, month: Month) -> String {
        let path = self.path("chargeback/focus.csv");
        format!("/api/v1/{}", with_query(&path, &ChargebackMonthQuery { month }))
    }
}
