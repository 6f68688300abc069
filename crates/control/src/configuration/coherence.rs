//! What a document contradicts in itself: names that a list holds twice, and references to what its own complete lists
//! do not hold. Needs no server to ask.

use std::collections::HashSet;

use gatewright_types::api::Document;

use super::caps;
use crate::check::FieldProblem;

pub(super) const CHARGED_BY_ITS_TEAM: &str =
    "is for a service account without a team: this one is charged where its team says";

/// Everything in the document that cannot be meant.
pub(super) fn contradictions(document: &Document) -> Vec<FieldProblem> {
    let mut problems = Vec::new();
    let teams = document.teams.as_deref().unwrap_or_default();
    let providers = document.providers.as_deref().unwrap_or_default();
    let models = document.models.as_deref().unwrap_or_default();
    let keys = document.keys.as_deref().unwrap_or_default();
    let tokens = document.tokens.as_deref().unwrap_or_default();
    let members = document.members.as_deref().unwrap_or_default();
    problems.extend(twice("teams", "name", teams.iter().map(|entry| entry.name.as_str())));
    problems.extend(twice(
        "providers",
        "name",
        providers.iter().map(|entry| entry.name.as_str()),
    ));
    problems.extend(twice("models", "name", models.iter().map(|entry| entry.name.as_str())));
    problems.extend(twice("keys", "name", keys.iter().map(|entry| entry.name.as_str())));
    problems.extend(twice("tokens", "name", tokens.iter().map(|entry| entry.name.as_str())));
    problems.extend(twice(
        "members",
        "email",
        members.iter().map(|entry| entry.email.as_str()),
    ));

    if document.providers.is_some() {
        for (index, model) in models.iter().enumerate() {
            for (place, leaf) in model.route.targets() {
                let wanted = &leaf.target.provider;
                if providers.iter().all(|provider| provider.name != *wanted) {
                    problems.push(FieldProblem {
                        path: format!("models[{index}].{place}"),
                        message: format!("there is no provider named {wanted}"),
                    });
                }
            }
        }
    }
    let accounts = document.service_accounts.as_deref().unwrap_or_default();
    problems.extend(twice(
        "service_accounts",
        "name",
        accounts.iter().map(|entry| entry.name.as_str()),
    ));
    for (index, account) in accounts.iter().enumerate() {
        if account.team.is_some() && account.cost_centre.is_some() {
            problems.push(FieldProblem {
                path: format!("service_accounts[{index}].cost_centre"),
                message: CHARGED_BY_ITS_TEAM.to_owned(),
            });
        }
    }
    if document.service_accounts.is_some() {
        for (index, key) in keys.iter().enumerate() {
            let Some(wanted) = &key.service_account else { continue };
            if !accounts.iter().any(|account| account.name == *wanted) {
                problems.push(FieldProblem {
                    path: format!("keys[{index}].service_account"),
                    message: format!("there is no service account named {wanted}"),
                });
            }
        }
    }
    if document.members.is_some() {
        for (index, key) in keys.iter().enumerate() {
            let Some(wanted) = &key.owner else { continue };
            if !members.iter().any(|member| member.email == *wanted) {
                problems.push(FieldProblem {
                    path: format!("keys[{index}].owner"),
                    message: format!("there is no member {wanted}"),
                });
            }
        }
    }
    if document.teams.is_some() {
        for (index, key) in keys.iter().enumerate() {
            let Some(wanted) = &key.team else { continue };
            if !teams.iter().any(|team| team.name == *wanted) {
                let message = format!("there is no team named {wanted}");
                problems.push(FieldProblem {
                    path: format!("keys[{index}].team"),
                    message,
                });
            }
        }
    }
    problems.extend(caps::contradictions(document));
    problems
}

/// Every entry whose name an earlier one of the list has.
pub(super) fn twice<'n>(list: &str, field: &str, names: impl Iterator<Item = &'n str>) -> Vec<FieldProblem> {
    let mut seen = HashSet::new();
    let repeated = names.enumerate().filter(|(_, name)| !seen.insert(*name));
    repeated
        .map(|(index, _)| FieldProblem {
            path: format!("{list}[{index}].{field}"),
            message: "is in this list twice".to_owned(),
        })
        .collect()
}
