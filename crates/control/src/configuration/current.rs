//! What an organization has, read as far as a document speaks of it.

use std::collections::HashMap;

use gatewright_contract::{Digest, NetworkUnit};
use gatewright_store::{BudgetRow, DatabaseError, ListError, ModelRow, Scope, SealedCredential};
use gatewright_types::api::{
    Document, Key, KeyEntry, LimitScopeQuery, Member, Organization, Overlay, Price, Provider, RateLimit, ScopeKind,
    ServiceAccount, Team, TeamEntry, Token,
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
    pub(super) budgets: Vec<BudgetRow>,
    pub(super) limits: Vec<RateLimit>,
}

impl Current {
    pub(super) async fn read(
        scope: &Scope<'_>,
        organization: Organization,
        document: &Document,
    ) -> Result<Self, DatabaseError> {
        let mut current = Self::empty(organization);
        current.read_caps(scope, document).await?;
        let caps = speaks_of_caps(document) || !current.budgets.is_empty() || !current.limits.is_empty();
        if caps || document.members.is_some() || document.keys.is_some() {
            current.members = all(async |query| scope.members(&query).await).await?;
        }
        let with_accounts = document.service_accounts.is_some() || document.keys.is_some();
        if with_accounts {
            current.service_accounts = all(async |query| scope.service_accounts(&query).await).await?;
        }
        if caps || document.teams.is_some() || with_accounts {
            current.teams = all(async |query| scope.teams(&query).await).await?;
        }
        // A provider cannot go while a model leads to it, and a model cannot come without its provider.
        // Keys, budgets and limits name both.
        if caps || document.providers.is_some() || document.models.is_some() || document.keys.is_some() {
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
        if speaks_of_keys(document) {
            current.keys = all(async |query| scope.active_keys(&query).await).await?;
            let ids: HashMap<&str, KeyId> = current.keys.iter().map(|key| (key.name.as_str(), key.id)).collect();
            let entries = document.keys.iter().flatten();
            for entry in entries.filter(|entry| entry.secret.is_some()) {
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

    /// Those of keys only where a document may change them: there may be as many as there are keys.
    async fn read_caps(&mut self, scope: &Scope<'_>, document: &Document) -> Result<(), DatabaseError> {
        for kind in ScopeKind::ALL {
            if *kind == ScopeKind::Key && !speaks_of_keys(document) {
                continue;
            }
            let of_kind = |query: PageQuery| LimitScopeQuery {
                limit: query.limit,
                cursor: query.cursor,
                scope: Some(*kind),
                subject: None,
            };
            let budgets = all(async |query| scope.budgets(&of_kind(query)).await).await?;
            self.budgets.extend(budgets);
            let limits = all(async |query| scope.limits(&of_kind(query)).await).await?;
            self.limits.extend(limits);
        }
        Ok(())
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
            budgets: Vec::new(),
            limits: Vec::new(),
        }
    }
}

fn speaks_of_keys(document: &Document) -> bool {
    document.keys.is_some() || document.budgets.is_some() || document.limits.is_some()
}

fn speaks_of_caps(document: &Document) -> bool {
    let at_keys = |entry: &KeyEntry| entry.budgets.is_some() || entry.limits.is_some();
    let at_teams = |entry: &TeamEntry| entry.budgets.is_some() || entry.limits.is_some();
    document.budgets.is_some()
        || document.limits.is_some()
        || document.keys.iter().flatten().any(at_keys)
        || document.teams.iter().flatten().any(at_teams)
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
