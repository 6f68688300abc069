//! Budgets, and what is added to them for a while. A key's are published with the key, all others as units of their own.

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, Utc};
use gatewright_contract::{BudgetUnit, IncreaseUnit, UnitBody, UnitId};
use gatewright_types::api::{
    BudgetAction, BudgetSpec, BudgetWindow, Increase, LimitScope, LimitScopeQuery, NewBudget, NewIncrease, ScopeKind,
};
use gatewright_types::{BudgetId, IncreaseId, KeyId, ModelName, Nanos, OrganizationId, Page};
use sea_orm::{
    ActiveModelTrait as _, ActiveValue, ColumnTrait as _, ConnectionTrait, DbErr, EntityTrait as _,
    IntoActiveModel as _, QueryFilter as _, QueryOrder as _, Select,
};
use uuid::Uuid;

use crate::entity::budget::{Column, Entity, Model};
use crate::entity::budget_increase;
use crate::error::{DatabaseError, ListError, WriteError};
use crate::page::Part;
use crate::scope::Scope;
use crate::scopes::{Names, asked, of_scope, page_of, subject_id};
use crate::stored;
use crate::system::System;
use crate::write::WriteTx;

/// A budget as stored; what was spent is for the caller to find out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BudgetRow {
    pub id: BudgetId,
    pub scope: LimitScope,
    /// In words: `team Search`.
    pub scope_name: String,
    pub spec: BudgetSpec,
    /// Those whose time is not over.
    pub increases: Vec<Increase>,
    pub created_at: DateTime<Utc>,
    pub created_by: String,
}

impl Scope<'_> {
    pub async fn budgets(&self, query: &LimitScopeQuery) -> Result<Page<BudgetRow>, ListError> {
        let part = Part::asked(&page_of(query))?;
        let rows = part
            .of(asked(ours(self.id), query), Column::Id)
            .all(&self.connection)
            .await?;
        let Page { items, next_cursor } = part.page(rows, |row| row.id, Ok)?;
        let items = read_all(&self.connection, items).await?;
        Ok(Page { items, next_cursor })
    }

    pub async fn budget(&self, id: BudgetId) -> Result<Option<BudgetRow>, DatabaseError> {
        let row = ours(self.id).filter(Column::Id.eq(id.uuid()));
        let rows = row.all(&self.connection).await?;
        Ok(read_all(&self.connection, rows).await?.pop())
    }
}

impl System<'_> {
    /// Takes away what was added to budgets for a time that is over. Nodes look at the clock and need not be told.
    pub async fn remove_ended_increases(&self, now: DateTime<Utc>) -> Result<u64, DatabaseError> {
        let removed = budget_increase::Entity::delete_many()
            .filter(budget_increase::Column::ExpiresAt.lte(now))
            .exec(&self.db.write)
            .await?;
        Ok(removed.rows_affected)
    }
}

impl WriteTx {
    pub async fn create_budget(
        &mut self,
        organization: OrganizationId,
        id: BudgetId,
        new: &NewBudget,
    ) -> Result<BudgetRow, WriteError> {
        self.check_scope(organization, &new.scope).await?;
        self.check_window(organization, id, &new.scope, new.spec.window).await?;
        let row = Model {
            id: id.uuid(),
            organization: organization.uuid(),
            kind: new.scope.kind().as_str().to_owned(),
            subject: new.scope.subject(),
            subject_id: subject_id(&new.scope),
            scope: stored::to_json(&new.scope),
            window: stored::to_json(&new.spec.window),
            amount: new.spec.amount.get(),
            downgrade: downgrade(&new.spec),
            spec: stored::to_json(&new.spec),
            created_at: self.at,
            created_by: self.actor_label(),
        };
        stored::insert(&self.transaction, row.clone()).await?;
        self.publish_budget(organization, row).await
    }

    pub async fn change_budget(
        &mut self,
        organization: OrganizationId,
        id: BudgetId,
        spec: &BudgetSpec,
    ) -> Result<BudgetRow, WriteError> {
        let row = self.budget_row(organization, id).await?;
        self.check_window(organization, id, &scope(&row)?, spec.window).await?;
        let mut row = row.into_active_model();
        row.window = ActiveValue::Set(stored::to_json(&spec.window));
        row.amount = ActiveValue::Set(spec.amount.get());
        row.downgrade = ActiveValue::Set(downgrade(spec));
        row.spec = ActiveValue::Set(stored::to_json(spec));
        let row = row.update(&self.transaction).await?;
        self.publish_budget(organization, row).await
    }

    pub async fn delete_budget(&mut self, organization: OrganizationId, id: BudgetId) -> Result<(), WriteError> {
        let row = self.budget_row(organization, id).await?;
        Entity::delete_by_id(row.id).exec(&self.transaction).await?;
        if let LimitScope::Key(key) = scope(&row)? {
            return self.publish_key_again(organization, key).await;
        }
        self.tombstone(organization, UnitId::Budget(id)).await
    }

