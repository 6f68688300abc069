//! `gatewright ledger explain`: why budgets stand where they stand, and how far beyond their caps they may end.

use std::error::Error;

use gatewright_types::api::{
    Budget, BudgetAction, BudgetBound, BudgetExplanation, BudgetSpec, BudgetStanding, BudgetWindow,
};
use gatewright_types::{Nanos, Page, Slug};

use super::arguments::{Form, Place, json};
use super::client::{Client, ClientError};
use super::ledger::written;
use super::remote::{block_on, client_for};
use super::{Ending, complain, counted, say};
use crate::env::Strings;

#[derive(Debug, clap::Args)]
pub(super) struct Explain {
    #[command(flatten)]
    place: Place,
    /// One budget: its identifier, or what it is for, as it is listed: "team Search". All when absent.
    #[arg(long)]
    budget: Option<String>,
    /// Print JSON instead of text.
    #[arg(long, value_parser = json, num_args = 0, default_missing_value = "", default_value = "text")]
    json: Form,
}

pub(super) fn run(explain: &Explain, environment: &Strings) -> Ending {
    match block_on(explained(explain, environment)) {
        Ok(explanations) => {
            match explain.json {
                Form::Json => say(serde_json::json!(explanations)),
                Form::ForPeople => explanations.iter().flat_map(lines).for_each(say),
            }
            Ending::Done
        }
        Err(error) => complain(&*error),
    }
}

async fn explained(explain: &Explain, environment: &Strings) -> Result<Vec<BudgetExplanation>, Box<dyn Error>> {
    let (client, organization) = client_for(&explain.place, environment).await?;
    let mut budgets = budgets(&client, &organization).await?;
    if let Some(wanted) = &explain.budget {
        let is_wanted = |budget: &Budget| {
            budget.id.to_string() == *wanted || budget.scope_name.to_lowercase() == wanted.to_lowercase()
        };
        budgets.retain(is_wanted);
        if budgets.is_empty() {
            return Err(format!("there is no budget {wanted:?} in {organization}").into());
        }
    }
    let mut explanations = Vec::with_capacity(budgets.len());
    for budget in budgets {
        let path = format!("organizations/{organization}/budgets/{}/explain", budget.id);
        explanations.push(client.get(&path).await?);
    }
    Ok(explanations)
}

async fn budgets(client: &Client, organization: &Slug) -> Result<Vec<Budget>, ClientError> {
    let mut all = Vec::new();
    let mut cursor = String::new();
    loop {
        let path = format!("organizations/{organization}/budgets?limit=200{cursor}");
        let page: Page<Budget> = client.get(&path).await?;
        all.extend(page.items);
        match page.next_cursor {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return Ok(all),
        }
    }
}

fn lines(explanation: &BudgetExplanation) -> Vec<String> {
    let Budget {
        id,
        scope_name,
        spec,
        increases,
        state,
        ..
    } = &explanation.budget;
    let mut lines = vec![
        format!("{id}: for {scope_name}, {}", amount(spec)),
        format!("  as of {}", written(explanation.at)),
    ];
    for increase in increases {
        lines.push(format!(
            "  raised by {} USD until {}: {}",
            increase.amount,
            written(increase.expires_at),
            increase.reason
        ));
    }
    if let Some(state) = state {
        if spec.carry_over {
            lines.push(format!(
                "  carried over from the window before: {} USD",
                state.carried_over
            ));
        }
        let from = state.from.map_or_else(|| "ever".to_owned(), written);
        let to = match state.to {
            Some(to) => format!("to {}", written(to)),
            None => "on".to_owned(),
        };
        lines.push(format!("  window: from {from} {to}, days begin in {}", spec.time_zone));
    }
    if let Some(known_from) = explanation.known_from {
        lines.push(format!(
            "  knows what was spent since {}: earlier requests were removed before it counted them",
            written(known_from)
        ));
    }
    let bound = explanation.bound;
    lines.extend(explanation.standings.iter().flat_map(|one| standing(one, bound)));
    if explanation.standings.is_empty() {
        lines.push("  nothing was spent in this window".to_owned());
    }
    lines.push(format!("  bound: {}", explanation.formula));
    let cases = explanation.exceptions.iter();
    lines.extend(cases.map(|exception| format!("    does not hold when {}", exception.text)));
    lines
}

