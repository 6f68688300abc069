//! Data-plane keys.

use gatewright_types::api::{Key, KeyChange, MintedKey, NewKey, NewRotation, RotatedKey};
use gatewright_types::{KeyId, Page};

use super::{Answer, body, longest_page, page, with_query};
use crate::session::Workspace;

impl Workspace {
    pub(crate) async fn keys(self, cursor: Option<String>) -> Answer<Page<Key>> {
        self.api.get(with_query(&self.path("keys"), &page(cursor))).await
    }

    pub(crate) async fn key(self, key: KeyId) -> Answer<Key> {
        self.api.get(self.path(&format!("keys/{key}"))).await
    }

    /// The keys to choose from.
    pub(crate) async fn key_choices(self) -> Answer<Page<Key>> {
        self.api.get(with_query(&self.path("keys"), &longest_page())).await
    }

    pub(crate) async fn mint_key(self, key: &NewKey) -> Answer<MintedKey> {
        self.api.post(self.path("keys"), body(key)).await
    }

    pub(crate) async fn change_key(self, key: KeyId, change: &KeyChange) -> Answer<Key> {
        self.api.patch(self.path(&format!("keys/{key}")), body(change)).await
    }

    pub(crate) async fn rotate_key(self, key: KeyId, rotation: &NewRotation) -> Answer<RotatedKey> {
        self.api
            .post(self.path(&format!("keys/{key}/rotation")), body(rotation))
            .await
    }

    pub(crate) async fn end_key_rotation(self, key: KeyId) -> Answer<()> {
        self.api.delete(self.path(&format!("keys/{key}/rotation"))).await
    }

    pub(crate) async fn disable_key(self, key: KeyId) -> Answer<()> {
        let disabled: Answer<Key> = self
            .api
            .post(self.path(&format!("keys/{key}/disabling")), body(&()))
            .await;
        disabled.map(drop)
    }

    pub(crate) async fn enable_key(self, key: KeyId) -> Answer<()> {
        self.api.delete(self.path(&format!("keys/{key}/disabling"))).await
    }

    pub(crate) async fn revoke_key(self, key: KeyId) -> Answer<()> {
        self.api.delete(self.path(&format!("keys/{key}"))).await
    }
}
