//! `gatewright ledger`: whether everything that says what was used says the same, and what months came to.

use std::error::Error;
use std::time::Duration;

use chrono::{DateTime, SecondsFormat, Utc};
use clap::Subcommand;
use gatewright_types::HumanDuration;
use gatewright_types::api::{LedgerCheck, LedgerDifference, LedgerSums, LedgerVerification};
use tokio::time::{Instant, sleep};
use url::form_urlencoded::Serializer;

use super::arguments::{Form, Place, json};
use super::budget_explanation::Explain;
use super::remote::{block_on, client_for};
use super::reprice::Reprice;
use super::{Ending, budget_explanation, chargeback, complain, counted, reprice, say};
use crate::env::Strings;

const LOOK_AGAIN_AFTER: Duration = Duration::from_millis(250);

#[derive(Debug, Subcommand)]
pub(super) enum Ledger {
    /// Compare rows, line items, sums, budgets and counters. Exit code 1: something differs.
    Verify(Verify),
    /// What a month came to, and who bears it.
    Chargeback(chargeback::Report),
    /// Price requests anew by what is known now, and add the difference to what they cost. Exit code 1: it failed.
    Reprice(Reprice),
    /// Tell why budgets stand where they stand, and how far beyond their caps they may end.
    Explain(Explain),
}

#[derive(Debug, clap::Args)]
pub(super) struct Verify {
    #[command(flatten)]
    place: Place,
    /// The first day, in UTC: 2026-11-01T00:00:00Z. Everything that is kept when absent.
    #[arg(long)]
    from: Option<DateTime<Utc>>,
    /// The day before which to end. Budgets and counters are left out then.
    #[arg(long)]
    to: Option<DateTime<Utc>>,
    /// How long to wait for what nodes have spent and not handed over yet.
    #[arg(long, default_value = "15s")]
    wait: HumanDuration,
    /// Print JSON instead of text.
    #[arg(long, value_parser = json, num_args = 0, default_missing_value = "", default_value = "text")]
    json: Form,
}

pub(super) fn run(command: &Ledger, environment: &Strings) -> Ending {
    match command {
        Ledger::Verify(verify) => match block_on(verified(verify, environment)) {
            Ok(verification) => told(&verification, verify.json),
            Err(error) => complain(&*error),
        },
        Ledger::Chargeback(report) => chargeback::run(report, environment),
        Ledger::Reprice(reprice) => reprice::run(reprice, environment),
        Ledger::Explain(explain) => budget_explanation::run(explain, environment),
    }
}

/// Looks again while counters alone differ: requests may be under way.
async fn verified(verify: &Verify, environment: &Strings) -> Result<LedgerVerification, Box<dyn Error>> {
    let (client, organization) = client_for(&verify.place, environment).await?;
    let mut query = Serializer::new(String::new());
    for (name, time) in [("from", verify.from), ("to", verify.to)] {
        if let Some(time) = time {
            query.append_pair(name, &written(time));
        }
    }
    let path = format!("organizations/{organization}/ledger/verification?{}", query.finish());
    let until = Instant::now() + verify.wait.get();
    loop {
        let verification: LedgerVerification = client.get(&path).await?;
        let mut differ = verification.checks.iter().filter(|check| check.differences > 0);
        let settles = differ.all(|check| check.check == LedgerCheck::Counters);
        if verification.clean || !settles || Instant::now() >= until {
            return Ok(verification);
        }
        sleep(LOOK_AGAIN_AFTER).await;
    }
}

fn told(verification: &LedgerVerification, form: Form) -> Ending {
    match form {
        Form::Json => say(serde_json::json!(verification)),
        Form::ForPeople => lines(verification).iter().for_each(say),
    }
    match verification.clean {
        true => Ending::Done,
        false => Ending::Failed,
    }
}