fn standing(standing: &BudgetStanding, bound: BudgetBound) -> Vec<String> {
    let mut lines = Vec::new();
    if let Some(name) = &standing.name {
        lines.push(format!("  for {name}:"));
    }
    lines.push(format!("  cap: {} USD", standing.cap));
    lines.push(format!(
        "  spent: {} USD in {}, {} USD in the ledger, {}",
        standing.rows.cost,
        counted(standing.rows.requests, "row"),
        standing.ledger,
        match &standing.counter {
            Some(counter) => format!(
                "{} USD in the counter, and {} USD leased to {}",
                counter.spent,
                counter.leased,
                counted(counter.leases, "node")
            ),
            None => "the counter cannot be asked".to_owned(),
        }
    ));
    lines.push(match standing.beyond {
        Nanos::ZERO => format!("  left: {} USD", standing.remaining),
        beyond => format!("  left: nothing, {beyond} USD are beyond the cap"),
    });
    match (bound, &standing.worst) {
        (BudgetBound::Smooth, Some(worst)) => lines.push(format!(
            "  as things are: spent <= {} + {} x ({} - {}) = {} USD: what is leased or left is enough for {} of \
             the usual {} USD, and the dearest of this window cost {} USD",
            standing.cap.saturating_add(standing.beyond),
            worst.under_way,
            worst.dearest,
            worst.usual,
            standing
                .cap
                .saturating_add(standing.beyond)
                .saturating_add(worst.beyond),
            counted(worst.under_way, "request"),
            worst.usual,
            worst.dearest
        )),
        (BudgetBound::Smooth, None) => {
            lines.push("  as things are: no request was counted yet by whose cost the sum could be told".to_owned());
        }
        (BudgetBound::Strict, _) => lines.push(format!("  as things are: spent <= {} USD", standing.cap)),
        (BudgetBound::None, _) => {}
    }
    lines
}

fn amount(spec: &BudgetSpec) -> String {
    let window = match spec.window {
        BudgetWindow::Hour => "an hour".to_owned(),
        BudgetWindow::Day => "a day".to_owned(),
        BudgetWindow::Week => "a week".to_owned(),
        BudgetWindow::Month => "a month".to_owned(),
        BudgetWindow::FiscalMonth { starts_on } => format!("a month from day {starts_on}"),
        BudgetWindow::Rolling(length) => format!("within {length}"),
        BudgetWindow::Total => "for ever".to_owned(),
    };
    let action = match &spec.action {
        BudgetAction::Block => "blocks".to_owned(),
        BudgetAction::Warn => "warns".to_owned(),
        BudgetAction::Ask => "blocks and asks".to_owned(),
        BudgetAction::Downgrade(model) => format!("sends requests to {model}"),
    };
    format!("{} USD {window}, {}, {action}", spec.amount, spec.mode.as_str())
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use gatewright_types::BudgetId;
    use gatewright_types::api::{BudgetExplanation, CounterReading, SpentByRequests, WorstCase};
    use serde_json::json;

    use super::*;

    #[test]
    fn a_smooth_budget_is_told_with_its_formula_and_the_numbers_of_now() {
        let nanos = |cents: i64| Nanos::new(cents * 10_000_000);
        let budget = json!({
            "id": BudgetId::mint(), "scope": "organization", "scope_name": "the organization", "amount": "5",
            "window": "month", "increases": [], "created_at": "2026-11-01T00:00:00Z", "created_by": "root",
            "state": {"from": "2026-11-01T00:00:00Z", "to": "2026-12-01T00:00:00Z", "cap": "5", "carried_over": "0",
                "spent": "2", "reserved": "1", "reached": []},
        });
        let explanation = BudgetExplanation {
            at: DateTime::UNIX_EPOCH,
            budget: serde_json::from_value(budget).expect("a budget"),
            bound: BudgetBound::Smooth,
            formula: "spent <= cap + the sum".to_owned(),
            standings: vec![BudgetStanding {
                name: None,
                cap: nanos(500),
                rows: SpentByRequests {
                    requests: 10,
                    cost: nanos(200),
                    dearest: nanos(90),
                },
                ledger: nanos(200),
                counter: Some(CounterReading {
                    spent: nanos(200),
                    leased: nanos(100),
                    leases: 2,
                }),
                remaining: nanos(200),
                beyond: Nanos::ZERO,
                worst: Some(WorstCase {
                    usual: nanos(20),
                    dearest: nanos(90),
                    under_way: 15,
                    beyond: nanos(1_050),
                }),
            }],
            nodes: Some(2),
            exceptions: Vec::new(),
            known_from: "2026-11-10T00:00:00Z".parse().ok(),
        };

        let lines = lines(&explanation);

        assert_eq!(
            lines.get(1..).expect("the first has an identifier"),
            [
                "  as of 1970-01-01T00:00:00.000Z",
                "  window: from 2026-11-01T00:00:00.000Z to 2026-12-01T00:00:00.000Z, days begin in UTC",
                "  knows what was spent since 2026-11-10T00:00:00.000Z: earlier requests were removed before it counted them",
                "  cap: 5.00 USD",
                "  spent: 2.00 USD in 10 rows, 2.00 USD in the ledger, 2.00 USD in the counter, and 1.00 USD leased to 2 nodes",
                "  left: 2.00 USD",
                "  as things are: spent <= 5.00 + 15 x (0.90 - 0.20) = 15.50 USD: what is leased or left is enough for 15 \
                 requests of the usual 0.20 USD, and the dearest of this window cost 0.90 USD",
                "  bound: spent <= cap + the sum",
            ]
        );
    }
}
