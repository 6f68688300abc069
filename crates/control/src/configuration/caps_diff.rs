//! Differences in budgets and limits. One is known by its scope and its window, or by its scope and whether it is in shadow.

use std::collections::HashSet;
use std::hash::Hash;

use gatewright_contract::UnitId;
use gatewright_types::api::{
    BudgetSpec, ChangeKind, Document, KeyEntry, LimitScope, LimitSpec, NewBudget, NewRateLimit, TeamEntry,
};
use gatewright_types::{BudgetId, LimitId};

use super::caps::{Written, contradictions, found, written_budgets, written_limits};
use super::diff::{Differ, Step, change, differing};
use super::named::Named;

/// The budgets and limits there will be.
#[derive(Debug, Default)]
pub(super) struct Caps {
    pub(super) budgets: Vec<Cap<BudgetId, BudgetSpec>>,
    pub(super) limits: Vec<Cap<LimitId, LimitSpec>>,
}

#[derive(Debug, Clone)]
pub(super) struct Cap<I, S> {
    pub(super) id: I,
    pub(super) scope: LimitScope,
    pub(super) spec: S,
}

/// How one of both sorts is told from another, and what is done with it.
struct Sort<I, S> {
    resource: &'static str,
    name: fn(&str, &S) -> String,
    is_same: fn(&S, &S) -> bool,
    differences: fn(&S, &S) -> Vec<&'static str>,
    create: fn(LimitScope, S) -> (I, Step),
    change: fn(I, S) -> Step,
    delete: fn(I) -> Step,
    unit: fn(I) -> UnitId,
}

const BUDGETS: Sort<BudgetId, BudgetSpec> = Sort {
    resource: "budget",
    name: |scope, spec| format!("{scope}, {}", spec.window),
    is_same: |one, other| one.window == other.window,
    differences: |one, other| {
        differing(&[
            ("amount", one.amount == other.amount),
            ("time_zone", one.time_zone == other.time_zone),
            ("action", one.action == other.action),
            ("soft", one.soft == other.soft),
            ("alerts", one.alerts == other.alerts),
            ("carry_over", one.carry_over == other.carry_over),
            ("mode", one.mode == other.mode),
            ("when_unavailable", one.when_unavailable == other.when_unavailable),
            ("unpriced", one.unpriced == other.unpriced),
        ])
    },
    create: |scope, spec| {
        let id = BudgetId::mint();
        (id, Step::CreateBudget(id, NewBudget { scope, spec }))
    },
    change: Step::ChangeBudget,
    delete: Step::DeleteBudget,
    unit: UnitId::Budget,
};

const LIMITS: Sort<LimitId, LimitSpec> = Sort {
    resource: "limit",
    name: |scope, spec| match spec.shadow {
        true => format!("{scope}, in shadow"),
        false => scope.to_owned(),
    },
    is_same: |one, other| one.shadow == other.shadow,
    differences: |one, other| {
        differing(&[
            ("rpm", one.rpm == other.rpm),
            ("rph", one.rph == other.rph),
            ("rpd", one.rpd == other.rpd),
            ("tpm", one.tpm == other.tpm),
            ("tph", one.tph == other.tph),
            ("tpd", one.tpd == other.tpd),
            ("concurrency", one.concurrency == other.concurrency),
            ("units", one.units == other.units),
            ("when_unavailable", one.when_unavailable() == other.when_unavailable()),
        ])
    },
    create: |scope, spec| {
        let id = LimitId::mint();
        (id, Step::CreateLimit(id, NewRateLimit { scope, spec }))
    },
    change: Step::ChangeLimit,
    delete: Step::DeleteLimit,
    unit: UnitId::Limit,
};

/// One that is there, and what it is for in words.
struct There<'a, I, S> {
    id: I,
    scope: &'a LimitScope,
    words: &'a str,
    spec: &'a S,
}

