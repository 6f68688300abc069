//! Who wants a budget raised, and what became of it.

use gatewright_types::api::{
    BudgetDecision, BudgetRequest, BudgetRequestQuery, BudgetRequestState, NewBudgetRequest, NewIncrease,
};
use gatewright_types::{BudgetId, BudgetRequestId, IncreaseId, Nanos, OrganizationId, Page, PageQuery};
use sea_orm::{
    ActiveModelTrait as _, ActiveValue, ColumnTrait as _, DbErr, EntityTrait as _, IntoActiveModel as _,
    QueryFilter as _, Select,
};

use crate::budget_alerts::AskingBudget;
use crate::entity::budget;
use crate::entity::budget_request::{Column, Entity, Model};
use crate::error::{DatabaseError, ListError, WriteError};
use crate::page::Part;
use crate::scope::Scope;
use crate::stored;
use crate::write::WriteTx;

impl Scope<'_> {
    pub async fn budget_requests(&self, query: &BudgetRequestQuery) -> Result<Page<BudgetRequest>, ListError> {
        let part = Part::asked(&PageQuery {
            limit: query.limit,
            cursor: query.cursor.clone(),
        })?;
        let mut select = ours(self.id);
        if let Some(budget) = query.budget {
            select = select.filter(Column::Budget.eq(budget.uuid()));
        }
        if let Some(state) = query.state {
            select = select.filter(Column::State.eq(state.as_str()));
        }
        let rows = part.of(select, Column::Id).all(&self.connection).await?;
        part.page(rows, |row| row.id, read)
    }

    pub async fn budget_request(&self, id: BudgetRequestId) -> Result<Option<BudgetRequest>, DatabaseError> {
        let row = ours(self.id)
            .filter(Column::Id.eq(id.uuid()))
            .one(&self.connection)
            .await?;
        Ok(row.map(read).transpose()?)
    }
}

impl WriteTx {
    /// Who waits for an answer and asks again is a conflict.
    pub async fn ask_for_budget(
        &mut self,
        organization: OrganizationId,
        budget: BudgetId,
        id: BudgetRequestId,
        new: &NewBudgetRequest,
    ) -> Result<BudgetRequest, WriteError> {
        let budget = self.budget_row(organization, budget).await?;
        let waiting = ours(organization)
            .filter(Column::Budget.eq(budget.id))
            .filter(Column::State.eq(BudgetRequestState::Open.as_str()))
            .filter(Column::CreatedBy.eq(self.actor_label()));
        if waiting.one(&self.transaction).await?.is_some() {
            return Err(WriteError::conflict(
                "budget",
                "you have asked for more of it already: wait for the answer",
            ));
        }
        let row = Model {
            amount: Some(new.amount.get()),
            ..self.open_request(&budget, id, new.reason.clone())
        };
        stored::insert(&self.transaction, row.clone()).await?;
        Ok(read(row)?)
    }

    /// A budget asks by itself, once in a window: again is a conflict.
    pub async fn ask_for_refused(
        &mut self,
        asking: &AskingBudget,
        id: BudgetRequestId,
    ) -> Result<BudgetRequest, WriteError> {
        let budget = self.budget_row(asking.organization, asking.budget).await?;
        let asked = ours(asking.organization)
            .filter(Column::Budget.eq(budget.id))
            .filter(Column::AskedInMs.eq(asking.asked_in_ms));
        if asked.one(&self.transaction).await?.is_some() {
            return Err(WriteError::conflict("budget", "has asked in this window already"));
        }
        let row = Model {
            asked_in_ms: Some(asking.asked_in_ms),
            ..self.open_request(&budget, id, "it is spent, and requests are refused".to_owned())
        };
        stored::insert(&self.transaction, row.clone()).await?;
        Ok(read(row)?)
    }

    fn open_request(&self, budget: &budget::Model, id: BudgetRequestId, reason: String) -> Model {
        Model {
            id: id.uuid(),
            organization: budget.organization,
            budget: budget.id,
            asked_in_ms: None,
            amount: None,
            reason,
            state: BudgetRequestState::Open.as_str().to_owned(),
            increase: None,
            created_at: self.at,
            created_by: self.actor_label(),
            decided_at: None,
            decided_by: None,
        }
    }

    /// A request that was decided is a conflict.
    pub async fn decide_budget_request(
        &mut self,
        organization: OrganizationId,
        id: BudgetRequestId,
        decision: &BudgetDecision,
    ) -> Result<BudgetRequest, WriteError> {
        let row = ours(organization)
            .filter(Column::Id.eq(id.uuid()))
            .one(&self.transaction)
            .await?;
        let row = row.ok_or(WriteError::NotFound)?;
        let state = state(&row)?;
        if state != BudgetRequestState::Open {
            return Err(WriteError::conflict("state", format!("is {} already", state.as_str())));
        }
        let (budget, reason) = (BudgetId::from_uuid(row.budget), row.reason.clone());
        let mut row = row.into_active_model();
        let state = match decision {
            BudgetDecision::Approve { amount, expires_at } => {
                let increase = NewIncrease {
                    amount: *amount,
                    reason,
                    expires_at: *expires_at,
                };
                let made = self
                    .add_increase(organization, budget, IncreaseId::mint(), &increase)
                    .await?;
                row.increase = ActiveValue::Set(Some(made.id.uuid()));
                BudgetRequestState::Approved
            }
            BudgetDecision::Deny {} => BudgetRequestState::Denied,
        };
        row.state = ActiveValue::Set(state.as_str().to_owned());
        row.decided_at = ActiveValue::Set(Some(self.at));
        row.decided_by = ActiveValue::Set(Some(self.actor_label()));
        Ok(read(row.update(&self.transaction).await?)?)
    }
}

fn ours(organization: OrganizationId) -> Select<Entity> {
    Entity::find().filter(Column::Organization.eq(organization.uuid()))
}

fn state(row: &Model) -> Result<BudgetRequestState, DbErr> {
    stored::one_of("state", &row.state, BudgetRequestState::ALL, BudgetRequestState::as_str)
}

fn read(row: Model) -> Result<BudgetRequest, DbErr> {
    Ok(BudgetRequest {
        id: BudgetRequestId::from_uuid(row.id),
        budget: BudgetId::from_uuid(row.budget),
        amount: row.amount.map(Nanos::new),
        state: state(&row)?,
        reason: row.reason,
        increase: row.increase.map(IncreaseId::from_uuid),
        created_at: row.created_at,
        created_by: row.created_by,
        decided_at: row.decided_at,
        decided_by: row.decided_by,
    })
}
