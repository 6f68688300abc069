//! How budgets stand as the API tells it: what was spent, which steps were reached, and who asks when one refuses.

use gatewright_types::Page;
use gatewright_types::api::{Budget, BudgetAlert, BudgetRequest, BudgetState};
use harness::chat::refused;
use harness::installation::Installation;
use harness::spending::Spending;
use harness::wait::{SOON, eventually};
use serde_json::json;

async fn only(spending: &Spending) -> Budget {
    let budgets: Vec<Budget> = spending.organization.all("/budgets").await;
    let [budget]: [Budget; 1] = budgets.try_into().expect("there is one");
    budget
}

async fn state_once(spending: &Spending, spent: &str) -> BudgetState {
    eventually("what was spent is told", SOON, async || {
        let state = only(spending).await.state?;
        (state.spent.to_string() == spent).then_some(state)
    })
    .await
}

#[tokio::test]
async fn what_was_spent_is_told_and_each_step_that_was_reached_once() {
    let budget = json!({"scope": "organization", "amount": "0.03", "window": "month", "alerts": [30, 60, 100]});
    let spending = Spending::with_budget(Installation::shared().await, budget).await;
    let state = only(&spending).await.state.expect("it is understood");
    assert_eq!((state.spent.get(), state.reached.len()), (0, 0));
    assert_eq!(state.cap.map(|cap| cap.to_string()).as_deref(), Some("0.03"));
    assert!(state.from < state.to && state.to.is_some(), "{state:?}");

    spending.spend().await;
    spending.spend().await;

    let state = state_once(&spending, "0.02").await;
    assert_eq!(state.reached, [30, 60]);
    assert!(state.reserved.is_some());
    let path = spending
        .organization
        .path(&format!("/budgets/{}/alerts", only(&spending).await.id));
    let alerts = eventually("the steps are noted", SOON, async || {
        let page: Page<BudgetAlert> = spending.organization.owner.get(&path).await.expect(200).read();
        (page.items.len() == 2).then_some(page.items)
    })
    .await;
    let mut steps: Vec<_> = alerts.iter().map(|alert| alert.step).collect();
    steps.sort_unstable();
    assert_eq!(steps, [30, 60]);
    assert!(
        alerts
            .iter()
            .all(|alert| alert.name.is_none() && alert.from == state.from)
    );
}

#[tokio::test]
async fn a_budget_that_asks_does_so_once_however_often_it_refuses() {
    let budget = json!({"scope": "organization", "amount": "0", "window": "month", "action": "ask"});
    let spending = Spending::with_budget(Installation::shared().await, budget).await;

    for _ in 0..3 {
        refused(&spending.ask("m").await, 402, "budget_exceeded");
    }

    let path = spending.organization.path("/budget-requests?state=open");
    let requests = eventually("it asks", SOON, async || {
        let page: Page<BudgetRequest> = spending.organization.owner.get(&path).await.expect(200).read();
        (!page.items.is_empty()).then_some(page.items)
    })
    .await;
    // What was refused before has come in by now, or comes in before this one.
    refused(&spending.ask("m").await, 402, "budget_exceeded");
    eventually("all refusals came in", SOON, async || {
        (spending.organization.rows().await.len() >= 4).then_some(())
    })
    .await;
    let page: Page<BudgetRequest> = spending.organization.owner.get(&path).await.expect(200).read();
    assert_eq!(page.items, requests);
    let [request] = &requests[..] else {
        panic!("{requests:?}")
    };
    assert_eq!((request.amount, request.created_by.as_str()), (None, "system"));

    let decision = spending
        .organization
        .path(&format!("/budget-requests/{}/decision", request.id));
    let approval = json!({"approve": {"amount": "1", "expires_at": "2099-01-01T00:00:00Z"}});
    spending.organization.owner.post(&decision, &approval).await.expect(200);
    eventually("what was approved counts", SOON, async || {
        (spending.ask("m").await.status == 200).then_some(())
    })
    .await;
}
