//! What an edition changes against the catalogue in force, fact by fact, for a person who has to approve it.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use gatewright_types::api::{CatalogDiff, ChangedField, ChangedModel, NamedModel, ProviderKind, Rates};

use super::{Catalog, CatalogModel, Edition};

/// Only kinds of providers that the edition speaks of: about the others it changes nothing.
pub fn diff(before: &Catalog, after: &Edition, at: DateTime<Utc>) -> CatalogDiff {
    let mut diff = CatalogDiff::default();
    let mut kinds: Vec<_> = ProviderKind::ALL
        .into_iter()
        .filter(|kind| after.covers(*kind))
        .collect();
    kinds.sort_by_key(|kind| kind.as_str());
    for kind in kinds {
        let named = |model: &str| NamedModel {
            kind: kind.as_str().to_owned(),
            model: model.to_owned(),
        };
        let by_name = |listed: Vec<super::Listed<'_>>| -> BTreeMap<String, CatalogModel> {
            let pair = |one: super::Listed<'_>| (one.name.to_string(), one.model.clone());
            listed.into_iter().map(pair).collect()
        };
        let (old, new) = (by_name(before.all(kind, at)), by_name(after.all(kind)));
        for (name, model) in &new {
            match old.get(name) {
                None => diff.added.push(named(name)),
                Some(known) if known == model => {}
                Some(known) => {
                    let fields = changed(&facts(known), &facts(model));
                    diff.changed.push(ChangedModel {
                        model: named(name),
                        fields,
                    });
                }
            }
        }
        let gone = old.keys().filter(|name| !new.contains_key(*name));
        diff.removed.extend(gone.map(|name| named(name)));
    }
    diff
}

/// Whether an edition, with this difference, does nothing but add models and aliases. A name by which something was
/// found already is no addition, whatever it was found as: who asks by it would get another price.
pub fn only_adds(before: &Catalog, after: &Edition, diff: &CatalogDiff, at: DateTime<Utc>) -> bool {
    let kind_of = |name: &str| ProviderKind::ALL.into_iter().find(|kind| kind.as_str() == name);
    let is_new = |kind, name: &str| before.find(kind, name, at).is_none();
    let adds_model = |NamedModel { kind, model }: &NamedModel| {
        kind_of(kind).is_some_and(|kind| {
            let mut aliases = after
                .find(kind, model)
                .into_iter()
                .flat_map(|listed| &listed.model.aliases);
            is_new(kind, model) && aliases.all(|alias| is_new(kind, alias.as_str()))
        })
    };
    let adds_alias = |kind: &str, field: &ChangedField| {
        let alias = field.field.strip_prefix("aliases.").filter(|_| field.before.is_none());
        alias.is_some_and(|alias| kind_of(kind).is_some_and(|kind| is_new(kind, alias)))
    };
    let adds_aliases = |changed: &ChangedModel| {
        let mut fields = changed.fields.iter();
        !changed.fields.is_empty() && fields.all(|field| adds_alias(&changed.model.kind, field))
    };
    diff.removed.is_empty() && diff.added.iter().all(adds_model) && diff.changed.iter().all(adds_aliases)
}

fn changed(before: &BTreeMap<String, String>, after: &BTreeMap<String, String>) -> Vec<ChangedField> {
    let mut names: Vec<_> = before.keys().chain(after.keys()).collect();
    names.sort();
    names.dedup();
    names
        .into_iter()
        .filter(|name| before.get(*name) != after.get(*name))
        .map(|name| ChangedField {
            field: name.clone(),
            before: before.get(name).cloned(),
            after: after.get(name).cloned(),
        })
        .collect()
}

/// Every fact of a model as a text under its name.
fn facts(model: &CatalogModel) -> BTreeMap<String, String> {
    let mut facts = BTreeMap::new();
    let mut state = |name: &str, value: Option<String>| {
        if let Some(value) = value {
            facts.insert(name.to_owned(), value);
        }
    };
    state("context", model.context.map(|tokens| tokens.to_string()));
    state("max_output", model.max_output.map(|tokens| tokens.to_string()));
    state("deprecated_on", model.deprecated_on.map(|day| day.to_string()));
    state("sunset_on", model.sunset_on.map(|day| day.to_string()));
    for alias in &model.aliases {
        state(&format!("aliases.{alias}"), Some("yes".to_owned()));
    }
    for capability in model.capabilities.iter() {
        state(&format!("capabilities.{}", capability.as_str()), Some("yes".to_owned()));
    }
    if let Some(price) = &model.price {
        let mut rates = |prefix: &str, rates: &Rates| {
            for (unit, price) in named_rates(rates) {
                state(&format!("{prefix}.{unit}"), price.map(|price| price.to_string()));
            }
        };
        rates("price", &price.rates);
        for tier in &price.tiers {
            rates(&format!("price.above_{}", tier.above_input_tokens), &tier.rates);
        }
        for service in &price.service_tiers {
            let name = format!("price.{}", service.service_tier.as_str());
            rates(&name, &service.rates);
            for tier in &service.tiers {
                rates(&format!("{name}.above_{}", tier.above_input_tokens), &tier.rates);
            }
        }
        state(
            "price.us_only_percent",
            price.us_only_percent.map(|percent| percent.to_string()),
        );
        for other in &price.other {
            state(
                &format!("price.per_{}", other.unit.as_str()),
                Some(other.price.to_string()),
            );
        }
    }
    facts
}

fn named_rates(rates: &Rates) -> [(&'static str, Option<gatewright_types::UnitPrice>); 10] {
    let Rates {
        input,
        output,
        cache_read,
        cache_write_5m,
        cache_write_1h,
        reasoning,
        input_audio,
        output_audio,
        input_image,
        web_search,
    } = rates;
    [
        ("input", *input),
        ("output", *output),
        ("cache_read", *cache_read),
        ("cache_write_5m", *cache_write_5m),
        ("cache_write_1h", *cache_write_1h),
        ("reasoning", *reasoning),
        ("input_audio", *input_audio),
        ("output_audio", *output_audio),
        ("input_image", *input_image),
        ("web_search", *web_search),
    ]
}
