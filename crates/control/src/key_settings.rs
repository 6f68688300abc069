//! What is wrong with the settings of a key that somebody wants: names of nothing, lists that allow nothing, times that make
//! no sense. The same for the API and for a configuration file.

use std::collections::{BTreeMap, HashSet};

use gatewright_contract::is_place;
use gatewright_store::{DatabaseError, Scope};
use gatewright_types::api::{KeyScopes, KeyUpkeep, ProviderSettings};
use gatewright_types::{DisplayName, HumanDuration, IpRange, ModelName, Slug, TagName};

use crate::check::FieldProblem;
use crate::configuration::all;

const MOST_RANGES: usize = 200;
const MOST_TAGS: usize = 32;
const SHORTEST_SPAN: HumanDuration = HumanDuration::from_millis(1_000);
const LONGEST_SPAN: HumanDuration = HumanDuration::from_millis(3_650 * 86_400_000);

/// What there is to name.
#[derive(Debug, Default)]
pub(crate) struct KnownNames {
    pub(crate) models: HashSet<ModelName>,
    pub(crate) providers: HashSet<Slug>,
    pub(crate) places: Vec<ProviderSettings>,
}

/// What of a key is checked.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Wanted<'a> {
    pub(crate) models: Option<&'a [ModelName]>,
    pub(crate) tags: Option<&'a BTreeMap<TagName, DisplayName>>,
    pub(crate) scopes: Option<&'a KeyScopes>,
    pub(crate) upkeep: Option<KeyUpkeep>,
}

/// What a key had before: what is gone by now may stay on its lists.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Before<'a> {
    pub(crate) models: Option<&'a [ModelName]>,
    pub(crate) scopes: Option<&'a KeyScopes>,
}

impl KnownNames {
    pub(crate) async fn read(scope: &Scope<'_>) -> Result<Self, DatabaseError> {
        let models = all(async |query| scope.models(&query).await).await?;
        let providers = all(async |query| scope.providers(&query).await).await?;
        Ok(Self {
            models: models.into_iter().map(|model| model.name).collect(),
            providers: providers.iter().map(|provider| provider.name.clone()).collect(),
            places: providers.into_iter().map(|provider| provider.settings).collect(),
        })
    }
}

impl Wanted<'_> {
    /// It names something that has to be there.
    pub(crate) fn names_something(&self) -> bool {
        let scopes = self.scopes;
        self.models.is_some() || scopes.is_some_and(|scopes| scopes.providers.is_some() || scopes.regions.is_some())
    }
}

/// Everything wrong with it, each with its path within the key.
pub(crate) fn problems(wanted: &Wanted<'_>, before: &Before<'_>, known: &KnownNames) -> Vec<FieldProblem> {
    let mut problems = Vec::new();
    let mut problem = |path: String, message: String| problems.push(FieldProblem { path, message });
    for (index, model) in wanted.models.into_iter().flatten().enumerate() {
        let was_there = before.models.is_some_and(|models| models.contains(model));
        if !was_there && !known.models.contains(model) {
            problem(format!("models[{index}]"), format!("there is no model named {model}"));
        }
    }
    if wanted.tags.is_some_and(|tags| tags.len() > MOST_TAGS) {
        problem("tags".to_owned(), format!("may hold at most {MOST_TAGS}"));
    }
    if let Some(upkeep) = wanted.upkeep {
        for (path, message) in upkeep_problems(upkeep) {
            problem(format!("upkeep.{path}"), message);
        }
    }
    if let Some(scopes) = wanted.scopes {
        problems.extend(scope_problems(scopes, before.scopes, known));
    }
    problems
}

pub(crate) fn range_problems(path: &str, ranges: &[IpRange]) -> impl Iterator<Item = FieldProblem> {
    let too_many = ranges.len() > MOST_RANGES;
    let problem = too_many.then(|| FieldProblem {
        path: path.to_owned(),
        message: format!("may hold at most {MOST_RANGES}"),
    });
    problem.into_iter()
}

