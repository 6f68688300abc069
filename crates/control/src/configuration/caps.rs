//! The budgets and limits that a document writes, wherever it writes them, and what is wrong with them by itself.

use std::collections::HashMap;
use std::hash::Hash;

use gatewright_contract::{budget_problems, limit_problems};
use gatewright_types::api::{BudgetAction, BudgetSpec, Document, LimitScope, LimitSpec, NamedScope};
use gatewright_types::{DisplayName, ModelName};

use super::named::Named;
use crate::check::FieldProblem;

/// One that stands in the document.
#[derive(Debug, Clone)]
pub(super) struct Written<'d, S> {
    pub(super) scope: NamedScope,
    pub(super) spec: &'d S,
    /// `teams[0].budgets[1]`, `budgets[3]`
    pub(super) place: String,
}

/// All budgets of a document.
pub(super) fn written_budgets(document: &Document) -> Vec<Written<'_, BudgetSpec>> {
    let at_teams = document.teams.iter().flatten().enumerate().map(|(index, team)| {
        let scope = NamedScope::Team(team.name.clone());
        (scope, format!("teams[{index}]"), team.budgets.as_deref())
    });
    let at_keys = document.keys.iter().flatten().enumerate().map(|(index, key)| {
        let scope = NamedScope::Key(key.name.clone());
        (scope, format!("keys[{index}]"), key.budgets.as_deref())
    });
    let of_holders = at_teams.chain(at_keys).flat_map(|(scope, holder, specs)| {
        let specs = specs.unwrap_or_default().iter().enumerate();
        specs.map(move |(index, spec)| Written {
            scope: scope.clone(),
            spec,
            place: format!("{holder}.budgets[{index}]"),
        })
    });
    let own = document.budgets.iter().flatten().enumerate();
    let own = own.map(|(index, entry)| Written {
        scope: entry.scope.clone(),
        spec: &entry.spec,
        place: format!("budgets[{index}]"),
    });
    of_holders.chain(own).collect()
}

/// All limits of a document. `limits: {}` at a team or key says that there are none.
pub(super) fn written_limits(document: &Document) -> Vec<Written<'_, LimitSpec>> {
    let at_teams = document.teams.iter().flatten().enumerate().map(|(index, team)| {
        let scope = NamedScope::Team(team.name.clone());
        (scope, format!("teams[{index}].limits"), team.limits.as_ref())
    });
    let at_keys = document.keys.iter().flatten().enumerate().map(|(index, key)| {
        let scope = NamedScope::Key(key.name.clone());
        (scope, format!("keys[{index}].limits"), key.limits.as_ref())
    });
    let of_holders = at_teams.chain(at_keys).filter_map(|(scope, place, spec)| {
        let spec = spec.filter(|spec| **spec != LimitSpec::default())?;
        Some(Written { scope, spec, place })
    });
    let own = document.limits.iter().flatten().enumerate();
    let own = own.map(|(index, entry)| Written {
        scope: entry.scope.clone(),
        spec: &entry.spec,
        place: format!("limits[{index}]"),
    });
    of_holders.chain(own).collect()
}

/// What cannot be meant: specifications that say nothing sensible, two of one thing, and names that the document's own
/// complete lists do not hold.
pub(super) fn contradictions(document: &Document) -> Vec<FieldProblem> {
    let (budgets, limits) = (written_budgets(document), written_limits(document));
    let mut problems = Vec::new();
    for Written { scope, spec, place } in &budgets {
        problems.extend(below(place, budget_problems(spec)));
        problems.extend(below(place, lost(document, scope)));
        problems.extend(below(place, lost_downgrade(document, spec)));
    }
    for Written { scope, spec, place } in &limits {
        problems.extend(below(place, limit_problems(spec)));
        problems.extend(below(place, lost(document, scope)));
    }
    problems.extend(twice(&budgets, "window", |spec| spec.window));
    problems.extend(twice(&limits, "scope", |spec| spec.shadow));
    problems
}

/// The scope by identifiers; a problem where something of that name will not be there.
pub(super) fn found<S>(
    named: &Named,
    written: &Written<'_, S>,
    problems: &mut Vec<FieldProblem>,
) -> Option<LimitScope> {
    let found = named.scope(&written.scope);
    if found.is_none() {
        let path = format!("{}.scope.{}", written.place, written.scope.kind());
        // A list of the document that is complete has told it.
        if !problems.iter().any(|problem| problem.path == path) {
            let message = format!("there is no {}", written.scope.in_words());
            problems.push(FieldProblem { path, message });
        }
    }
    found
}

/// A thing may have one for each `key`.
fn twice<S, K: Hash + Eq>(written: &[Written<'_, S>], field: &'static str, key: impl Fn(&S) -> K) -> Vec<FieldProblem> {
    let mut first = HashMap::new();
    let mut problems = Vec::new();
    for Written { scope, spec, place } in written {
        if let Some(other) = first.insert((scope, key(spec)), place) {
            problems.push(FieldProblem {
                path: format!("{place}.{field}"),
                message: format!("says again what {other} says of {}", scope.in_words()),
            });
        }
    }
    problems
}

fn below(place: &str, wrong: impl IntoIterator<Item = (String, String)>) -> Vec<FieldProblem> {
    let wrong = wrong.into_iter();
    let problem = |(field, message)| FieldProblem {
        path: format!("{place}.{field}"),
        message,
    };
    wrong.map(problem).collect()
}

fn lost(document: &Document, scope: &NamedScope) -> Option<(String, String)> {
    let is_lost = match scope {
        NamedScope::Team(name) => is_missing(document.teams.as_deref(), |entry| entry.name == *name),
        NamedScope::Key(name) => is_missing(document.keys.as_deref(), |entry| entry.name == *name),
        NamedScope::User(email) => is_missing(document.members.as_deref(), |entry| entry.email == *email),
        NamedScope::Model(model) => is_missing(document.models.as_deref(), |entry| entry.name == *model),
        NamedScope::Provider(name) => is_missing(document.providers.as_deref(), |entry| entry.name == *name),
        NamedScope::Credential(credential) => is_missing(document.providers.as_deref(), |entry| {
            let named = |name: &DisplayName| *name == credential.name;
            entry.name == credential.provider && entry.credentials.iter().any(|one| named(&one.name))
        }),
        NamedScope::Tag(tag) => is_missing(document.tags.as_deref(), |known| known.name == tag.name),
        NamedScope::Organization | NamedScope::EndUser(_) => false,
    };
    is_lost.then(|| {
        let message = format!("there is no {}", scope.in_words());
        (format!("scope.{}", scope.kind()), message)
    })
}

fn lost_downgrade(document: &Document, spec: &BudgetSpec) -> Option<(String, String)> {
    let BudgetAction::Downgrade(model) = &spec.action else {
        return None;
    };
    let is_named = |name: &ModelName| name == model;
    is_missing(document.models.as_deref(), |entry| is_named(&entry.name)).then(|| {
        let message = format!("there is no model named {model}");
        ("action.downgrade".to_owned(), message)
    })
}

/// Of a list that the document does not give nothing is missing.
fn is_missing<T>(list: Option<&[T]>, is_it: impl Fn(&T) -> bool) -> bool {
    list.is_some_and(|list| !list.iter().any(is_it))
}
