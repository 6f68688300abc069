//! Requests are priced anew: what that comes to is told first, then added everywhere they count, once, whatever is killed.

use std::time::Duration;

use gatewright_types::api::{Budget, Chargeback, LeftAlone, Price, Reprice, RepriceState, UsageRow, UsageSeries};
use gatewright_types::{Money, Month, Nanos};
use harness::installation::Installation;
use harness::organization::{Key, Organization};
use harness::wait::{SOON, eventually};
use serde_json::{Value, json};
use tokio::task::JoinSet;
use tokio::time::sleep;

use crate::ledger::{counted, is_clean, ledger, told};

const ENDS: Duration = Duration::from_secs(60);
const COUNTED: Duration = Duration::from_secs(90);
const CALLERS: usize = 60;
const CALLS: usize = 30;

/// From now on, and for everything before.
async fn price_since_ever(organization: &Organization, input: &str, output: &str) -> Price {
    let prices: Vec<Price> = organization.all("/prices").await;
    let price = json!({
        "provider": "sandbox", "model": "echo", "rates": {"input": input, "output": output},
        "effective_from": "2026-01-01T00:00:00Z",
    });
    for old in prices {
        let path = organization.path(&format!("/prices/{}", old.id));
        organization.owner.delete(&path).await.expect(204);
    }
    let made = organization.owner.post(&organization.path("/prices"), &price).await;
    made.expect(201).read()
}

fn asked(more: &Value) -> Value {
    let mut body = json!({
        "from": chrono::Utc::now() - Duration::from_secs(7_200), "to": chrono::Utc::now(), "reason": "it was wrong",
    });
    let into = body.as_object_mut().expect("an object");
    into.extend(more.as_object().expect("an object").clone());
    body
}

async fn begun(organization: &Organization, more: &Value) -> Reprice {
    let answer = organization
        .owner
        .post(&organization.path("/reprice"), &asked(more))
        .await;
    answer.expect(200).read()
}

async fn ended(organization: &Organization, run: &Reprice) -> Reprice {
    let path = organization.path(&format!("/reprice/{}", run.id));
    eventually("the run ends", ENDS, async || {
        let answer = organization.owner.get(&path).await;
        let run: Reprice = answer.expect(200).read();
        (run.state != RepriceState::Running).then_some(run)
    })
    .await
}

async fn applied(organization: &Organization, more: &Value) -> Reprice {
    let run = begun(organization, more).await;
    let run = ended(organization, &run).await;
    assert_eq!(run.state, RepriceState::Done, "{run:?}");
    run
}

fn sum(costs: impl Iterator<Item = Option<Money>>) -> Nanos {
    costs
        .flatten()
        .fold(Nanos::ZERO, |sum, cost| sum.saturating_add(cost.amount))
}

async fn total_of_sums(organization: &Organization) -> (Nanos, u64) {
    let time = |seconds: i64| {
        let time = chrono::Utc::now() + chrono::TimeDelta::seconds(seconds);
        time.to_rfc3339_opts(chrono::SecondsFormat::Secs, true)
    };
    let path = format!("/usage/series?from={}&to={}&by=none", time(-7_200), time(3_600));
    let series = organization.owner.get(&organization.path(&path)).await;
    let series: UsageSeries = series.expect(200).read();
    (series.totals.cost, series.totals.unpriced)
}

/// By the reports of this month and of the one before, in which the test may have begun.
async fn borne(organization: &Organization) -> (Nanos, u64) {
    let (mut cost, mut unpriced) = (Nanos::ZERO, 0);
    let now = Month::of(chrono::Utc::now());
    for month in [Month::of(now.start() - chrono::TimeDelta::hours(1)), now] {
        let path = organization.path(&format!("/chargeback?month={month}"));
        let report: Chargeback = organization.owner.get(&path).await.expect(200).read();
        cost = cost.saturating_add(report.sums.total.amount);
        unpriced += report.sums.unpriced;
    }
    (cost, unpriced)
}

