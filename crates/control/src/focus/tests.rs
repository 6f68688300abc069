//! A small month, to the letter. `UPDATE_GOLDEN=1` writes it anew.

use std::path::Path;
use std::str::FromStr;

use chrono::DateTime;
use gatewright_store::{Charge, ChargeOf, ChargeUnit};
use gatewright_types::api::{Organization, SharedCost, TraceSettings};
use gatewright_types::{KeyId, Nanos, OrganizationId, PersonId, TeamId, UnitPrice, UsageUnit};

use super::header;
use super::lines::Lines;

const GOLDEN: &str = "src/focus/small.csv";

fn id<T: FromStr<Err: std::fmt::Debug>>(prefix: &str, number: u8) -> T {
    format!("{prefix}_{number:032x}").parse().expect("an identifier")
}

fn organization() -> Organization {
    Organization {
        id: id(OrganizationId::PREFIX, 1),
        slug: "acme".parse().expect("a slug"),
        name: "Acme, \"the\" first".parse().expect("a name"),
        traces: TraceSettings::default(),
        tags: Vec::new(),
        cost_centre: None,
        shared_cost: SharedCost::Separate,
        created_at: DateTime::UNIX_EPOCH,
    }
}

fn of(day: &str) -> ChargeOf {
    ChargeOf {
        day: day.parse().expect("a day"),
        correction: false,
        key: id(KeyId::PREFIX, 2),
        key_name: Some("ci".to_owned()),
        team: Some(id(TeamId::PREFIX, 3)),
        team_name: Some("Search".to_owned()),
        owner: Some(id(PersonId::PREFIX, 4)),
        user_name: Some("Ada".to_owned()),
        cost_centre: Some("CC-1200".to_owned()),
        provider: Some("openai-main".to_owned()),
        upstream_model: Some("gpt-4o-mini".to_owned()),
        tags: [("project", "apollo \"1\""), ("key", "of the caller")]
            .map(|(name, value)| (name.parse().expect("a tag"), value.to_owned()))
            .into(),
    }
}

fn unit(unit: UsageUnit, quantity: u64, picos: Option<i64>) -> ChargeUnit {
    ChargeUnit::Unit {
        unit,
        price: picos.map(UnitPrice::from_picos),
        price_version: picos.map(|_| "catalogue@2026-08-01".to_owned()),
        quantity,
    }
}

/// Requests at two prices on one day, some that were rounded, one without a price, and one of the month before that came in
/// when that was locked.
fn month() -> Vec<Charge> {
    let first = of("2026-11-01");
    let unpriced = ChargeOf {
        team: None,
        team_name: None,
        owner: None,
        user_name: None,
        cost_centre: None,
        upstream_model: None,
        tags: Default::default(),
        ..of("2026-11-30")
    };
    let late = ChargeOf {
        correction: true,
        ..of("2026-10-31")
    };
    [
        (&late, ChargeUnit::Whole(Nanos::new(150_000))),
        (&late, unit(UsageUnit::InputUncached, 1_000, Some(150_000))),
        (&first, ChargeUnit::Whole(Nanos::new(1_352_501))),
        (&first, unit(UsageUnit::InputUncached, 2_000, Some(150_000))),
        (&first, unit(UsageUnit::InputCacheRead, 67, Some(37_501))),
        (&first, unit(UsageUnit::OutputText, 1_750, Some(600_000))),
        (&unpriced, ChargeUnit::Whole(Nanos::ZERO)),
        (&unpriced, unit(UsageUnit::WebSearch, 3, None)),
    ]
    .map(|(of, unit)| Charge { of: of.clone(), unit })
    .into()
}

fn written() -> String {
    let mut lines = Lines::of(organization(), "2026-11".parse().expect("a month"));
    let mut text = header();
    for charge in month() {
        lines.add(charge, &mut text);
    }
    lines.settle(&mut text);
    text
}

#[expect(
    clippy::disallowed_methods,
    reason = "the switch is for the person who runs the test"
)]
fn update_asked() -> bool {
    std::env::var("UPDATE_GOLDEN").is_ok_and(|value| value == "1")
}

#[test]
fn a_small_month_is_the_one_that_is_checked_in() {
    let text = written();
    let place = Path::new(env!("CARGO_MANIFEST_DIR")).join(GOLDEN);
    if update_asked() {
        std::fs::write(&place, &text).expect("the golden file is ours");
    }

    let golden = std::fs::read_to_string(&place).expect("the golden file is there");

    assert_eq!(text, golden);
}

#[test]
fn what_is_written_costs_what_the_ledger_says() {
    let text = written();
    let mut lines = text.lines();
    assert!(lines.next().is_some_and(|header| header.starts_with("BilledCost,")));
    let picos = lines.map(|line| {
        let (cost, _) = line.split_once(',').expect("it has more than a cost");
        let (whole, fraction) = cost.split_once('.').unwrap_or((cost, ""));
        format!("{whole}{fraction:0<12}").parse::<i128>().expect("a number")
    });

    assert_eq!(picos.sum::<i128>(), (150_000 + 1_352_501) * 1_000);
}
