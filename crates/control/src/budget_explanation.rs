//! Why a budget stands where it stands: what rows, the ledger and the counters say of its window, and the bound of what may be
//! spent beyond its cap, with the numbers of now.

use std::ops::RangeInclusive;

use chrono::{DateTime, Utc};
use gatewright_contract::{Budget as Compiled, Counting};
use gatewright_coord::{CounterStanding, Counters};
use gatewright_store::Scope;
use gatewright_types::api::{
    BoundException, Budget, BudgetBound, BudgetExplanation, BudgetMode, BudgetStanding, CounterReading,
    ExplainedException, SpentByRequests, UnpricedRequests, WhenUnavailable, WorstCase,
};
use gatewright_types::{Nanos, OrganizationId};

use crate::control::Control;
use crate::error::{ApiError, chain};
use crate::ledger::booked::{Booked, booked};
use crate::ledger::reconciler::{ReconcileError, beside, parts};

const SMOOTH: &str = "spent <= cap + the sum, over the requests that are under way while their node asks for the last one it \
     lets in, of what each costs beyond what it reserved";
const STRICT: &str = "spent <= cap: each request reserves the most that it can cost, so that nothing is left of the sum of \
     what requests cost beyond what they reserved";
const NONE: &str = "no bound: this budget refuses nobody";

/// A budget is told with its state, and once more as nodes count by it.
pub(crate) async fn explained(
    control: &Control,
    organization: OrganizationId,
    budget: Budget,
    compiled: &Compiled,
) -> Result<BudgetExplanation, ApiError> {
    let scope = control.db.organization(organization);
    let (at, booked) = read(control, &scope, organization, compiled).await?;
    let counting = compiled.counting(at);
    let cap = match &budget.state {
        Some(state) => state.cap.unwrap_or_else(|| compiled.cap(at)),
        None => compiled.cap(at),
    };
    let mut rows = scope
        .spent_by_requests(compiled.id, windows(compiled, counting, at))
        .await?;
    let bound = match (compiled.blocks(), compiled.spec.mode) {
        (false, _) => BudgetBound::None,
        (true, BudgetMode::Smooth) => BudgetBound::Smooth,
        (true, BudgetMode::Strict) => BudgetBound::Strict,
    };
    let of_now = booked.into_iter().filter(|(booked, _)| booked.counting == counting);
    let standings = of_now.map(|(booked, counter)| {
        let rows = rows.remove(&booked.name).unwrap_or_default();
        standing(bound, cap, &booked, counter.as_ref(), rows, at)
    });
    let standings = standings.collect();
    let nodes = match control.health.reports().await {
        Ok(reports) => Some(u32::try_from(reports.len()).unwrap_or(u32::MAX)),
        Err(_) => None,
    };
    Ok(BudgetExplanation {
        at,
        bound,
        formula: match bound {
            BudgetBound::Smooth => SMOOTH,
            BudgetBound::Strict => STRICT,
            BudgetBound::None => NONE,
        }
        .to_owned(),
        standings,
        nodes,
        exceptions: exceptions(bound, compiled, &control.counters, nodes),
        known_from: scope.known_from(compiled, at).await?,
        budget,
    })
}

/// What the ledger has for each counter of the budget, and how that stands where it can be asked.
async fn read(
    control: &Control,
    scope: &Scope<'_>,
    organization: OrganizationId,
    budget: &Compiled,
) -> Result<(DateTime<Utc>, Vec<(Booked, Option<CounterStanding>)>), ApiError> {
    let budgets = std::slice::from_ref(budget);
    let asked = async {
        let now = control.counters.now().await?;
        let beside = beside(scope, &control.counters, organization, budgets, now).await?;
        Ok::<_, ReconcileError>((now, beside))
    };
    match asked.await {
        Ok((now, beside)) => {
            let told = beside.into_iter().map(|(booked, standing)| (booked, Some(standing)));
            Ok((now, told.collect()))
        }
        Err(error) => {
            tracing::debug!(error = %chain(&error), "a budget is explained without its counters");
            let now = Utc::now();
            let booked = booked(scope, budgets, now).await?;
            Ok((now, booked.into_iter().map(|booked| (booked, None)).collect()))
        }
    }
}

/// Where the windows begin in which requests count now.
fn windows(budget: &Compiled, counting: Counting, at: DateTime<Utc>) -> RangeInclusive<i64> {
    match counting {
        Counting::Period(_) | Counting::Total => {
            let from_ms = budget.share(counting, at, None).from_ms;
            from_ms..=from_ms
        }
        Counting::Rolling { .. } => counting.since(at).timestamp_millis()..=i64::MAX,
    }
}

