//! The catalogue as somebody sees it: with an organization's own facts, or as it is.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};
use gatewright_contract::{Catalog, KnownModel, OwnFacts};
use gatewright_store::{DatabaseError, Scope};
use gatewright_types::api::{CatalogEntry, CatalogQuery, Lifecycle, Overlay, ProviderKind};
use gatewright_types::{Page, PageQuery, UpstreamModel};

use crate::configuration::all;
use crate::error::ApiError;

#[derive(Debug)]
pub(crate) struct View {
    pub(crate) catalog: Catalog,
    pub(crate) own: OwnFacts,
    overlays: Vec<Overlay>,
    at: DateTime<Utc>,
}

impl View {
    /// As it is for everybody.
    pub(crate) fn plain(catalog: Catalog, at: DateTime<Utc>) -> Self {
        Self {
            catalog,
            own: OwnFacts::default(),
            overlays: Vec::new(),
            at,
        }
    }

    /// As it is for an organization.
    pub(crate) async fn of(scope: &Scope<'_>, catalog: Catalog, at: DateTime<Utc>) -> Result<Self, DatabaseError> {
        let overlays: Vec<Overlay> = all(async |query| scope.overlays(&query).await).await?;
        let mut own = OwnFacts::default();
        for overlay in &overlays {
            // It was compiled when it was written.
            if let Err(name) = own.add(overlay.kind, &overlay.model, &overlay.facts) {
                tracing::error!(overlay.id = %overlay.id, "{name} stands for two models");
            }
        }
        Ok(Self {
            catalog,
            own,
            overlays,
            at,
        })
    }

    pub(crate) fn lifecycle(&self, kind: ProviderKind, model: &UpstreamModel) -> Option<Lifecycle> {
        let known = self.own.find(&self.catalog, kind, model, self.at)?;
        Some(known.model.lifecycle(self.at))
    }

    /// One entry, by its name or an alias.
    pub(crate) fn entry(&self, kind: ProviderKind, model: &UpstreamModel) -> Option<CatalogEntry> {
        let known = self.own.find(&self.catalog, kind, model, self.at)?;
        Some(self.told(kind, known))
    }

    /// By kind and name. The cursor is the last entry given out.
    pub(crate) fn list(&self, query: &CatalogQuery) -> Result<Page<CatalogEntry>, ApiError> {
        let after = query.cursor.as_deref().map(place_of).transpose()?;
        let size = PageQuery {
            limit: query.limit,
            cursor: None,
        }
        .size();
        let mut kinds = ProviderKind::ALL.to_vec();
        kinds.retain(|kind| query.kind.is_none_or(|asked| asked == *kind));
        kinds.sort_by_key(|kind| kind.as_str());
        let found = kinds.into_iter().flat_map(|kind| {
            let all = self.own.all(&self.catalog, kind, self.at).into_iter();
            all.map(move |known| (kind, known))
        });
        let mut items: Vec<_> = found
            .filter(|(kind, known)| {
                let place = (kind.as_str(), known.name.as_str());
                after
                    .as_ref()
                    .is_none_or(|(kind, name)| place > (kind.as_str(), name.as_str()))
            })
            .filter(|(_, known)| self.matches(query, known))
            .take(usize::from(size) + 1)
            .map(|(kind, known)| self.told(kind, known))
            .collect();
        let more = items.len() > usize::from(size);
        items.truncate(usize::from(size));
        let last = items.last().filter(|_| more);
        let next_cursor = last.map(|entry| URL_SAFE_NO_PAD.encode(format!("{} {}", entry.kind.as_str(), entry.model)));
        Ok(Page { items, next_cursor })
    }

    fn matches(&self, query: &CatalogQuery, known: &KnownModel<'_>) -> bool {
        let KnownModel { name, model, .. } = known;
        let has = |text: &str| {
            let within = |name: &UpstreamModel| name.as_str().to_lowercase().contains(text);
            within(name) || model.aliases.iter().any(within)
        };
        query.text.as_ref().is_none_or(|text| has(&text.trim().to_lowercase()))
            && query
                .capability
                .is_none_or(|capability| model.capabilities.contains(capability))
            && query.stage.is_none_or(|stage| model.lifecycle(self.at).stage == stage)
    }

    fn told(&self, kind: ProviderKind, known: KnownModel<'_>) -> CatalogEntry {
        let KnownModel { name, model, listed } = known;
        let own = self
            .overlays
            .iter()
            .find(|overlay| overlay.kind == kind && overlay.model == name)
            .cloned();
        CatalogEntry {
            kind,
            capabilities: model.capabilities.to_set(),
            context: model.context,
            max_output: model.max_output,
            lifecycle: model.lifecycle(self.at),
            price: model.price.as_deref().cloned(),
            aliases: model.aliases,
            source: listed.map(|listed| listed.edition.source()),
            own,
            model: name,
        }
    }
}

fn place_of(cursor: &str) -> Result<(String, String), ApiError> {
    let place = URL_SAFE_NO_PAD.decode(cursor).ok().and_then(|bytes| {
        let text = String::from_utf8(bytes).ok()?;
        let (kind, name) = text.split_once(' ')?;
        Some((kind.to_owned(), name.to_owned()))
    });
    place.ok_or_else(|| ApiError::field("cursor", &gatewright_store::ListError::BadCursor))
}
