//! What a route can look at in a request besides what it needs, taken down so that it can be decided by again.

use std::collections::BTreeMap;

use gatewright_cel::Keys;
use gatewright_contract::Strategy;
use gatewright_types::api::LookedAt;

use crate::Situation;
use crate::facts::REGION;
use crate::said::{SESSION, TASK};

/// Paths of conditions.
pub(crate) const HEADERS: &str = "request.headers";
pub(crate) const METADATA: &str = "request.metadata";

/// Of headers and labels those that a condition of the model's route names. Nothing where the route leads to one target
/// whatever it is asked.
pub fn looked_at(situation: &Situation<'_>) -> Option<LookedAt> {
    if let Strategy::Target(_) = situation.model.route.strategy {
        return None;
    }
    let asked = &situation.asked;
    let mut kept = LookedAt::default();
    for condition in situation.model.route.conditions() {
        for name in condition.keys_of(HEADERS).named {
            keep(&mut kept.headers, name, |name| {
                asked.headers.get(name).map(str::to_owned)
            });
        }
        for name in condition.keys_of(METADATA).named {
            let label = |name: &str| Some(asked.request?.metadata(name)?.into_owned());
            keep(&mut kept.metadata, name, label);
        }
    }
    let ties = [
        (SESSION, asked.session()),
        (TASK, asked.task()),
        (REGION, asked.in_header_or_label(REGION, "region")),
    ];
    for (name, value) in ties {
        if let Some(value) = value {
            keep(&mut kept.headers, name.to_owned(), |_| Some(value.into_owned()));
        }
    }
    Some(kept)
}

/// Which of the names that a condition goes by are not in what was kept.
pub(crate) fn missing(keys: &Keys, kept: impl Fn(&str) -> bool) -> impl Iterator<Item = &str> {
    keys.named.iter().map(String::as_str).filter(move |name| !kept(name))
}

fn keep(kept: &mut BTreeMap<String, Option<String>>, name: String, value: impl FnOnce(&str) -> Option<String>) {
    if kept.len() >= LookedAt::MOST_NAMES || name.chars().count() > LookedAt::LONGEST_CHARS {
        return;
    }
    let value = value(&name);
    let is_short = |value: &String| value.chars().count() <= LookedAt::LONGEST_CHARS;
    if value.as_ref().is_none_or(is_short) {
        kept.insert(name, value);
    }
}
