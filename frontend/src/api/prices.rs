//! The organization's own prices, and which price would apply.

use gatewright_types::api::{NewPrice, Price, PriceLookup, PriceQuery};
use gatewright_types::{Page, PriceId};

use super::{Answer, body, page, with_query};
use crate::session::Workspace;

impl Workspace {
    pub(crate) async fn prices(self, cursor: Option<String>) -> Answer<Page<Price>> {
        self.api.get(with_query(&self.path("prices"), &page(cursor))).await
    }

    pub(crate) async fn create_price(self, price: &NewPrice) -> Answer<Price> {
        self.api.post(self.path("prices"), body(price)).await
    }

    pub(crate) async fn delete_price(self, price: PriceId) -> Answer<()> {
        self.api.delete(self.path(&format!("prices/{price}"))).await
    }

    pub(crate) async fn look_up_price(self, query: &PriceQuery) -> Answer<PriceLookup> {
        self.api.get(with_query(&self.path("prices/lookup"), query)).await
    }
}