/// Many requests, all of which are counted.
async fn many(organization: &Organization, key: &Key) -> Vec<UsageRow> {
    let before = organization.rows().await.len();
    let mut callers = JoinSet::new();
    for number in 0..CALLERS {
        let chat = organization.chat_at(number % organization.nodes.len(), key);
        callers.spawn(async move {
            for _ in 0..CALLS {
                chat.ask("echo").await.expect(200);
            }
        });
    }
    callers.join_all().await;
    eventually("all requests are counted", COUNTED, async || {
        let rows = organization.rows().await;
        (rows.len() >= before + CALLERS * CALLS).then_some(rows)
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_requests_come_to_is_told_and_then_added_wherever_they_count() {
    let installation = Installation::shared().await;
    let (organization, key) = counted(installation).await;
    organization.model("nameless", "sandbox/nameless", &json!({})).await;
    organization.settled(&key, &["echo", "nameless"]).await;
    for _ in 0..10 {
        organization.chat(&key).ask("echo").await.expect(200);
        organization.chat(&key).ask("nameless").await.expect(200);
    }
    organization.usage_settles().await;
    let charged = organization.rows().await;
    let before = sum(charged.iter().map(|row| row.cost));
    let unpriced = charged.iter().filter(|row| row.cost.is_none()).count();
    assert_eq!(unpriced, 10, "the sandbox has a price for a name it does not know");

    let price = price_since_ever(&organization, "6.00", "45.00").await;
    let dry_run = begun(&organization, &json!({"dry_run": true})).await;
    assert_eq!((dry_run.dry_run, dry_run.state), (true, RepriceState::Running));
    let told_before = ended(&organization, &dry_run).await;

    assert_eq!((told_before.dry_run, told_before.state), (true, RepriceState::Done));
    let left_alone = told_before.sums.parts.iter().find(|part| part.left_alone.is_some());
    let left_alone = left_alone.expect("some are left alone");
    assert_eq!(
        (left_alone.left_alone, left_alone.requests),
        (Some(LeftAlone::NoPrice), 10)
    );
    let sums = &told_before.sums;
    assert_eq!((sums.unpriceable, sums.before), (10, before), "{sums:?}");
    assert_eq!(sums.requests, sums.changed + 10);
    assert!(
        sums.after > before
            && sums
                .parts
                .iter()
                .any(|part| part.price_version == Some(price.id.to_string()))
    );
    let untouched = organization.rows().await;
    assert!(untouched.iter().all(|row| row.adjustments.is_empty()));
    assert_eq!(total_of_sums(&organization).await, (before, 10));
    is_clean(&organization).await;

    let as_told = json!({"as_told_by": told_before.id, "from": told_before.from, "to": told_before.to});
    let run = applied(&organization, &as_told).await;

    assert_eq!(run.sums, told_before.sums);
    let rows = organization.rows().await;
    for (row, charged) in rows.iter().zip(&charged) {
        assert_eq!(
            (row.id, row.cost, &row.lines),
            (charged.id, charged.cost, &charged.lines)
        );
        match row.cost {
            Some(_) => {
                let [adjustment] = row.adjustments.as_slice() else {
                    panic!("{row:?}")
                };
                assert_eq!((adjustment.reprice, Some(adjustment.cost)), (run.id, row.adjusted_cost));
                assert_eq!(adjustment.lines.len(), row.lines.len());
                assert_eq!(adjustment.reason.as_deref(), Some("it was wrong"));
                assert_eq!(adjustment.price_versions, [price.id.to_string()]);
                assert_eq!(adjustment.price_versions_before.len(), 1);
                assert_ne!(adjustment.price_versions_before, adjustment.price_versions);
                let path = organization.path(&format!("/usage/{}", row.id));
                let one: UsageRow = organization.owner.get(&path).await.expect(200).read();
                assert_eq!(&one, row);
            }
            None => assert_eq!((row.adjustments.len(), row.adjusted_cost), (0, None)),
        }
    }
    assert_eq!(sum(rows.iter().map(|row| row.adjusted_cost)), sums.after);
    assert_eq!(total_of_sums(&organization).await, (sums.after, 10));
    assert_eq!(borne(&organization).await, (sums.after, 10));
    budgets_stand_at(&organization, sums.after).await;
    is_clean(&organization).await;

    let again = applied(&organization, &json!({})).await;
    assert_eq!(
        (again.sums.changed, again.sums.before, again.sums.after),
        (0, sums.after, sums.after)
    );
    let actions = organization.actions().await;
    for action in ["reprice.create", "reprice.end"] {
        assert_eq!(
            actions.iter().filter(|known| *known == action).count(),
            2,
            "{actions:?}"
        );
    }

    let priced = json!({
        "provider": "sandbox", "model": "nameless", "rates": {"input": "1.00", "output": "1.00"},
        "effective_from": "2026-01-01T00:00:00Z",
    });
    organization
        .owner
        .post(&organization.path("/prices"), &priced)
        .await
        .expect(201);
    let of_one = applied(&organization, &json!({"provider": "sandbox", "model": "nameless"})).await;
    assert_eq!(
        (of_one.sums.requests, of_one.sums.changed, of_one.sums.before),
        (10, 10, Nanos::ZERO)
    );
    let (cost, unpriced) = total_of_sums(&organization).await;
    assert_eq!((cost, unpriced), (sums.after.saturating_add(of_one.sums.after), 0));
    budgets_stand_at(&organization, cost).await;
    is_clean(&organization).await;
}

/// The widest budget, in its window and by what nodes go by.
async fn budgets_stand_at(organization: &Organization, cost: Nanos) {
    let budgets: Vec<Budget> = organization.all("/budgets").await;
    let month = budgets
        .iter()
        .find(|budget| json!(budget.spec.window) == json!("month"));
    let path = organization.path(&format!("/budgets/{}", month.expect("it was made").id));
    eventually("the budget stands at it", SOON, async || {
        let budget: Budget = organization.owner.get(&path).await.expect(200).read();
        (budget.state.expect("it counts").spent == cost).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_that_is_killed_goes_on_and_adjusts_each_request_once() {
    let mut installation = Installation::fresh().await;
    let (organization, key) = counted(&installation).await;
    many(&organization, &key).await;
    let mut price = 1;

    // A run may be over before it is seen to run.
    let run = loop {
        price += 1;
        assert!(price < 12, "runs are over too soon to be killed");
        price_since_ever(&organization, &format!("{price}.00"), "45.00").await;
        let run = begun(&organization, &json!({})).await;
        let path = organization.path(&format!("/reprice/{}", run.id));
        let seen = eventually("it is under way", ENDS, async || {
            let run: Reprice = organization.owner.get(&path).await.expect(200).read();
            (run.sums.requests > 0).then_some(run)
        })
        .await;
        if seen.state == RepriceState::Running {
            installation.control_node_mut().kill();
            break seen;
        }
    };
    sleep(Duration::from_millis(200)).await;
    installation.control_node_mut().restart().await;

    let path = organization.path(&format!("/reprice/{}", run.id));
    let found: Reprice = organization.owner.get(&path).await.expect(200).read();
    // Nobody takes it up before it is known that the killed one does not work on it any more.
    if found.state == RepriceState::Running {
        let other = organization
            .owner
            .post(&organization.path("/reprice"), &asked(&json!({})))
            .await;
        assert!(other.expect(409).text().contains("is running"));
    }
    let run = ended(&organization, &found).await;

    assert_eq!(run.state, RepriceState::Done, "{run:?}");
    let rows = organization.rows().await;
    for row in &rows {
        let of_run = row.adjustments.iter().filter(|one| one.reprice == run.id).count();
        assert_eq!(of_run, 1, "{row:?}");
    }
    assert_eq!(run.sums.changed, rows.len() as u64);
    assert_eq!(sum(rows.iter().map(|row| row.adjusted_cost)), run.sums.after);
    assert_eq!(total_of_sums(&organization).await.0, run.sums.after);
    is_clean(&organization).await;
}

#[tokio::test]
async fn a_run_is_refused_with_what_is_wrong_and_told_by_the_command() {
    let (organization, _) = counted(Installation::shared().await).await;
    organization.usage_settles().await;
    let path = organization.path("/reprice");
    let now = chrono::Utc::now();

    for (wrong, field) in [
        (json!({"to": now + Duration::from_secs(60)}), "to"),
        (json!({"to": now - Duration::from_secs(9_000)}), "to"),
        (json!({"reason": " "}), "reason"),
        (json!({"priced_at": now + Duration::from_secs(60)}), "priced_at"),
    ] {
        let answer = organization.owner.post(&path, &asked(&wrong)).await.expect(422);
        assert!(answer.json()["error"]["fields"][field].is_string(), "{}", answer.text());
    }

    price_since_ever(&organization, "9.00", "45.00").await;
    let from = (now - Duration::from_secs(7_200)).to_rfc3339();
    let to = chrono::Utc::now().to_rfc3339();
    let range = ["reprice", "--from", &from, "--to", &to, "--reason", "it was wrong"];
    let dry = ledger(&organization, &[&range[..], &["--dry-run"]].concat()).await;
    assert_eq!(dry.status.code(), Some(0), "{}", told(&dry));
    assert!(told(&dry).contains("nothing was changed"), "{}", told(&dry));
    assert!(told(&dry).contains("began: a dry run"), "{}", told(&dry));
    let done = ledger(&organization, &[&range[..], &["--json"]].concat()).await;

    assert_eq!(done.status.code(), Some(0), "{}", told(&done));
    let run: Reprice = serde_json::from_slice(&done.stdout).expect("it is JSON");
    assert_eq!(run.state, RepriceState::Done);
    assert!(run.sums.changed > 0);
}

#[tokio::test]
async fn a_run_is_cancelled_by_those_who_may_and_only_in_their_organization() {
    let installation = Installation::fresh().await;
    let (organization, key) = counted(&installation).await;
    let (other, _) = Organization::with_sandbox(&installation).await;
    many(&organization, &key).await;
    price_since_ever(&organization, "9.00", "45.00").await;

    // A run may be over before it is cancelled.
    let (run, answer) = eventually("one is cancelled", ENDS, async || {
        let run = begun(&organization, &json!({})).await;
        let foreign = other.path(&format!("/reprice/{}/cancel", run.id));
        other.owner.post(&foreign, &json!({})).await.expect(404);
        let path = organization.path(&format!("/reprice/{}/cancel", run.id));
        let answer = organization.owner.post(&path, &json!({})).await;
        (answer.status == 200).then_some((run, answer))
    })
    .await;

    let cancelled: Reprice = answer.read();
    assert_eq!((cancelled.id, cancelled.state), (run.id, RepriceState::Cancelled));
    let path = organization.path(&format!("/reprice/{}/cancel", run.id));
    let again = organization.owner.post(&path, &json!({})).await;
    assert!(again.expect(409).text().contains("is over already"));
    is_clean(&organization).await;
    let told = begun(&organization, &json!({"dry_run": true})).await;
    let told = ended(&organization, &told).await;
    price_since_ever(&organization, "10.00", "45.00").await;
    let other_prices = organization
        .owner
        .post(
            &organization.path("/reprice"),
            &asked(&json!({"as_told_by": told.id, "from": told.from, "to": told.to})),
        )
        .await;
    assert!(other_prices.expect(409).text().contains("prices have changed"));
    let actions = organization.actions().await;
    for action in ["reprice.cancel", "reprice.dry_run"] {
        assert!(actions.iter().any(|known| known == action), "{actions:?}");
    }
    let rows = organization.rows().await;
    let foreign = other.path(&format!("/usage/{}", rows.first().expect("one").id));
    other.owner.get(&foreign).await.expect(404);
}
