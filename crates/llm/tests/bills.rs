//! Golden bills: a whole answer of each kind of provider, and what the catalogue in the program makes of it, for every
//! class of tokens and every tier that has a price.

mod recorded;

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use gatewright_llm::{AnswerFacts, Catalog, Purpose, unpriced};
use gatewright_types::UsageUnit;
use gatewright_types::api::{Dialect, ProviderKind, ServedTier};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::recorded::compare;

/// An answer, and who gave it.
#[derive(Deserialize)]
struct Case {
    kind: ProviderKind,
    model: String,
    /// What the answer is.
    answer: String,
    body: Box<RawValue>,
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/bills")
}

fn cases() -> Vec<(PathBuf, Case)> {
    let mut paths: Vec<PathBuf> = fs::read_dir(folder())
        .expect("the folder of bills")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "json"))
        .collect();
    paths.sort();
    let read = |path: PathBuf| {
        let text = fs::read_to_string(&path).expect("a case");
        let case = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        (path, case)
    };
    paths.into_iter().map(read).collect()
}

impl Case {
    fn purpose(&self) -> Purpose {
        let spoken = Dialect::ALL.into_iter().find(|dialect| dialect.as_str() == self.answer);
        match (self.answer.as_str(), spoken) {
            ("converse", _) => Purpose::Converse,
            ("invoke_claude", _) => Purpose::InvokeClaude,
            ("cohere_chat", _) => Purpose::CohereChat,
            (_, Some(dialect)) => Purpose::Spoken(dialect),
            (other, None) => panic!("{other} is no answer"),
        }
    }

    fn facts(&self) -> AnswerFacts {
        let facts = self.purpose().used(self.body.get().as_bytes());
        facts.unwrap_or_else(|| panic!("{}: no answer", self.model))
    }

    fn written(&self) -> String {
        let facts = self.facts();
        let tokens = facts.usage.expect("usage");
        let at = "2026-11-30T00:00:00Z".parse().expect("a time");
        let catalog = Catalog::embedded();
        let price = catalog.lookup(self.kind, &self.model, at);
        let bill = match &price {
            Some(price) => price.bill(&tokens, facts.terms),
            None => unpriced(&tokens, facts.terms),
        };
        let mut out = String::new();
        let mut line = |text: std::fmt::Arguments<'_>| writeln!(out, "{text}").expect("a string takes all");
        line(format_args!("{} {}", self.kind.as_str(), self.model));
        if let Some(tier) = facts.terms.served {
            line(format_args!("served: {}", tier.as_str()));
        }
        if facts.terms.us_only {
            line(format_args!("within the United States"));
        }
        for item in &bill.lines {
            let price = item.price.map_or("no price".to_owned(), |price| price.to_string());
            line(format_args!("{} {} at {price}", item.unit.as_str(), item.quantity));
        }
        let cost = bill.cost.map_or("unpriced".to_owned(), |cost| cost.to_string());
        line(format_args!("cost: {cost}"));
        if let Some(charge) = facts.terms.charge {
            line(format_args!("charged: {charge}"));
        }
        if tokens.conflicting {
            line(format_args!("the provider's numbers contradict each other"));
        }
        out
    }
}

#[test]
fn bills_are_as_recorded() {
    for (path, case) in cases() {
        compare(&path.with_extension("bill.txt"), case.written()).unwrap_or_else(|differs| panic!("{differs}"));
    }
}

#[test]
fn every_kind_of_provider_every_class_and_every_tier_has_a_bill() {
    let (mut kinds, mut units, mut tiers) = (Vec::new(), BTreeSet::new(), Vec::new());
    for (path, case) in cases() {
        let facts = case.facts();
        kinds.push(case.kind);
        tiers.extend(facts.terms.served);
        let bill = fs::read_to_string(path.with_extension("bill.txt")).expect("a bill");
        for unit in UsageUnit::ALL {
            let name = format!("{} ", unit.as_str());
            let priced = |line: &str| line.starts_with(&name) && !line.ends_with("no price");
            if bill.lines().any(priced) {
                units.insert(unit);
            }
        }
    }

    let without: Vec<_> = ProviderKind::ALL
        .into_iter()
        .filter(|kind| !kinds.contains(kind))
        .collect();
    assert!(without.is_empty(), "no bill of {without:?}");
    let without: Vec<_> = UsageUnit::ALL
        .into_iter()
        .filter(|unit| !units.contains(unit))
        .collect();
    assert!(without.is_empty(), "no priced {without:?}");
    let known = |tier: &ServedTier| *tier != ServedTier::Unknown;
    let without: Vec<_> = ServedTier::ALL
        .into_iter()
        .filter(known)
        .filter(|tier| !tiers.contains(tier))
        .collect();
    assert!(without.is_empty(), "nothing served in {without:?}");
}
