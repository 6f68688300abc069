//! Budgets, what is added to them for a while, and who asks for more.

use gatewright_types::api::{
    Budget, BudgetAlert, BudgetChange, BudgetCourse, BudgetCourseQuery, BudgetDecision, BudgetRequest,
    BudgetRequestQuery, LimitScopeQuery, NewBudget, NewBudgetRequest, NewIncrease,
};
use gatewright_types::{BudgetId, BudgetRequestId, IncreaseId, Page};

use super::{Method, Pending, body, with_query};
use crate::session::Workspace;

impl Workspace {
    pub(crate) fn budgets(self, query: &LimitScopeQuery) -> Pending<Page<Budget>> {
        self.api.get(with_query(&self.path("budgets"), query))
    }

    pub(crate) fn budget(self, budget: BudgetId) -> Pending<Budget> {
        self.api.get(self.path(&format!("budgets/{budget}")))
    }

    pub(crate) fn create_budget(self, budget: &NewBudget) -> Pending<Budget> {
        self.api.post(self.path("budgets"), body(budget))
    }

    pub(crate) fn change_budget(self, budget: BudgetId, change: &BudgetChange) -> Pending<Budget> {
        self.api.patch(self.path(&format!("budgets/{budget}")), body(change))
    }

    pub(crate) fn delete_budget(self, budget: BudgetId) -> Pending<()> {
        self.api.delete(self.path(&format!("budgets/{budget}")))
    }

    /// What was spent in its window of now.
    pub(crate) fn budget_course(self, budget: BudgetId, query: &BudgetCourseQuery) -> Pending<BudgetCourse> {
        let path = self.path(&format!("budgets/{budget}/course"));
        self.api.get(with_query(&path, query))
    }

    /// What was reached, the newest first.
    pub(crate) fn budget_alerts(self, budget: BudgetId) -> Pending<Page<BudgetAlert>> {
        self.api.get(self.path(&format!("budgets/{budget}/alerts")))
    }

    pub(crate) fn add_increase(self, budget: BudgetId, increase: &NewIncrease) -> Pending<()> {
        let path = self.path(&format!("budgets/{budget}/increases"));
        self.api.order(Method::POST, path, Some(body(increase)))
    }

    pub(crate) fn end_increase(self, budget: BudgetId, increase: IncreaseId) -> Pending<()> {
        self.api
            .delete(self.path(&format!("budgets/{budget}/increases/{increase}")))
    }

    pub(crate) fn ask_for_budget(self, budget: BudgetId, request: &NewBudgetRequest) -> Pending<()> {
        let path = self.path(&format!("budgets/{budget}/requests"));
        self.api.order(Method::POST, path, Some(body(request)))
    }

    pub(crate) fn budget_requests(self, query: &BudgetRequestQuery) -> Pending<Page<BudgetRequest>> {
        self.api.get(with_query(&self.path("budget-requests"), query))
    }

    pub(crate) fn decide_budget_request(self, request: BudgetRequestId, decision: &BudgetDecision) -> Pending<()> {
        let path = self.path(&format!("budget-requests/{request}/decision"));
        self.api.order(Method::POST, path, Some(body(decision)))
    }
}