fn standing(
    bound: BudgetBound,
    cap: Nanos,
    booked: &Booked,
    counter: Option<&CounterStanding>,
    rows: SpentByRequests,
    at: DateTime<Utc>,
) -> BudgetStanding {
    let ledger: i64 = booked.parts.values().sum();
    let reading = counter.map(|counter| CounterReading {
        spent: Nanos::new(parts(booked, counter, at).values().map(|(_, counter)| counter).sum()),
        leased: Nanos::new(counter.leased.values().sum()),
        leases: u32::try_from(counter.leased.values().filter(|lease| **lease > 0).count()).unwrap_or(u32::MAX),
    });
    // Of a budget for each, what was carried over differs.
    let cap = match counter.and_then(|counter| counter.cap) {
        Some(told) if booked.name.is_some() => Nanos::new(told),
        Some(_) | None => cap,
    };
    let (spent, leased) = match reading {
        Some(reading) => (reading.spent.max(Nanos::new(ledger)), reading.leased),
        None => (Nanos::new(ledger), Nanos::ZERO),
    };
    let remaining = cap.saturating_sub(spent).saturating_sub(leased).max(Nanos::ZERO);
    BudgetStanding {
        name: booked.name.clone(),
        cap,
        rows,
        ledger: Nanos::new(ledger),
        counter: reading,
        remaining,
        beyond: spent.saturating_sub(cap).max(Nanos::ZERO),
        worst: (bound == BudgetBound::Smooth)
            .then(|| worst(rows, leased.saturating_add(remaining)))
            .flatten(),
    }
}

/// Nothing where nothing was spent so far.
fn worst(rows: SpentByRequests, reservable: Nanos) -> Option<WorstCase> {
    let requests = i64::try_from(rows.requests).ok()?;
    let usual = Nanos::new(rows.cost.get().checked_div(requests)?);
    let under_way = reservable.get().checked_div(usual.get())?.max(0);
    let each = rows.dearest.saturating_sub(usual).get();
    Some(WorstCase {
        usual,
        dearest: rows.dearest,
        under_way: u64::try_from(under_way).unwrap_or(0),
        beyond: Nanos::new(each.saturating_mul(under_way)),
    })
}

