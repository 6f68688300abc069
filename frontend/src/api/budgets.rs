//! Budgets, what is added to them for a while, and who asks for more.

use gatewright_types::api::{
    Budget, BudgetAlert, BudgetChange, BudgetDecision, BudgetRequest, BudgetRequestQuery, Increase, LimitScopeQuery,
    NewBudget, NewBudgetRequest, NewIncrease,
};
use gatewright_types::{BudgetId, BudgetRequestId, IncreaseId, Page};

use super::{Answer, body, with_query};
use crate::session::Workspace;

impl Workspace {
    pub(crate) async fn budgets(self, query: &LimitScopeQuery) -> Answer<Page<Budget>> {
        self.api.get(with_query(&self.path("budgets"), query)).await
    }

    pub(crate) async fn budget(self, budget: BudgetId) -> Answer<Budget> {
        self.api.get(self.path(&format!("budgets/{budget}"))).await
    }

    pub(crate) async fn create_budget(self, budget: &NewBudget) -> Answer<Budget> {
        self.api.post(self.path("budgets"), body(budget)).await
    }

    pub(crate) async fn change_budget(self, budget: BudgetId, change: &BudgetChange) -> Answer<Budget> {
        self.api
            .patch(self.path(&format!("budgets/{budget}")), body(change))
            .await
    }

    pub(crate) async fn delete_budget(self, budget: BudgetId) -> Answer<()> {
        self.api.delete(self.path(&format!("budgets/{budget}"))).await
    }

    /// What was reached, the newest first.
    pub(crate) async fn budget_alerts(self, budget: BudgetId) -> Answer<Page<BudgetAlert>> {
        self.api.get(self.path(&format!("budgets/{budget}/alerts"))).await
    }

    pub(crate) async fn add_increase(self, budget: BudgetId, increase: &NewIncrease) -> Answer<Increase> {
        self.api
            .post(self.path(&format!("budgets/{budget}/increases")), body(increase))
            .await
    }

    pub(crate) async fn end_increase(self, budget: BudgetId, increase: IncreaseId) -> Answer<()> {
        self.api
            .delete(self.path(&format!("budgets/{budget}/increases/{increase}")))
            .await
    }

    pub(crate) async fn ask_for_budget(self, budget: BudgetId, request: &NewBudgetRequest) -> Answer<BudgetRequest> {
        self.api
            .post(self.path(&format!("budgets/{budget}/requests")), body(request))
            .await
    }

    pub(crate) async fn budget_requests(self, query: &BudgetRequestQuery) -> Answer<Page<BudgetRequest>> {
        self.api.get(with_query(&self.path("budget-requests"), query)).await
    }

    pub(crate) async fn decide_budget_request(
        self,
        request: BudgetRequestId,
        decision: &BudgetDecision,
    ) -> Answer<BudgetRequest> {
        self.api
            .post(
                self.path(&format!("budget-requests/{request}/decision")),
                body(decision),
            )
            .await
    }
}
