//! The columns: those that the specification has for charges of usage, in its order, and what a line says in each. Of
//! regions, commitments, reservations, invoices and other currencies nothing is known here: their columns are there, and
//! empty, only where readers of FOCUS 1.0 want them.

use chrono::{Days, NaiveDate};
use gatewright_store::ChargeOf;
use gatewright_types::api::Organization;
use gatewright_types::{Month, UnitPrice, UsageUnit};
use serde_json::{Map, Value as Json};

use super::csv::Value;

/// A line before it is written.
pub(super) struct Line<'a> {
    pub(super) organization: &'a Organization,
    pub(super) month: Month,
    pub(super) of: &'a ChargeOf,
    pub(super) amount: &'a Amount,
}

pub(super) enum Amount {
    Used {
        unit: UsageUnit,
        quantity: u64,
        /// None is known: it costs nothing here.
        price: Option<UnitPrice>,
        price_version: Option<String>,
    },
    /// What units and prices do not say, in pico-dollars.
    Adjusted(i128),
}

type Column = (&'static str, for<'a> fn(&'a Line<'a>) -> Value<'a>);

const COLUMNS: &[Column] = &[
    ("BilledCost", cost),
    ("BillingAccountId", |line| line.organization.id.to_string().into()),
    ("BillingAccountName", |line| line.organization.name.as_str().into()),
    ("BillingAccountType", |_| "Organization".into()),
    ("BillingCurrency", |_| "USD".into()),
    ("BillingPeriodEnd", |line| midnight(line.month.end().date_naive())),
    ("BillingPeriodStart", |line| midnight(line.month.start().date_naive())),
    ("ChargeCategory", |line| match line.amount {
        Amount::Used { .. } => "Usage".into(),
        Amount::Adjusted(_) => "Adjustment".into(),
    }),
    ("ChargeClass", |line| line.of.correction.then_some("Correction").into()),
    ("ChargeDescription", |line| match line.amount {
        Amount::Used { unit, .. } => format!("{} of {} at {}", meter(*unit), model(line), provider(line)).into(),
        Amount::Adjusted(_) => format!(
            "Rounding of each request, and prices that were put right, of {} at {}",
            model(line),
            provider(line)
        )
        .into(),
    }),
    ("ChargeFrequency", |_| "Usage-Based".into()),
    ("ChargePeriodEnd", |line| midnight(line.of.day + Days::new(1))),
    ("ChargePeriodStart", |line| midnight(line.of.day)),
    ("CommitmentDiscountCategory", |_| Value::Null),
    ("CommitmentDiscountId", |_| Value::Null),
    ("CommitmentDiscountName", |_| Value::Null),
    ("CommitmentDiscountStatus", |_| Value::Null),
    ("CommitmentDiscountType", |_| Value::Null),
    ("ConsumedQuantity", quantity),
    ("ConsumedUnit", unit),
    ("ContractedCost", cost),
    ("ContractedUnitPrice", price),
    ("EffectiveCost", cost),
    ("InvoiceIssuerName", |line| line.organization.name.as_str().into()),
    ("ListCost", cost),
    ("ListUnitPrice", price),
    ("PricingCategory", |line| used(line).map(|_| "Standard").into()),
    ("PricingQuantity", quantity),
    ("PricingUnit", unit),
    ("ProviderName", |line| provider(line).into()),
    ("PublisherName", |line| provider(line).into()),
    ("RegionId", |_| Value::Null),
    ("RegionName", |_| Value::Null),
    ("ResourceId", |line| line.of.key.to_string().into()),
    ("ResourceName", |line| line.of.key_name.as_deref().into()),
    ("ResourceType", |_| "API key".into()),
    ("ServiceCategory", |_| "AI and Machine Learning".into()),
    ("ServiceName", |line| model(line).into()),
    ("ServiceSubcategory", |_| "Generative AI".into()),
    ("SkuId", sku),
    ("SkuMeter", |line| used(line).map(meter).into()),
    ("SkuPriceId", sku),
    ("SubAccountId", |line| line.of.team.map(|team| team.to_string()).into()),
    ("SubAccountName", |line| line.of.team_name.as_deref().into()),
    ("SubAccountType", |line| line.of.team.map(|_| "Team").into()),
    ("Tags", tags),
    ("x_PriceVersion", |line| match line.amount {
        Amount::Used { price_version, .. } => price_version.as_deref().into(),
        Amount::Adjusted(_) => Value::Null,
    }),
];

/// The first line.
pub(crate) fn header() -> String {
    let names: Vec<_> = COLUMNS.iter().map(|(name, _)| *name).collect();
    names.join(",") + "\r\n"
}

pub(super) fn write(line: &Line<'_>, text: &mut String) {
    for (index, (_, value)) in COLUMNS.iter().enumerate() {
        if index > 0 {
            text.push(',');
        }
        value(line).write(text);
    }
    text.push_str("\r\n");
}

impl Amount {
    pub(super) fn picos(&self) -> i128 {
        match self {
            Self::Used { price, quantity, .. } => price.map_or(0, |price| price.times(*quantity)),
            Self::Adjusted(picos) => *picos,
        }
    }
}

fn cost<'a>(line: &'a Line<'a>) -> Value<'a> {
    Value::Picos(line.amount.picos())
}

fn quantity<'a>(line: &'a Line<'a>) -> Value<'a> {
    match line.amount {
        Amount::Used { quantity, .. } => Value::Number(*quantity),
        Amount::Adjusted(_) => Value::Null,
    }
}

fn unit<'a>(line: &'a Line<'a>) -> Value<'a> {
    let name = |unit| match unit {
        UsageUnit::WebSearch => "Searches",
        UsageUnit::InputUncached
        | UsageUnit::InputCacheRead
        | UsageUnit::InputCacheWrite5m
        | UsageUnit::InputCacheWrite1h
        | UsageUnit::InputAudio
        | UsageUnit::InputImage
        | UsageUnit::OutputText
        | UsageUnit::OutputReasoning
        | UsageUnit::OutputAudio => "Tokens",
    };
    used(line).map(name).into()
}

/// Of one unit.
fn price<'a>(line: &'a Line<'a>) -> Value<'a> {
    match line.amount {
        Amount::Used { price: Some(price), .. } => Value::Picos(price.picos().into()),
        Amount::Used { price: None, .. } | Amount::Adjusted(_) => Value::Null,
    }
}

/// The same for all prices of a unit of a model: which one it was is in `x_PriceVersion`.
fn sku<'a>(line: &'a Line<'a>) -> Value<'a> {
    let id = |unit: UsageUnit| format!("{}/{}/{}", provider(line), model(line), unit.as_str());
    used(line).map(id).into()
}

/// Those of the requests, and beside them what is known of their key: what a provider says of itself has a prefix.
fn tags<'a>(line: &'a Line<'a>) -> Value<'a> {
    let of = line.of;
    let known = [
        ("gatewright/cost_centre", of.cost_centre.as_ref()),
        ("gatewright/key", of.key_name.as_ref()),
        ("gatewright/user", of.user_name.as_ref()),
    ];
    let known = known
        .into_iter()
        .filter_map(|(name, value)| Some((name.to_owned(), Json::from(value?.as_str()))));
    let said = of.tags.iter();
    let said = said.map(|(name, value)| (name.to_string(), Json::from(value.as_str())));
    Json::Object(Map::from_iter(known.chain(said))).to_string().into()
}

const fn used(line: &Line<'_>) -> Option<UsageUnit> {
    match line.amount {
        Amount::Used { unit, .. } => Some(*unit),
        Amount::Adjusted(_) => None,
    }
}

/// Only what reached no provider has none, and that costs nothing.
fn provider<'a>(line: &Line<'a>) -> &'a str {
    line.of.provider.as_deref().unwrap_or("none")
}

/// At a provider's own address a request may name none.
fn model<'a>(line: &Line<'a>) -> &'a str {
    line.of.upstream_model.as_deref().unwrap_or("other")
}

const fn meter(unit: UsageUnit) -> &'static str {
    match unit {
        UsageUnit::InputUncached => "Input tokens",
        UsageUnit::InputCacheRead => "Cached input tokens",
        UsageUnit::InputCacheWrite5m => "Input tokens cached for 5 minutes",
        UsageUnit::InputCacheWrite1h => "Input tokens cached for an hour",
        UsageUnit::InputAudio => "Audio input tokens",
        UsageUnit::InputImage => "Image input tokens",
        UsageUnit::OutputText => "Output tokens",
        UsageUnit::OutputReasoning => "Reasoning tokens",
        UsageUnit::OutputAudio => "Audio output tokens",
        UsageUnit::WebSearch => "Web searches",
    }
}

fn midnight(day: NaiveDate) -> Value<'static> {
    day.format("%Y-%m-%dT00:00:00Z").to_string().into()
}