impl Differ<'_> {
    /// After everything that they may name.
    pub(super) fn caps(&mut self, named: &Named) -> Caps {
        let (document, current) = (self.document, self.current);
        self.problems.extend(contradictions(document));
        let budgets = current.budgets.iter().map(|row| There {
            id: row.id,
            scope: &row.scope,
            words: &row.scope_name,
            spec: &row.spec,
        });
        let limits = current.limits.iter().map(|row| There {
            id: row.id,
            scope: &row.scope,
            words: &row.scope_name,
            spec: &row.spec,
        });
        let is_complete = |scope: &LimitScope, _: &BudgetSpec| {
            let at = |team: &TeamEntry| team.budgets.is_some();
            document.budgets.is_some() || says(document, named, scope, at, |key| key.budgets.is_some())
        };
        let budgets = self.settle(
            &BUDGETS,
            named,
            written_budgets(document),
            budgets.collect(),
            is_complete,
        );
        // A limit in shadow has no place at an entry, so entries say nothing of it.
        let is_complete = |scope: &LimitScope, spec: &LimitSpec| {
            let at = |team: &TeamEntry| team.limits.is_some();
            document.limits.is_some() || !spec.shadow && says(document, named, scope, at, |key| key.limits.is_some())
        };
        let limits = self.settle(&LIMITS, named, written_limits(document), limits.collect(), is_complete);
        Caps { budgets, limits }
    }

    fn settle<I: Copy + Eq + Hash, S: Clone>(
        &mut self,
        sort: &Sort<I, S>,
        named: &Named,
        written: Vec<Written<'_, S>>,
        there: Vec<There<'_, I, S>>,
        is_complete: impl Fn(&LimitScope, &S) -> bool,
    ) -> Vec<Cap<I, S>> {
        let mut caps = Vec::with_capacity(written.len());
        let mut kept = HashSet::new();
        for written in written {
            let Some(scope) = found(named, &written, &mut self.problems) else {
                continue;
            };
            let Written { spec, place, .. } = written;
            let name = (sort.name)(&written.scope.in_words(), spec);
            let same = there
                .iter()
                .find(|one| *one.scope == scope && (sort.is_same)(one.spec, spec));
            let id = match same {
                Some(one) => {
                    let fields = (sort.differences)(one.spec, spec);
                    if !fields.is_empty() {
                        let change = change(ChangeKind::Update, sort.resource, &name, &fields);
                        self.step(change, (sort.change)(one.id, spec.clone()));
                    }
                    one.id
                }
                None => {
                    let (id, step) = (sort.create)(scope.clone(), spec.clone());
                    self.step(change(ChangeKind::Create, sort.resource, &name, &[]), step);
                    id
                }
            };
            kept.insert(id);
            self.plan.places.insert((sort.unit)(id), place);
            let spec = spec.clone();
            caps.push(Cap { id, scope, spec });
        }
        // What goes takes its own along.
        let left = there
            .into_iter()
            .filter(|one| !kept.contains(&one.id) && named.stays(one.scope));
        for There { id, scope, words, spec } in left {
            let name = (sort.name)(words, spec);
            if is_complete(scope, spec) {
                self.removal(sort.resource, &name, (sort.delete)(id));
                continue;
            }
            let place = format!("{}s.{name}", sort.resource);
            self.plan.places.insert((sort.unit)(id), place);
            let (scope, spec) = (scope.clone(), spec.clone());
            caps.push(Cap { id, scope, spec });
        }
        caps
    }
}

/// Whether the team or key that a scope names says itself what there is.
fn says(
    document: &Document,
    named: &Named,
    scope: &LimitScope,
    team: impl Fn(&TeamEntry) -> bool,
    key: impl Fn(&KeyEntry) -> bool,
) -> bool {
    match scope {
        LimitScope::Team(id) => {
            let mut teams = document.teams.iter().flatten();
            teams.any(|entry| named.teams.get(&entry.name) == Some(id) && team(entry))
        }
        LimitScope::Key(id) => {
            let mut keys = document.keys.iter().flatten();
            keys.any(|entry| named.keys.get(&entry.name) == Some(id) && key(entry))
        }
        LimitScope::Organization
        | LimitScope::User(_)
        | LimitScope::EndUser(_)
        | LimitScope::Tag(_)
        | LimitScope::Provider(_)
        | LimitScope::Model(_)
        | LimitScope::Credential(_) => false,
    }
}