    pub async fn add_increase(
        &mut self,
        organization: OrganizationId,
        budget: BudgetId,
        id: IncreaseId,
        new: &NewIncrease,
    ) -> Result<Increase, WriteError> {
        let row = self.budget_row(organization, budget).await?;
        let already = increases(&self.transaction, [row.id], self.at).await?;
        let total = already.iter().fold(Nanos::new(row.amount), |sum, more| {
            sum.saturating_add(Nanos::new(more.amount))
        });
        if total.saturating_add(new.amount) > BudgetSpec::LARGEST {
            let message = format!(
                "makes it more than {} USD, the most that can be counted",
                BudgetSpec::LARGEST
            );
            return Err(WriteError::invalid("amount", message));
        }
        let increase = budget_increase::Model {
            id: id.uuid(),
            organization: organization.uuid(),
            budget: budget.uuid(),
            amount: new.amount.get(),
            reason: new.reason.clone(),
            expires_at: stored::time(new.expires_at),
            created_at: self.at,
            created_by: self.actor_label(),
        };
        stored::insert(&self.transaction, increase.clone()).await?;
        self.publish_budget(organization, row).await?;
        Ok(read_increase(increase))
    }

    pub async fn remove_increase(
        &mut self,
        organization: OrganizationId,
        budget: BudgetId,
        id: IncreaseId,
    ) -> Result<(), WriteError> {
        let row = self.budget_row(organization, budget).await?;
        let removed = budget_increase::Entity::delete_many()
            .filter(budget_increase::Column::Budget.eq(row.id))
            .filter(budget_increase::Column::Id.eq(id.uuid()))
            .exec(&self.transaction)
            .await?;
        stored::there(removed.rows_affected)?;
        self.publish_budget(organization, row).await.map(drop)
    }

    /// Takes along the budgets of something that goes. A key's went out with the key.
    pub(crate) async fn delete_budgets_of(
        &mut self,
        organization: OrganizationId,
        scope: &LimitScope,
    ) -> Result<(), WriteError> {
        let theirs = of_scope(ours(organization), scope);
        for row in theirs.all(&self.transaction).await? {
            Entity::delete_by_id(row.id).exec(&self.transaction).await?;
            if scope.kind() != ScopeKind::Key {
                self.tombstone(organization, UnitId::Budget(BudgetId::from_uuid(row.id)))
                    .await?;
            }
        }
        Ok(())
    }

    /// A model goes that budgets of keys may send requests to.
    pub(crate) async fn compare_keys_downgraded_to(
        &mut self,
        organization: OrganizationId,
        model: &ModelName,
    ) -> Result<(), WriteError> {
        let theirs = ours(organization)
            .filter(Column::Kind.eq(ScopeKind::Key.as_str()))
            .filter(Column::Downgrade.eq(model.as_str()));
        for row in theirs.all(&self.transaction).await? {
            if let LimitScope::Key(key) = scope(&row)? {
                self.compare_key(organization, key);
            }
        }
        Ok(())
    }

    pub(crate) async fn budget_row(&self, organization: OrganizationId, id: BudgetId) -> Result<Model, WriteError> {
        let row = ours(organization)
            .filter(Column::Id.eq(id.uuid()))
            .one(&self.transaction)
            .await?;
        row.ok_or(WriteError::NotFound)
    }

    /// Two budgets for one window of one scope would say two things.
    async fn check_window(
        &self,
        organization: OrganizationId,
        id: BudgetId,
        scope: &LimitScope,
        window: BudgetWindow,
    ) -> Result<(), WriteError> {
        let same = of_scope(ours(organization), scope)
            .filter(Column::Window.eq(stored::to_json(&window)))
            .filter(Column::Id.ne(id.uuid()));
        match same.one(&self.transaction).await? {
            None => Ok(()),
            Some(_) => Err(WriteError::conflict(
                "window",
                "has a budget of this scope already: change that one",
            )),
        }
    }

    async fn publish_budget(&mut self, organization: OrganizationId, row: Model) -> Result<BudgetRow, WriteError> {
        let increases = increases(&self.transaction, [row.id], self.at).await?;
        let scope = scope(&row)?;
        let names = Names::of(&self.transaction, [&scope]).await?;
        let budget = read(row, scope, &names, increases)?;
        if let LimitScope::Key(key) = budget.scope {
            self.note_changed(organization, UnitId::Budget(budget.id));
            self.publish_key_again(organization, key).await?;
        } else {
            self.compare_with_keys(organization, budget.id);
            self.publish(organization, UnitId::Budget(budget.id), UnitBody::Budget(unit(&budget)))
                .await?;
        }
        Ok(budget)
    }
}