fn exceptions(
    bound: BudgetBound,
    budget: &Compiled,
    counters: &Counters,
    nodes: Option<u32>,
) -> Vec<ExplainedException> {
    let mut all = Vec::new();
    let mut add = |case, text: String| all.push(ExplainedException { case, text });
    if bound == BudgetBound::None {
        return all;
    }
    let (lasts, is_strict) = match budget.spec.mode {
        BudgetMode::Smooth => ("30 seconds", false),
        BudgetMode::Strict => ("10 minutes", true),
    };
    // A process that has its counters in itself can always ask them, and fills them from its journal when it begins.
    let is_shared = matches!(counters, Counters::Redis(_));
    if is_shared {
        add(
            BoundException::CountersLost,
            "Redis is flushed: until nodes have handed over what they spent, the counter lacks it".to_owned(),
        );
        add(
            BoundException::NodeLost,
            format!(
                "a node is killed and not back within {lasts}: what it spent and did not report is free until then"
            ),
        );
    }
    let usual = if is_strict {
        WhenUnavailable::Deny
    } else {
        WhenUnavailable::Local
    };
    if is_shared && budget.spec.when_unavailable.unwrap_or(usual) == WhenUnavailable::Local {
        let shares = match nodes {
            Some(1) => "1 node was heard of now".to_owned(),
            Some(nodes) => format!("{nodes} nodes were heard of now"),
            None => "which nodes there are cannot be told now".to_owned(),
        };
        add(
            BoundException::Unavailable,
            format!(
                "nodes cannot ask: each then goes on with its lease and an equal share, by the nodes it last knew of, of what \
                 it last heard is left, or of the whole cap where it heard nothing: in sum up to what was left when they \
                 heard it, or the cap, and one share more for each node that the others did not know of ({shares})"
            ),
        );
    }
    let unpriced = if is_strict {
        UnpricedRequests::Block
    } else {
        UnpricedRequests::Allow
    };
    if budget.spec.unpriced.unwrap_or(unpriced) == UnpricedRequests::Allow {
        add(
            BoundException::Unpriced,
            "requests without a known price are let in and count as nothing, until they are priced".to_owned(),
        );
    }
    add(
        BoundException::Changed,
        "requests are priced anew, or the cap is lowered, once they were let in".to_owned(),
    );
    add(
        BoundException::Opening,
        "the budget was made in this window: records of requests before it may come in for an hour".to_owned(),
    );
    all
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use chrono::TimeDelta;
    use gatewright_types::api::{BudgetSpec, LimitScope};
    use gatewright_types::{BudgetId, NodeId};
    use serde_json::json;

    use super::*;

    const CAP: i64 = 100;
    const LEASES: [i64; 3] = [5, 0, 7];

    fn booked(name: Option<&str>, ledger: i64) -> Booked {
        Booked {
            budget: BudgetId::mint(),
            name: name.map(|name| name.parse().expect("a name")),
            from: None,
            mode: BudgetMode::Smooth,
            key: "counter".into(),
            counting: Counting::Total,
            parts: BTreeMap::from([(0, ledger)]),
        }
    }

    fn counter(spent: i64, cap: i64) -> CounterStanding {
        CounterStanding {
            parts: BTreeMap::from([(0, spent)]),
            leased: LEASES.map(|lease| (NodeId::mint(), lease)).into(),
            cap: Some(cap),
        }
    }

    fn rows(requests: u64, cost: i64, dearest: i64) -> SpentByRequests {
        SpentByRequests {
            requests,
            cost: Nanos::new(cost),
            dearest: Nanos::new(dearest),
        }
    }

    fn stands(bound: BudgetBound, booked: &Booked, counter: Option<&CounterStanding>) -> BudgetStanding {
        standing(bound, Nanos::new(CAP), booked, counter, rows(2, 20, 15), Utc::now())
    }

    #[test]
    fn what_is_left_is_what_neither_counter_nor_ledger_have_spent_and_no_node_holds() {
        let left = |ledger, counted| {
            let standing = stands(BudgetBound::Smooth, &booked(None, ledger), Some(&counter(counted, CAP)));
            (standing.remaining.get(), standing.beyond.get())
        };

        assert_eq!(left(20, 30), (58, 0));
        assert_eq!(left(40, 30), (48, 0));
        assert_eq!(left(20, 95), (0, 0));
        assert_eq!(left(20, 120), (0, 20));
        assert_eq!(left(130, 30), (0, 30));
    }

    #[test]
    fn ledger_counter_and_leases_are_told_each_as_it_is() {
        let standing = stands(BudgetBound::Smooth, &booked(None, 20), Some(&counter(30, CAP)));
        let reading = standing.counter.expect("it can be asked");

        assert_eq!((standing.ledger.get(), reading.spent.get()), (20, 30));
        assert_eq!((reading.leased.get(), reading.leases), (12, 2));
        let worst = standing.worst.expect("there were requests");
        // Of usual size fit into what nodes hold and what is left.
        assert_eq!((worst.usual.get(), worst.under_way, worst.beyond.get()), (10, 7, 35));
        assert!(
            stands(BudgetBound::Strict, &booked(None, 20), Some(&counter(30, CAP)))
                .worst
                .is_none()
        );
        assert!(
            stands(BudgetBound::None, &booked(None, 20), Some(&counter(30, CAP)))
                .worst
                .is_none()
        );
    }

    #[test]
    fn without_its_counter_a_budget_stands_as_the_ledger_says() {
        let standing = stands(BudgetBound::Smooth, &booked(None, 20), None);

        assert_eq!((standing.counter, standing.remaining.get()), (None, 80));
    }

    #[test]
    fn each_of_many_has_the_cap_that_its_counter_was_told() {
        let cap = |name| {
            let standing = stands(BudgetBound::Smooth, &booked(name, 20), Some(&counter(30, 130)));
            standing.cap.get()
        };

        assert_eq!((cap(Some("ada")), cap(None)), (130, CAP));
    }

    #[test]
    fn rows_are_of_the_window_in_which_requests_count_now() {
        let at: DateTime<Utc> = "2026-11-30T12:34:56Z".parse().expect("a time");
        let windows = |window| {
            let spec = json!({"amount": "1", "window": window});
            let unit = gatewright_contract::BudgetUnit {
                scope: LimitScope::Organization,
                spec: serde_json::from_value::<BudgetSpec>(spec).expect("a budget"),
                increases: Vec::new(),
                since: None,
            };
            let budget = Compiled::compiled(BudgetId::mint(), &unit).expect("it compiles");
            let windows = windows(&budget, budget.counting(at), at);
            (*windows.start(), *windows.end())
        };
        let midnight = at.timestamp_millis() - 45_296_000;

        assert_eq!(windows(json!("day")), (midnight, midnight));
        assert_eq!(windows(json!("total")), (0, 0));
        let an_hour_ago = at - TimeDelta::hours(1);
        // The part that began last before it counts as a whole.
        assert_eq!(
            windows(json!({"rolling": "1h"})),
            (an_hour_ago.timestamp_millis() - 56_000, i64::MAX)
        );
    }

    #[test]
    fn the_worst_case_fills_what_can_be_reserved_with_requests_of_the_usual_size() {
        let check = |rows, reservable, expected: Option<(u64, i64)>| {
            let worst = worst(rows, Nanos::new(reservable));
            assert_eq!(
                worst.map(|worst| (worst.under_way, worst.beyond.get())),
                expected,
                "{rows:?}"
            );
        };

        check(rows(0, 0, 0), 100, None);
        check(rows(3, 0, 0), 100, None);
        check(rows(4, 40, 25), 100, Some((10, 150)));
        check(rows(4, 40, 10), 109, Some((10, 0)));
        check(rows(4, 40, 25), 9, Some((0, 0)));
    }
}
