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
        let text = format!(r#"{{"as_of":"{date}","models":[{model}]}}"#);
        File::read(&text)
            .expect("a file")
            .edition(&["p"], "")
            .expect("an edition")
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
    let catalog = Catalog::embedded();
    let count = |kind: ProviderKind| -> usize {
        let editions = catalog.kinds.get(&kind).into_iter().flatten();
        editions.map(|edition| edition.models.len()).sum()
    };

    assert_eq!(count(ProviderKind::Openai), 145);
    for (kind, ..) in LISTED {
        assert!(count(kind) > 5, "{kind:?}: {}", count(kind));
    }
}

#[test]
fn a_model_is_found_by_its_name_at_its_own_provider() {
    let known = [
        (ProviderKind::Anthropic, "claude-sonnet-4-5-20250929"),
        (ProviderKind::Gemini, "gemini-2.5-pro"),
        (ProviderKind::Bedrock, "anthropic.claude-haiku-4-5-20251001-v1:0"),
        (ProviderKind::Mistral, "mistral-large-latest"),
        (ProviderKind::Groq, "llama-3.3-70b-versatile"),
        (ProviderKind::Openrouter, "anthropic/claude-opus-4.5"),
        (ProviderKind::Together, "Qwen/Qwen3-235B-A22B-Instruct-2507-tput"),
        (ProviderKind::Deepseek, "deepseek-chat"),
    ];
    for (kind, model) in known {
        assert!(price(kind, model).is_some(), "{kind:?} {model}");
    }
}

#[test]
fn two_zeros_are_no_price_but_where_models_are_free() {
    assert_eq!(
        price(ProviderKind::Gemini, "gemini-2.0-flash-exp-image-generation"),
        None
    );
    assert!(price(ProviderKind::Ollama, "llama2").is_some());
}

#[test]
fn a_bill_of_claude_tells_cache_writes_and_reads_apart() {
    let listed = price(ProviderKind::Anthropic, "claude-3-7-sonnet-20250219").expect("a price");
    let mut tokens = Tokens::default();
    for (unit, count) in [
        (UsageUnit::InputUncached, 1_000),
        (UsageUnit::InputCacheRead, 10_000),
        (UsageUnit::InputCacheWrite5m, 2_000),
        (UsageUnit::InputCacheWrite1h, 500),
        (UsageUnit::OutputText, 300),
    ] {
        tokens.set(unit, count);
    }

    let bill = bill(&tokens, listed.rates_for(&tokens), &listed.version);

    // 1,000 at 3.00, 10,000 at 0.30, 2,000 at 3.75, 500 at 6.00 and 300 at 15.00 dollars per million.
    assert_eq!(bill.cost.map(|cost| cost.to_string()).as_deref(), Some("0.021"));
}
