//! Control-plane tokens.

use gatewright_types::api::{MintedToken, NewToken, Token};
use gatewright_types::{Page, TokenId};

use super::{Pending, body, page, with_query};
use crate::session::Workspace;

impl Workspace {
    pub(crate) fn tokens(self, cursor: Option<String>) -> Pending<Page<Token>> {
        self.api.get(with_query(&self.path("tokens"), &page(cursor)))
    }

    pub(crate) fn mint_token(self, token: &NewToken) -> Pending<MintedToken> {
        self.api.post(self.path("tokens"), body(token))
    }

    pub(crate) fn delete_token(self, token: TokenId) -> Pending<()> {
        self.api.delete(self.path(&format!("tokens/{token}")))
    }
}
