//! What an organization has, read as far as a document speaks of it.

use std::collections::HashMap;

use gatewright_contract::{Digest, NetworkUnit};
use gatewright_store::{DatabaseError, ListError, ModelRow, Scope, SealedCredential};
use gatewright_types::api::{
    Document, Key, Member, Organization, Overlay, Price, Provider, ServiceAccount, Team, Token,
};
use gatewright_types::{KeyId, Page, PageQuery, ProviderId, TokenId};

/// The lists a document does not name stay empty, unless something it names depends on them.
#[derive(Debug)]
pub(super) struct Current {
    pub(super) organization: Organization,
    pub(super) members: Vec<Member>,
    pub(super) teams: Vec<Team>,
    pub(super) service_accounts: Vec<ServiceAccount>,
    pub(super) providers: Vec<(Provider, Vec<SealedCredential>)>,
    pub(super) networks: HashMap<ProviderId, NetworkUnit>,
    pub(super) models: Vec<ModelRow>,
    pub(super) prices: Vec<Price>,
    pub(super) overlays: Vec<Overlay>,
    pub(super) tokens: Vec<Token>,
    pub(super) token_digests: HashMap<TokenId, Digest>,
    pub(super) keys: Vec<Key>,
    pub(super) key_digests: HashMap<KeyId, Digest>,
}

impl Current {
    pub(super) async fn read(
        scope: &Scope<'_>,
        organization: Organization,
        document: &Document,
    ) -> Result<Self, DatabaseError> {
        let mut current = Self::empty(organization);
        if document.members.is_some() || document.keys.is_some() {
            current.members = all(async |query| scope.members(&query).await).await?;
        }
        let with_accounts = document.service_accounts.is_some() || document.keys.is_some();
        if with_accounts {
            current.service_accounts = all(async |query| scope.service_accounts(&query).await).await?;
        }
        if document.teams.is_some() || with_accounts {
            current.teams = all(async |query| scope.teams(&query).await).await?;
        }
        // A provider cannot go while a model leads to it, and a model cannot come without its provider.
        // Keys name both.
        if document.providers.is_some() || document.models.is_some() || document.keys.is_some() {
            for provider in all(async |query| scope.providers(&query).await).await? {
                let sealed = scope.sealed_credentials(provider.id).await?;
                if let Some(network) = scope.sealed_network(provider.id).await? {
                    current.networks.insert(provider.id, network);
                }
                current.providers.push((provider, sealed));
            }
            current.models = all(async |query| scope.models(&query).await).await?;
        }
        if document.prices.is_some() {
            current.prices = all(async |query| scope.prices(&query).await).await?;
        }
        if document.catalog.is_some() {
            current.overlays = all(async |query| scope.overlays(&query).await).await?;
        }
        if let Some(entries) = &document.tokens {
            current.tokens = all(async |query| scope.tokens(&query).await).await?;
            for entry in entries.iter().filter(|entry| entry.secret.is_some()) {
                let Some(token) = current.tokens.iter().find(|token| token.name == entry.name) else {
                    continue;
                };
                if let Some(digest) = scope.token_digest(token.id).await? {
                    current.token_digests.insert(token.id, digest);
                }
            }
        }
        if let Some(entries) = &document.keys {
            current.keys = all(async |query| scope.active_keys(&query).await).await?;
            let ids: HashMap<&str, KeyId> = current.keys.iter().map(|key| (key.name.as_str(), key.id)).collect();
            for entry in entries.iter().filter(|entry| entry.secret.is_some()) {
                let Some(id) = ids.get(entry.name.as_str()) else {
                    continue;
                };
                if let Some(digest) = scope.key_digest(*id).await? {
                    current.key_digests.insert(*id, digest);
                }
            }
        }
        Ok(current)
    }

    pub(super) fn empty(organization: Organization) -> Self {
        Self {
            organization,
            members: Vec::new(),
            teams: Vec::new(),
            service_accounts: Vec::new(),
            providers: Vec::new(),
            networks: HashMap::new(),
            models: Vec::new(),
            prices: Vec::new(),
            overlays: Vec::new(),
            tokens: Vec::new(),
            token_digests: HashMap::new(),
            keys: Vec::new(),
            key_digests: HashMap::new(),
        }
    }
}

/// Every item of a list, page by page.
pub(crate) async fn all<T>(
    mut page: impl AsyncFnMut(PageQuery) -> Result<Page<T>, ListError>,
) -> Result<Vec<T>, DatabaseError> {
    let mut items = Vec::new();
    let mut cursor = None;
    loop {
        let part = match page(PageQuery {
            limit: Some(PageQuery::LONGEST),
            cursor: cursor.take(),
        })
        .await
        {
            Ok(part) => part,
            Err(ListError::Database(error)) => return Err(error),
            Err(ListError::BadCursor) => unreachable!("the list gave the cursor out itself"),
        };
        items.extend(part.items);
        match part.next_cursor {
            Some(next) => cursor = Some(next),
            None => return Ok(items),
        }
    }
}