fn lines(verification: &LedgerVerification) -> Vec<String> {
    let mut lines = vec![format!(
        "{}, {} USD, as of {}",
        counted(verification.requests, "request"),
        verification.cost,
        written(verification.at)
    )];
    lines.extend(verification.checks.iter().map(|check| {
        let result = match check.differences {
            0 => "agree".to_owned(),
            1 => "1 DIFFERS".to_owned(),
            more => format!("{more} DIFFER"),
        };
        format!(
            "  {:<13} {:>9} compared: {result}",
            check.check.as_str(),
            check.compared
        )
    }));
    lines.extend(verification.differences.iter().map(difference));
    let found: u64 = verification.checks.iter().map(|check| check.differences).sum();
    let listed = u64::try_from(verification.differences.len()).unwrap_or(u64::MAX);
    if found > listed {
        lines.push(format!("and {} more", found - listed));
    }
    lines
}

fn difference(difference: &LedgerDifference) -> String {
    let LedgerDifference {
        check,
        request,
        budget,
        name,
        start,
        provider,
        team,
        key,
        expected,
        found,
    } = difference;
    let mut line = check.as_str().to_owned();
    let mut place = |what: &str, text: Option<String>| {
        if let Some(text) = text {
            line.push_str(&format!(" {what} {text}"));
        }
    };
    place("request", request.map(|id| id.to_string()));
    place("budget", budget.map(|id| id.to_string()));
    place("for", name.as_ref().map(ToString::to_string));
    place("from", start.map(written));
    place("provider", provider.as_ref().map(ToString::to_string));
    place("team", team.map(|id| id.to_string()));
    place("key", key.map(|id| id.to_string()));
    format!("{line}: {}", unlike(expected, found))
}

/// What differs of them, as the rows say it and as it was found.
fn unlike(expected: &LedgerSums, found: &LedgerSums) -> String {
    let of = |sums: &LedgerSums| {
        [
            ("requests", sums.requests.to_string()),
            ("errors", sums.errors.to_string()),
            ("unpriced", sums.unpriced.to_string()),
            ("input tokens", sums.input_tokens.to_string()),
            ("output tokens", sums.output_tokens.to_string()),
            ("USD", sums.cost.to_string()),
        ]
    };
    let both = of(expected).into_iter().zip(of(found));
    let unlike = both.filter(|((_, expected), (_, found))| expected != found);
    let told = unlike.map(|((what, expected), (_, found))| format!("{what} {found} instead of {expected}"));
    told.collect::<Vec<_>>().join(", ")
}

pub(super) fn written(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Millis, true)
}

#[cfg(test)]
mod tests {
    use gatewright_types::{BudgetId, Nanos};

    use super::*;

    #[test]
    fn what_differs_is_named_with_both_amounts() {
        let budget = BudgetId::mint();
        let sums = |cost| LedgerSums {
            requests: 3,
            cost: Nanos::new(cost),
            ..LedgerSums::default()
        };
        let mut verification = LedgerVerification {
            clean: true,
            at: DateTime::UNIX_EPOCH,
            from: None,
            to: None,
            requests: 3,
            cost: Nanos::new(30_000_000),
            checks: Vec::new(),
            differences: Vec::new(),
        };
        verification.note(LedgerCheck::Lines, 3, []);
        let unlike = LedgerDifference {
            budget: Some(budget),
            start: Some(DateTime::UNIX_EPOCH),
            ..LedgerDifference::between(LedgerCheck::Counters, sums(30_000_000), sums(20_000_000))
        };
        verification.note(LedgerCheck::Counters, 1, [unlike]);

        assert_eq!(
            lines(&verification),
            [
                "3 requests, 0.03 USD, as of 1970-01-01T00:00:00.000Z".to_owned(),
                "  lines                 3 compared: agree".to_owned(),
                "  counters              1 compared: 1 DIFFERS".to_owned(),
                format!("counters budget {budget} from 1970-01-01T00:00:00.000Z: USD 0.02 instead of 0.03"),
            ]
        );
        assert_eq!(told(&verification, Form::ForPeople), Ending::Failed);
    }
}
