//! What a node has to know of an organization to answer from what was answered before: for how long and for whom, what
//! else than the request shapes an answer, and which answers are void.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use gatewright_types::api::{CachePurge, CacheSettings, PurgedAnswers};
use gatewright_types::{CacheNamespace, DisplayName, KeyId, ModelId, TagName, TeamId};
use serde::Serialize;
use sha2::{Digest as _, Sha256};

use crate::{Digest, ModelUnit, Route, UnitBody, UnitId};

/// A model whose answers are kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelCache {
    pub settings: CacheSettings,
    /// Of all that shapes an answer besides the request: the model's route, and the organization's providers and own facts
    /// of models. When it changes, nothing that was kept before is found any more.
    pub policy: Digest,
    /// The route leads elsewhere by what rules see of a request. Only requests that are alike in all of that share answers.
    pub by_rules: bool,
}

/// What an organization voided.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Purges {
    all: Vec<CachePurge>,
}

/// Where an answer that is kept came from.
#[derive(Debug, Clone, Copy)]
pub struct Origin<'a> {
    pub model: ModelId,
    pub key: KeyId,
    pub team: Option<TeamId>,
    pub namespace: Option<&'a CacheNamespace>,
    pub tags: &'a BTreeMap<TagName, DisplayName>,
    /// The newest purge that the node knew of when the request came.
    pub newest_purge: Option<DateTime<Utc>>,
}

/// Of an organization's units, what shapes the answers of all its models.
pub(crate) struct Shape {
    hash: Sha256,
}

impl Shape {
    pub(crate) fn of(units: &BTreeMap<UnitId, UnitBody>) -> Self {
        let mut hash = Sha256::new();
        for (id, body) in units {
            match body {
                // Neither with whom it is paid, nor how it is reached, nor how long is waited.
                UnitBody::Provider(provider) => {
                    let settings = gatewright_types::api::ProviderSettings {
                        timeouts: gatewright_types::api::Timeouts::default(),
                        ..provider.settings.clone()
                    };
                    put(&mut hash, &(id, provider.kind, &provider.base_url, settings));
                }
                UnitBody::Overlay(overlay) => put(&mut hash, &(id, overlay)),
                UnitBody::Organization(_)
                | UnitBody::Team(_)
                | UnitBody::Model(_)
                | UnitBody::Price(_)
                | UnitBody::Key(_)
                | UnitBody::CachePurges(_)
                | UnitBody::Budget(_)
                | UnitBody::Limit(_)
                | UnitBody::Catalog(_) => {}
            }
        }
        Self { hash }
    }

    pub(crate) fn cache_of(&self, model: &ModelUnit, route: &Route) -> Option<ModelCache> {
        let settings = model.settings.cache.clone()?;
        let mut hash = self.hash.clone();
        put(&mut hash, &model.route);
        if !model.settings.shown_model.is_upstream() {
            put(&mut hash, &model.settings.shown_model);
        }
        Some(ModelCache {
            settings,
            policy: Digest::from_bytes(hash.finalize().into()),
            by_rules: route.has_rules(),
        })
    }
}

/// Each part ends with a byte that no JSON text holds.
fn put(hash: &mut Sha256, part: &impl Serialize) {
    let text = serde_json::to_vec(part).expect("our own shapes have text keys and no failing parts");
    hash.update(&text);
    hash.update([0xff]);
}

impl Purges {
    pub(crate) fn of(units: &BTreeMap<UnitId, UnitBody>) -> Self {
        let all = units.values().find_map(|body| match body {
            UnitBody::CachePurges(unit) => Some(unit.purges.clone()),
            _ => None,
        });
        Self {
            all: all.unwrap_or_default(),
        }
    }

    pub fn newest(&self) -> Option<DateTime<Utc>> {
        self.all.iter().map(|purge| purge.at).max()
    }

    /// Whether an answer is void: the request that it is from came before its node knew of a purge that means it. No
    /// clocks are compared, so that those of nodes may differ.
    pub fn void(&self, origin: Origin<'_>) -> bool {
        self.all
            .iter()
            .filter(|purge| Some(purge.at) > origin.newest_purge)
            .any(|purge| match &purge.of {
                PurgedAnswers::Everything => true,
                PurgedAnswers::Model(model) => *model == origin.model,
                PurgedAnswers::Key(key) => *key == origin.key,
                PurgedAnswers::Team(team) => Some(*team) == origin.team,
                PurgedAnswers::Namespace(namespace) => Some(namespace) == origin.namespace,
                PurgedAnswers::Tag(tag) => match (origin.tags.get(&tag.name), &tag.value) {
                    (Some(has), Some(value)) => has == value,
                    (has, None) => has.is_some(),
                    (None, Some(_)) => false,
                },
            })
    }
}

#[cfg(test)]
mod tests {
    use gatewright_types::api::PurgedTag;

    use super::*;

    fn at(second: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(second, 0).expect("a time")
    }

    fn tag(name: &str, value: Option<&str>) -> PurgedAnswers {
        PurgedAnswers::Tag(PurgedTag {
            name: name.parse().expect("a tag"),
            value: value.map(|value| value.parse().expect("a value")),
        })
    }

    #[test]
    fn a_purge_voids_what_it_means_and_nothing_that_came_after_it() {
        let (model, key, team) = (ModelId::mint(), KeyId::mint(), TeamId::mint());
        let namespace: CacheNamespace = "docs".parse().expect("a namespace");
        let tags = BTreeMap::from([("project".parse().expect("a tag"), "apollo".parse().expect("a value"))]);
        let origin = Origin {
            model,
            key,
            team: Some(team),
            namespace: Some(&namespace),
            tags: &tags,
            newest_purge: Some(at(5)),
        };
        let void = |of: PurgedAnswers, second| {
            let purges = Purges {
                all: vec![CachePurge { of, at: at(second) }],
            };
            purges.void(origin)
        };

        for of in [
            PurgedAnswers::Everything,
            PurgedAnswers::Model(model),
            PurgedAnswers::Key(key),
            PurgedAnswers::Team(team),
            PurgedAnswers::Namespace(namespace.clone()),
            tag("project", Some("apollo")),
            tag("project", None),
        ] {
            assert!(void(of.clone(), 6), "{of:?}");
            assert!(!void(of.clone(), 5), "the node knew of it: {of:?}");
        }
        for of in [
            PurgedAnswers::Model(ModelId::mint()),
            PurgedAnswers::Key(KeyId::mint()),
            PurgedAnswers::Team(TeamId::mint()),
            PurgedAnswers::Namespace("other".parse().expect("a namespace")),
            tag("project", Some("gemini")),
            tag("tier", Some("apollo")),
            tag("tier", None),
        ] {
            assert!(!void(of.clone(), 6), "{of:?}");
        }
        let earlier = Origin {
            newest_purge: None,
            ..origin
        };
        let everything = Purges {
            all: vec![CachePurge {
                of: PurgedAnswers::Everything,
                at: at(1),
            }],
        };
        assert!(everything.void(earlier) && !everything.void(origin));
    }
}
