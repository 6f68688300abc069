//! Whether the budgets and limits of keys agree with all others. Keys compile with nothing, and are compared only where
//! something was written that concerns them. That is done at the end of a transaction, which may lower both a whole and its
//! part.

use std::collections::BTreeSet;

use gatewright_contract::{CompileProblem, KeyUnit, UnitId, Whole, key_problems};
use gatewright_types::api::{BudgetAction, BudgetSpec, LimitScope, ScopeKind};
use gatewright_types::{BudgetId, KeyId, ModelName, Nanos, OrganizationId, PersonId, TeamId};
use sea_orm::sea_query::Condition;
use sea_orm::{
    ColumnTrait as _, DatabaseTransaction, DbErr, EntityTrait as _, QueryFilter as _, QueryOrder as _,
    QuerySelect as _, QueryTrait as _,
};

use crate::entity::budget::{Column, Entity, Model};
use crate::entity::{key, model};
use crate::scopes::Names;
use crate::{budgets, limits, stored};

/// What is to be compared before a transaction is committed.
#[derive(Debug, Default)]
pub(crate) struct ToCompare {
    pub(crate) keys: BTreeSet<(OrganizationId, KeyId)>,
    /// Budgets that those of keys may be a part of.
    pub(crate) wholes: BTreeSet<(OrganizationId, BudgetId)>,
}

impl ToCompare {
    /// Everything that does not agree.
    pub(crate) async fn problems(
        &self,
        transaction: &DatabaseTransaction,
        changed: &BTreeSet<(OrganizationId, UnitId)>,
    ) -> Result<Vec<CompileProblem>, DbErr> {
        let mut problems = Vec::new();
        for (organization, key) in &self.keys {
            let found = of_key(transaction, *organization, *key).await?;
            let Some((name, found)) = found else { continue };
            problems.extend(found.into_iter().map(|problem| {
                let message = match changed.contains(&(*organization, problem.unit)) {
                    true => problem.message,
                    false => format!("budget of key {name}: {}", problem.message),
                };
                CompileProblem { message, ..problem }
            }));
        }
        for (organization, budget) in &self.wholes {
            problems.extend(of_whole(transaction, *organization, *budget).await?);
        }
        Ok(problems)
    }
}

/// Its name, and what is wrong with its budgets and limits. Nothing of a key that is not there any more.
async fn of_key(
    transaction: &DatabaseTransaction,
    organization: OrganizationId,
    id: KeyId,
) -> Result<Option<(String, Vec<CompileProblem>)>, DbErr> {
    let row = crate::keys::ours(organization)
        .filter(key::Column::Id.eq(id.uuid()))
        .filter(key::Column::RevokedAt.is_null());
    let Some(row) = row.one(transaction).await? else {
        return Ok(None);
    };
    let unit = KeyUnit {
        budgets: budgets::of_key(transaction, organization, id, stored::now()).await?,
        limits: limits::of_key(transaction, organization, id).await?,
        ..KeyUnit::new(id)
    };
    let mut wholes = Vec::new();
    for scope in wholes_of(&row) {
        let rows = budgets::ours(organization)
            .filter(Column::Kind.eq(scope.kind().as_str()))
            .filter(Column::Subject.eq(scope.subject()))
            .all(transaction)
            .await?;
        let names = Names::of(transaction, [&scope]).await?;
        for row in rows {
            wholes.push(whole(&row, &scope, &names)?);
        }
    }
    let asked = unit.budgets.values().filter_map(|budget| downgrade(&budget.spec));
    let names: Vec<_> = asked.map(|model| model.as_str().to_owned()).collect();
    let there = model::Entity::find()
        .filter(model::Column::Organization.eq(organization.uuid()))
        .filter(model::Column::Name.is_in(names))
        .all(transaction)
        .await?;
    let is_model = |name: &ModelName| there.iter().any(|row| row.name == name.as_str());
    Ok(Some((row.name, key_problems(&unit, &wholes, is_model))))
}

/// The scopes that a key's spending counts in besides its own.
fn wholes_of(row: &key::Model) -> Vec<LimitScope> {
    let team = row.team.map(|team| LimitScope::Team(TeamId::from_uuid(team)));
    let owner = row.owner.map(|owner| LimitScope::User(PersonId::from_uuid(owner)));
    [LimitScope::Organization]
        .into_iter()
        .chain(team)
        .chain(owner)
        .collect()
}

fn whole(row: &Model, scope: &LimitScope, names: &Names) -> Result<Whole, DbErr> {
    Ok(Whole {
        whose: names.in_words(scope),
        window: stored::json("window", &row.window)?,
        amount: Nanos::new(row.amount),
    })
}

/// The budget of a key that is more than the whole it is a part of, if there is one.
async fn of_whole(
    transaction: &DatabaseTransaction,
    organization: OrganizationId,
    id: BudgetId,
) -> Result<Option<CompileProblem>, DbErr> {
    let row = budgets::ours(organization).filter(Column::Id.eq(id.uuid()));
    let Some(row) = row.one(transaction).await? else {
        return Ok(None);
    };
    let theirs = match budgets::scope(&row)? {
        LimitScope::Organization => Condition::all(),
        LimitScope::Team(team) => Condition::all().add(key::Column::Team.eq(team.uuid())),
        LimitScope::User(person) => Condition::all().add(key::Column::Owner.eq(person.uuid())),
        LimitScope::Key(_)
        | LimitScope::EndUser(_)
        | LimitScope::Tag(_)
        | LimitScope::Provider(_)
        | LimitScope::Model(_)
        | LimitScope::Credential(_) => return Ok(None),
    };
    let larger = Condition::all()
        .add(Column::Organization.eq(organization.uuid()))
        .add(Column::Kind.eq(ScopeKind::Key.as_str()))
        .add(Column::Window.eq(row.window.as_str()))
        .add(Column::Amount.gt(row.amount));
    let holders = Entity::find()
        .select_only()
        .column(Column::SubjectId)
        .filter(larger.clone())
        .into_query();
    let holder = crate::keys::ours(organization)
        .filter(theirs)
        .filter(key::Column::RevokedAt.is_null())
        .filter(key::Column::Id.in_subquery(holders))
        .order_by_asc(key::Column::Id)
        .one(transaction)
        .await?;
    let Some(holder) = holder else { return Ok(None) };
    let part = Entity::find().filter(larger).filter(Column::SubjectId.eq(holder.id));
    let part = part.one(transaction).await?.map_or(row.amount, |part| part.amount);
    Ok(Some(CompileProblem {
        unit: UnitId::Budget(id),
        field: "amount".to_owned(),
        message: format!(
            "is less than the {} USD that key {} has for the same window",
            Nanos::new(part),
            holder.name
        ),
    }))
}

fn downgrade(spec: &BudgetSpec) -> Option<&ModelName> {
    match &spec.action {
        BudgetAction::Downgrade(model) => Some(model),
        BudgetAction::Block | BudgetAction::Warn | BudgetAction::Ask => None,
    }
}
