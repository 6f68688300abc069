//! Control-plane tokens.

use gatewright_types::api::{MintedToken, NewToken, Token};
use gatewright_types::{Page, TokenId};

use super::{Answer, body, page, with_query};
use crate::session::Workspace;

impl Workspace {
    pub(crate) async fn tokens(self, cursor: Option<String>) -> Answer<Page<Token>> {
        self.api.get(with_query(&self.path("tokens"), &page(cursor))).await
    }

    pub(crate) async fn mint_token(self, token: &NewToken) -> Answer<MintedToken> {
        self.api.post(self.path("tokens"), body(token)).await
    }

    pub(crate) async fn delete_token(self, token: TokenId) -> Answer<()> {
        self.api.delete(self.path(&format!("tokens/{token}"))).await
    }
}
