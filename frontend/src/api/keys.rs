//! Data-plane keys.

use gatewright_types::api::{Key, KeyChange, MintedKey, NewKey, NewRotation, RotatedKey};
use gatewright_types::{KeyId, Page};

use super::{Method, Pending, body, longest_page, page, with_query};
use crate::session::Workspace;

impl Workspace {
    pub(crate) fn keys(self, cursor: Option<String>) -> Pending<Page<Key>> {
        self.api.get(with_query(&self.path("keys"), &page(cursor)))
    }

    pub(crate) fn key(self, key: KeyId) -> Pending<Key> {
        self.api.get(self.path(&format!("keys/{key}")))
    }

    /// The keys to choose from.
    pub(crate) fn key_choices(self) -> Pending<Page<Key>> {
        self.api.get(with_query(&self.path("keys"), &longest_page()))
    }

    pub(crate) fn mint_key(self, key: &NewKey) -> Pending<MintedKey> {
        self.api.post(self.path("keys"), body(key))
    }

    pub(crate) fn change_key(self, key: KeyId, change: &KeyChange) -> Pending<Key> {
        self.api.patch(self.path(&format!("keys/{key}")), body(change))
    }

    pub(crate) fn rotate_key(self, key: KeyId, rotation: &NewRotation) -> Pending<RotatedKey> {
        self.api
            .post(self.path(&format!("keys/{key}/rotation")), body(rotation))
    }

    pub(crate) fn end_key_rotation(self, key: KeyId) -> Pending<()> {
        self.api.delete(self.path(&format!("keys/{key}/rotation")))
    }

    pub(crate) fn disable_key(self, key: KeyId) -> Pending<()> {
        let path = self.path(&format!("keys/{key}/disabling"));
        self.api.order(Method::POST, path, Some(body(&())))
    }

    pub(crate) fn enable_key(self, key: KeyId) -> Pending<()> {
        self.api.delete(self.path(&format!("keys/{key}/disabling")))
    }

    pub(crate) fn revoke_key(self, key: KeyId) -> Pending<()> {
        self.api.delete(self.path(&format!("keys/{key}")))
    }
}
