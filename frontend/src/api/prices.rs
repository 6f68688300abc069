//! The organization's own prices, and which price would apply.

use gatewright_types::api::{NewPrice, Price, PriceLookup, PriceQuery};
use gatewright_types::{Page, PriceId};

use super::{Pending, body, page, with_query};
use crate::session::Workspace;

impl Workspace {
    pub(crate) fn prices(self, cursor: Option<String>) -> Pending<Page<Price>> {
        self.api.get(with_query(&self.path("prices"), &page(cursor)))
    }

    pub(crate) fn create_price(self, price: &NewPrice) -> Pending<Price> {
        self.api.post(self.path("prices"), body(price))
    }

    pub(crate) fn delete_price(self, price: PriceId) -> Pending<()> {
        self.api.delete(self.path(&format!("prices/{price}")))
    }

    pub(crate) fn look_up_price(self, query: &PriceQuery) -> Pending<PriceLookup> {
        self.api.get(with_query(&self.path("prices/lookup"), query))
    }
}
