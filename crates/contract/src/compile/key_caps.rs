//! What is published with a key: it compiles with nothing, so what it names and what it is a part of come from whoever asks.

use std::collections::HashSet;
use std::sync::Arc;

use gatewright_types::api::BudgetWindow;
use gatewright_types::{ModelName, Nanos};

use super::CompileProblem;
use super::caps::{budget, lost_downgrade, rate_limit, second_budget, second_limit, too_much};
use crate::{Caps, KeyUnit, UnitId};

/// A budget that a key's spending counts in besides its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Whole {
    /// Whose it is, in words: `team Search`.
    pub whose: String,
    pub window: BudgetWindow,
    pub amount: Nanos,
}

/// What is published with a key, as nodes count by it.
pub fn key_caps(unit: &KeyUnit) -> Result<Caps, Vec<(String, String)>> {
    let mut caps = Caps::default();
    for (id, spec) in &unit.budgets {
        caps.budgets.push(Arc::new(budget(*id, spec)?));
    }
    for (id, spec) in &unit.limits {
        caps.limits.push(Arc::new(rate_limit(*id, spec)?));
    }
    Ok(caps)
}

/// Everything that is wrong with the budgets and limits of a key.
pub fn key_problems(unit: &KeyUnit, wholes: &[Whole], is_model: impl Fn(&ModelName) -> bool) -> Vec<CompileProblem> {
    let mut problems = Vec::new();
    let mut note = |unit: UnitId, wrong: Vec<(String, String)>| {
        let found = wrong.into_iter();
        problems.extend(found.map(|(field, message)| CompileProblem { unit, field, message }));
    };
    let mut windows = HashSet::new();
    for (id, published) in &unit.budgets {
        let spec = &published.spec;
        let mut wrong = budget(*id, published).err().unwrap_or_default();
        wrong.extend((!windows.insert(spec.window)).then(second_budget));
        wrong.extend(lost_downgrade(spec, &is_model));
        let exceeded = wholes
            .iter()
            .filter(|whole| whole.window == spec.window && spec.amount > whole.amount);
        wrong.extend(exceeded.map(|whole| too_much(&whole.whose, whole.amount)));
        note(UnitId::Budget(*id), wrong);
    }
    let mut shadows = HashSet::new();
    for (id, published) in &unit.limits {
        let mut wrong = rate_limit(*id, published).err().unwrap_or_default();
        wrong.extend((!shadows.insert(published.spec.shadow)).then(second_limit));
        note(UnitId::Limit(*id), wrong);
    }
    problems
}
