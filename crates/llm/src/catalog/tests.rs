use gatewright_types::{Nanos, UsageUnit};

use super::*;
use crate::bill;

fn at(date: &str) -> DateTime<Utc> {
    date.parse().expect("a time")
}

fn price(kind: ProviderKind, model: &str) -> Option<CatalogPrice> {
    Catalog::embedded().lookup(kind, model, at("2026-11-20T00:00:00Z"))
}

#[test]
fn openais_models_have_their_list_prices() {
    let mini = price(ProviderKind::Openai, "gpt-4o-mini").expect("a price");

    let text = |price: Option<gatewright_types::UnitPrice>| price.map(|price| price.to_string());
    assert_eq!(text(mini.rates.input).as_deref(), Some("0.15"));
    assert_eq!(text(mini.rates.output).as_deref(), Some("0.60"));
    assert_eq!(text(mini.rates.cache_read).as_deref(), Some("0.075"));
    assert_eq!(
        (text(mini.rates.cache_write_5m), text(mini.rates.reasoning)),
        (None, None)
    );
    assert_eq!(
        (&*mini.version, mini.context, mini.max_output),
        ("catalogue@2026-08-01", Some(128_000), Some(16_384))
    );
}

#[test]
fn an_unknown_price_is_none_and_never_zero() {
    assert_eq!(price(ProviderKind::Openai, "no-such-model"), None);
    assert_eq!(price(ProviderKind::Openai, "256-x-256/dall-e-2"), None);
    assert_eq!(price(ProviderKind::Openai, "jamba-1.5"), None);
    assert_eq!(price(ProviderKind::OpenaiCompatible, "gpt-4o-mini"), None);
    assert_eq!(price(ProviderKind::Sandbox, "gpt-4o-mini"), None);
}

#[test]
fn a_fine_tuned_model_is_priced_by_its_base() {
    let tuned = price(ProviderKind::Openai, "ft:gpt-4o-mini-2024-07-18:acme:support:9xYz").expect("a price");

    assert_eq!(
        tuned,
        price(ProviderKind::Openai, "ft:gpt-4o-mini-2024-07-18").expect("a price")
    );
    assert_eq!(price(ProviderKind::Openai, "ft:unknown:acme::1"), None);
}

#[test]
fn the_sandbox_has_prices_of_its_own() {
    let large = price(ProviderKind::Sandbox, "sandbox-large").expect("a price");
    let mut tokens = Tokens::default();
    tokens.set(UsageUnit::InputUncached, 1_000_000);
    tokens.set(UsageUnit::OutputText, 1_000_000);

    let cost = |model: &str| {
        let price = price(ProviderKind::Sandbox, model).expect(model);
        bill(&tokens, price.rates_for(&tokens), &price.version).cost
    };

    assert_eq!(&*large.version, "catalogue@2026-11-01");
    assert_eq!(cost("sandbox-large"), Some(Nanos::new(12_500_000_000)));
    assert_eq!(cost("sandbox-small"), Some(Nanos::new(500_000_000)));
    assert_eq!(cost("echo"), cost("sandbox-small"));
}

#[test]
fn a_long_request_is_priced_by_its_tier_as_a_whole() {
    let price = price(ProviderKind::Openai, "gpt-5.4").expect("a price");
    let input = |count| {
        let mut tokens = Tokens::default();
        tokens.set(UsageUnit::InputUncached, count);
        price.rates_for(&tokens).input.map(|price| price.to_string())
    };

    assert_eq!(input(272_000).as_deref(), Some("2.50"));
    assert_eq!(input(272_001).as_deref(), Some("5.00"));
}

#[test]
fn the_edition_in_force_at_a_time_decides() {
    let edition = |date: &str, price: &str| {
        let model = format!(r#"{{"id":"m","provider":"p","price":{{"in":{price}}}}}"#);
        read::edition(&format!(r#"{{"as_of":"{date}","models":[{model}]}}"#), "p").expect("an edition")
    };
    let editions = vec![edition("2026-08-01", "1e-06"), edition("2026-10-01", "2e-06")];
    let catalog = Catalog {
        kinds: Arc::new(HashMap::from([(ProviderKind::Openai, editions)])),
    };
    let version = |date: &str| {
        catalog
            .lookup(ProviderKind::Openai, "m", at(date))
            .expect("a price")
            .version
    };

    assert_eq!(&*version("2026-01-01T00:00:00Z"), "catalogue@2026-08-01");
    assert_eq!(&*version("2026-09-30T23:59:59Z"), "catalogue@2026-08-01");
    assert_eq!(&*version("2026-10-01T00:00:00Z"), "catalogue@2026-10-01");
}

#[test]
fn every_entry_of_every_provider_can_be_read() {
    let text = include_str!("../../data/models.json");
    let providers = [
        "anthropic",
        "azure",
        "bedrock",
        "databricks",
        "gemini",
        "mistral",
        "openai",
        "xai",
    ];

    let counts = providers.map(|provider| read::edition(text, provider).expect(provider).models.len());

    assert!(counts.iter().all(|count| *count > 0), "{counts:?}");
    assert_eq!(counts.get(6), Some(&150));
}