fn scope_problems(scopes: &KeyScopes, before: Option<&KeyScopes>, known: &KnownNames) -> Vec<FieldProblem> {
    let mut problems: Vec<_> = range_problems("scopes.ip_ranges", &scopes.ip_ranges).collect();
    let mut problem = |path: String, message: String| problems.push(FieldProblem { path, message });
    let empty = [
        ("endpoints", scopes.endpoints.as_ref().is_some_and(Vec::is_empty)),
        ("providers", scopes.providers.as_ref().is_some_and(Vec::is_empty)),
        ("regions", scopes.regions.as_ref().is_some_and(Vec::is_empty)),
    ];
    for (list, _) in empty.into_iter().filter(|(_, is_empty)| *is_empty) {
        let message = "allows nothing: name at least one, or leave it out to allow all";
        problem(format!("scopes.{list}"), message.to_owned());
    }
    for (index, provider) in scopes.providers.iter().flatten().enumerate() {
        let was_there = before.is_some_and(|before| before.providers.iter().flatten().any(|name| name == provider));
        if !was_there && !known.providers.contains(provider) {
            let message = format!("there is no provider named {provider}");
            problem(format!("scopes.providers[{index}]"), message);
        }
    }
    for (index, region) in scopes.regions.iter().flatten().enumerate() {
        let was_there = before.is_some_and(|before| before.regions.iter().flatten().any(|name| name == region));
        if !was_there && !is_place(region, &known.places) {
            let message =
                format!("{region} is no area that is known here, and no provider is in a region of that name");
            problem(format!("scopes.regions[{index}]"), message);
        }
    }
    let says_nothing = |highest: &gatewright_types::api::HighestPrice| highest.input.or(highest.output).is_none();
    if scopes.highest_price.as_ref().is_some_and(says_nothing) {
        problem(
            "scopes.highest_price".to_owned(),
            "must give `input`, `output` or both".to_owned(),
        );
    }
    problems
}

fn upkeep_problems(upkeep: KeyUpkeep) -> Vec<(&'static str, String)> {
    let mut problems = Vec::new();
    let spans = [
        ("rotate_every", upkeep.rotate_every, SHORTEST_SPAN),
        (
            "disable_overdue_after",
            upkeep.disable_overdue_after,
            HumanDuration::from_millis(0),
        ),
        ("disable_after_idle", upkeep.disable_after_idle, SHORTEST_SPAN),
    ];
    for (path, span, shortest) in spans {
        if span.is_some_and(|span| span < shortest || span > LONGEST_SPAN) {
            problems.push((path, format!("must be from {shortest} to {LONGEST_SPAN}")));
        }
    }
    if upkeep.disable_overdue_after.is_some() && upkeep.rotate_every.is_none() {
        let message = "is for keys with `rotate_every` only: no rotation of this one is ever overdue";
        problems.push(("disable_overdue_after", message.to_owned()));
    }
    problems
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn known() -> KnownNames {
        KnownNames {
            models: HashSet::from(["fast".parse().expect("a name")]),
            providers: HashSet::from(["openai".parse().expect("a name")]),
            places: vec![ProviderSettings {
                region: Some("ap-south-1".parse().expect("a region")),
                ..ProviderSettings::default()
            }],
        }
    }

    fn told(scopes: serde_json::Value, before: serde_json::Value) -> Vec<String> {
        let [scopes, before] = [scopes, before].map(|scopes| serde_json::from_value(scopes).expect("scopes"));
        let wanted = Wanted {
            scopes: Some(&scopes),
            ..Wanted::default()
        };
        let before = Before {
            scopes: Some(&before),
            ..Before::default()
        };
        let found = problems(&wanted, &before, &known());
        found.into_iter().map(|problem| problem.path).collect()
    }

    #[test]
    fn what_names_nothing_or_allows_nothing_is_told() {
        let nothing = || json!({});
        for (scopes, expected) in [
            (
                json!({"providers": ["openai"], "regions": ["eu", "ap-south-1"], "tools": []}),
                &[] as &[&str],
            ),
            (json!({"providers": ["openai", "opnai"]}), &["scopes.providers[1]"]),
            (json!({"regions": ["mars"]}), &["scopes.regions[0]"]),
            (
                json!({"endpoints": [], "providers": [], "regions": []}),
                &["scopes.endpoints", "scopes.providers", "scopes.regions"],
            ),
            (json!({"highest_price": {}}), &["scopes.highest_price"]),
            (json!({"highest_price": {"output": "0"}}), &[]),
        ] {
            assert_eq!(told(scopes.clone(), nothing()), expected, "{scopes}");
        }
    }

    #[test]
    fn what_is_gone_by_now_may_stay() {
        let gone = || json!({"providers": ["gone"], "regions": ["mars"]});

        assert!(told(gone(), gone()).is_empty());
    }

    #[test]
    fn times_have_to_make_sense() {
        for (upkeep, expected) in [
            (
                json!({"rotate_every": "90d", "disable_overdue_after": "0s", "disable_after_idle": "30d"}),
                &[] as &[&str],
            ),
            (json!({"rotate_every": "0s"}), &["rotate_every"]),
            (json!({"disable_after_idle": "4000d"}), &["disable_after_idle"]),
            (json!({"disable_overdue_after": "1d"}), &["disable_overdue_after"]),
        ] {
            let read = serde_json::from_value(upkeep.clone()).expect("upkeep");
            let paths: Vec<_> = upkeep_problems(read).into_iter().map(|(path, _)| path).collect();
            assert_eq!(paths, expected, "{upkeep}");
        }
    }
}
