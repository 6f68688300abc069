//! What is known of the targets of a route: price, abilities, life. Looked up once each, after typing has paused.

use std::collections::{BTreeMap, BTreeSet};

use gatewright_types::Target;
use gatewright_types::api::{
    BreakerState, CatalogEntry, CatalogEntryQuery, PriceLookup, PriceQuery, Provider, ProviderKind, TargetHealth,
};
use gloo_timers::future::TimeoutFuture;
use leptos::prelude::*;
use leptos::task::spawn_local;

use super::state::Editor;
use crate::load::{Load, Loader};
use crate::route::Strategy;
use crate::session::Workspace;

/// How long typing has to pause before anything is looked up.
pub(super) const PAUSE_MILLIS: u32 = 400;

#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct TargetFacts {
    pub(crate) price: Option<PriceLookup>,
    pub(crate) entry: Option<CatalogEntry>,
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct Facts {
    workspace: Workspace,
    pub(super) providers: Loader<Vec<Provider>>,
    health: Loader<Vec<TargetHealth>>,
    known: RwSignal<BTreeMap<String, TargetFacts>>,
    asked: StoredValue<BTreeSet<String>>,
}

impl Facts {
    pub(crate) fn new(workspace: Workspace) -> Self {
        let providers = Loader::items(move || workspace.provider_choices());
        let health = Loader::items(move || workspace.targets());
        Self {
            workspace,
            providers,
            health,
            known: RwSignal::default(),
            asked: StoredValue::default(),
        }
    }

    /// Looks up what the tree leads to, now and whenever it changes.
    pub(super) fn follow(self, editor: Editor) {
        let turn = StoredValue::new(0_u32);
        Effect::new(move |_| {
            // A change of the providers may make a target known that was not.
            self.providers.state.track();
            let targets = targets(editor);
            turn.update_value(|turn| *turn = turn.wrapping_add(1));
            let mine = turn.get_value();
            spawn_local(async move {
                TimeoutFuture::new(PAUSE_MILLIS).await;
                if turn.try_get_value() == Some(mine) {
                    for target in targets {
                        self.look_up(target);
                    }
                }
            });
        });
    }

    pub(super) fn of(self, target: &str) -> Option<TargetFacts> {
        self.known.with(|known| known.get(target).cloned())
    }

    /// How a target does, as far as the nodes know.
    pub(super) fn health(self, provider: &str, model: &str) -> Option<BreakerState> {
        self.health.state.with(|state| match state {
            Load::Ready(targets) => targets
                .iter()
                .find(|target| target.provider.as_str() == provider && target.model.as_str() == model)
                .map(|target| target.state),
            Load::Waiting | Load::Failed(_) => None,
        })
    }

    pub(super) fn kind(self, provider: &str) -> Option<ProviderKind> {
        self.providers.state.with(|state| match state {
            Load::Ready(providers) => providers
                .iter()
                .find(|known| known.name.as_str() == provider)
                .map(|known| known.kind),
            Load::Waiting | Load::Failed(_) => None,
        })
    }

    fn look_up(self, target: Target) {
        let name = target.to_string();
        let Some(kind) = untrack(|| self.kind(target.provider.as_str())) else {
            return;
        };
        if self.asked.try_update_value(|asked| asked.insert(name.clone())) != Some(true) {
            return;
        }
        let Self { workspace, known, .. } = self;
        spawn_local(async move {
            let Target { provider, model } = target;
            let entry = CatalogEntryQuery {
                kind,
                model: model.clone(),
            };
            // What cannot be looked up is not shown; nothing depends on it.
            let facts = TargetFacts {
                price: workspace.look_up_price(&PriceQuery { provider, model }).await.ok(),
                entry: workspace.catalog_entry(&entry).await.ok(),
            };
            let _left = known.try_update(|known| known.insert(name, facts));
        });
    }
}

fn targets(editor: Editor) -> Vec<Target> {
    editor.with(|draft| {
        let nodes = draft.walk().into_iter().map(|visit| visit.node);
        let leaves = nodes.filter(|node| node.strategy == Strategy::Target);
        leaves
            .filter_map(|node| {
                Some(Target {
                    provider: node.leaf.provider.trim().parse().ok()?,
                    model: node.leaf.model.trim().parse().ok()?,
                })
            })
            .collect()
    })
}