/// What is published of a key's.
pub(crate) async fn of_key(
    connection: &impl ConnectionTrait,
    organization: OrganizationId,
    key: KeyId,
    now: DateTime<Utc>,
) -> Result<BTreeMap<BudgetId, BudgetUnit>, DbErr> {
    let scope = LimitScope::Key(key);
    let rows = of_scope(ours(organization), &scope).all(connection).await?;
    let mut added = by_budget(increases(connection, rows.iter().map(|row| row.id), now).await?);
    let read = |row: Model| {
        let increases = added.remove(&row.id).unwrap_or_default();
        let budget = read(row, scope.clone(), &Names::default(), increases)?;
        Ok((budget.id, unit(&budget)))
    };
    rows.into_iter().map(read).collect()
}

/// As they are published, of whichever organization.
pub(crate) async fn units(
    connection: &impl ConnectionTrait,
    ids: impl IntoIterator<Item = Uuid>,
) -> Result<Vec<(OrganizationId, BudgetId, BudgetUnit)>, DbErr> {
    let rows = Entity::find().filter(Column::Id.is_in(ids)).all(connection).await?;
    let ids = rows.iter().map(|row| row.id);
    let mut added = by_budget(increases(connection, ids, stored::now()).await?);
    let read = |row: Model| {
        let organization = OrganizationId::from_uuid(row.organization);
        let increases = added.remove(&row.id).unwrap_or_default();
        let scope = scope(&row)?;
        let budget = read(row, scope, &Names::default(), increases)?;
        Ok((organization, budget.id, unit(&budget)))
    };
    rows.into_iter().map(read).collect()
}

pub(crate) fn ours(organization: OrganizationId) -> Select<Entity> {
    Entity::find().filter(Column::Organization.eq(organization.uuid()))
}

pub(crate) fn scope(row: &Model) -> Result<LimitScope, DbErr> {
    stored::json("scope", &row.scope)
}

fn downgrade(spec: &BudgetSpec) -> Option<String> {
    match &spec.action {
        BudgetAction::Downgrade(model) => Some(model.as_str().to_owned()),
        BudgetAction::Block | BudgetAction::Warn | BudgetAction::Ask => None,
    }
}

fn unit(budget: &BudgetRow) -> BudgetUnit {
    let increases = budget.increases.iter().map(|increase| IncreaseUnit {
        amount: increase.amount,
        expires_at: increase.expires_at,
    });
    BudgetUnit {
        scope: budget.scope.clone(),
        spec: budget.spec.clone(),
        increases: increases.collect(),
        since: Some(budget.created_at),
    }
}

async fn read_all(connection: &impl ConnectionTrait, rows: Vec<Model>) -> Result<Vec<BudgetRow>, DbErr> {
    let scopes = rows.iter().map(scope).collect::<Result<Vec<_>, _>>()?;
    let names = Names::of(connection, &scopes).await?;
    let ids = rows.iter().map(|row| row.id);
    let mut added = by_budget(increases(connection, ids, stored::now()).await?);
    let read = |(row, scope): (Model, LimitScope)| {
        let increases = added.remove(&row.id).unwrap_or_default();
        read(row, scope, &names, increases)
    };
    rows.into_iter().zip(scopes).map(read).collect()
}

/// Those that count, in the order in which they were made.
async fn increases(
    connection: &impl ConnectionTrait,
    budgets: impl IntoIterator<Item = Uuid>,
    now: DateTime<Utc>,
) -> Result<Vec<budget_increase::Model>, DbErr> {
    budget_increase::Entity::find()
        .filter(budget_increase::Column::Budget.is_in(budgets))
        .filter(budget_increase::Column::ExpiresAt.gt(now))
        .order_by_asc(budget_increase::Column::Id)
        .all(connection)
        .await
}

fn by_budget(rows: Vec<budget_increase::Model>) -> HashMap<Uuid, Vec<budget_increase::Model>> {
    let mut by_budget: HashMap<_, Vec<_>> = HashMap::new();
    for row in rows {
        by_budget.entry(row.budget).or_default().push(row);
    }
    by_budget
}

fn read(
    row: Model,
    scope: LimitScope,
    names: &Names,
    increases: Vec<budget_increase::Model>,
) -> Result<BudgetRow, DbErr> {
    Ok(BudgetRow {
        id: BudgetId::from_uuid(row.id),
        scope_name: names.in_words(&scope),
        scope,
        spec: stored::json("budget", &row.spec)?,
        increases: increases.into_iter().map(read_increase).collect(),
        created_at: row.created_at,
        created_by: row.created_by,
    })
}

fn read_increase(row: budget_increase::Model) -> Increase {
    Increase {
        id: IncreaseId::from_uuid(row.id),
        amount: Nanos::new(row.amount),
        reason: row.reason,
        expires_at: row.expires_at,
        created_at: row.created_at,
        created_by: row.created_by,
    }
}
