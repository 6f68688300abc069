use gatewright_types::api::{Capability, LifecycleStage, ModelFacts, NamedModel, PricedUnit, ServedTier, ServiceTier};
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
    assert_eq!(text(mini.rates().input).as_deref(), Some("0.15"));
    assert_eq!(text(mini.rates().output).as_deref(), Some("0.60"));
    assert_eq!(text(mini.rates().cache_read).as_deref(), Some("0.075"));
    assert_eq!(
        (text(mini.rates().cache_write_5m), text(mini.rates().reasoning)),
        (None, None)
    );
    assert_eq!(&*mini.version, "catalogue@2026-08-01");
}

#[test]
fn the_public_list_is_read_for_more_than_prices() {
    let catalog = Catalog::embedded();
    let find = |kind, model: &str| {
        catalog
            .find(kind, model, at("2026-11-20T00:00:00Z"))
            .expect("it is listed")
    };

    let sonnet = find(ProviderKind::Anthropic, "claude-sonnet-4-5").model;
    assert_eq!((sonnet.context, sonnet.max_output), (Some(200_000), Some(64_000)));
    for capability in [
        Capability::Chat,
        Capability::Tools,
        Capability::Vision,
        Capability::Documents,
    ] {
        assert!(sonnet.capabilities.contains(capability), "{capability:?}");
    }
    assert!(!sonnet.capabilities.contains(Capability::AudioInput));
    let terms = sonnet.price.as_ref().expect("a price");
    let long: Vec<_> = terms
        .tiers
        .iter()
        .map(|tier| {
            (
                tier.above_input_tokens,
                tier.rates.output.map(|price| price.to_string()),
            )
        })
        .collect();
    assert_eq!(long, [(200_000, Some("22.50".to_owned()))]);

    let batch = &find(ProviderKind::Openai, "gpt-4o")
        .model
        .price
        .as_ref()
        .expect("a price")
        .service_tiers;
    assert_eq!(
        batch
            .iter()
            .map(|tier| (tier.service_tier, tier.rates.input))
            .collect::<Vec<_>>(),
        [
            (ServiceTier::Batch, Some("1.25".parse().expect("a price"))),
            (ServiceTier::Priority, Some("4.25".parse().expect("a price"))),
            (ServiceTier::Fast, Some("4.25".parse().expect("a price"))),
        ]
    );

    let old = find(ProviderKind::Openai, "gpt-4-0314").model;
    let stage = |day: &str| old.lifecycle(at(day)).stage;
    assert_eq!(stage("2026-03-25T23:59:59Z"), LifecycleStage::Active);
    assert_eq!(stage("2026-03-26T00:00:00Z"), LifecycleStage::Deprecated);

    // No price per token, but known all the same.
    let image = find(ProviderKind::Gemini, "imagen-3.0-generate-002");
    assert!(image.model.capabilities.contains(Capability::ImageGeneration));
    let other = &image.model.price.as_ref().expect("a price per image").other;
    assert_eq!(
        other
            .iter()
            .map(|other| (other.unit, other.price.picos()))
            .collect::<Vec<_>>(),
        [(PricedUnit::OutputImage, 40_000_000_000)]
    );
    assert!(image.edition.origin().contains("litellm"));
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
        bill(&tokens, price.rates(), &price.version).cost
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
        let rates = price.rates_for(&tokens, None).expect("the usual prices");
        rates.input.map(|price| price.to_string())
    };

    assert_eq!(input(272_000).as_deref(), Some("2.50"));
    assert_eq!(input(272_001).as_deref(), Some("5.00"));
}

#[test]
fn a_tier_has_prices_of_its_own_or_none() {
    let cost = |kind, model: &str, input, served| {
        let price = price(kind, model).expect(model);
        let mut tokens = Tokens::default();
        tokens.set(UsageUnit::InputUncached, input);
        tokens.set(UsageUnit::InputCacheRead, 1_000);
        tokens.set(UsageUnit::OutputText, 1_000);
        let rates = price.rates_for(&tokens, served)?;
        bill(&tokens, rates, &price.version).cost.map(|cost| cost.to_string())
    };
    let check = |kind, model: &str, input, served, expected: Option<&str>| {
        assert_eq!(
            cost(kind, model, input, served).as_deref(),
            expected,
            "{model} {served:?}"
        );
    };
    let openai = ProviderKind::Openai;

    // A thousand each of input, cached input and output, in dollars per million.
    let usual = Some("0.011375"); // 1.25, 0.125, 10.00
    for served in [None, Some(ServedTier::Standard)] {
        check(openai, "gpt-5", 1_000, served, usual);
    }
    check(openai, "gpt-5", 1_000, Some(ServedTier::Flex), Some("0.0056875"));
    check(openai, "gpt-5", 1_000, Some(ServedTier::Priority), Some("0.02275"));
    // Capacity that is paid for by time has no price per token, and nobody knows what is unknown.
    check(openai, "gpt-5", 1_000, Some(ServedTier::Provisioned), None);
    check(openai, "gpt-5", 1_000, Some(ServedTier::Unknown), None);
    // No price for cached tokens in a batch is told.
    check(openai, "gpt-4o", 1_000, Some(ServedTier::Batch), None);
    check(
        ProviderKind::Anthropic,
        "claude-sonnet-4-5",
        1_000,
        Some(ServedTier::Priority),
        None,
    );
    check(
        ProviderKind::Anthropic,
        "claude-opus-4-8",
        1_000,
        Some(ServedTier::Fast),
        Some("0.061"),
    );
    check(
        ProviderKind::Groq,
        "openai/gpt-oss-20b",
        1_000,
        Some(ServedTier::Flex),
        Some("0.0004125"),
    );
    // Long requests cost more in this tier, too; in that one nobody says how much.
    let gemini = ProviderKind::Gemini;
    check(
        gemini,
        "gemini-2.5-pro",
        300_000,
        Some(ServedTier::Priority),
        Some("1.37745"),
    );
    check(
        ProviderKind::Anthropic,
        "claude-sonnet-4-5",
        300_000,
        Some(ServedTier::Batch),
        None,
    );
}

fn document(as_of: &str, models: &str) -> String {
    format!(r#"{{"schema":1,"unit":"USD per token","as_of":"{as_of}","source":"a test","models":[{models}]}}"#)
}

fn edition(as_of: &str, models: &str) -> Edition {
    let (edition, problems) = Edition::read(&document(as_of, models)).expect("a catalogue");
    assert_eq!(problems, Vec::<String>::new());
    edition
}

const NEW_ECHO: &str = r#"{"id":"echo","provider":"sandbox","mode":"chat","price":{"in":2e-07,"out":8e-07}}"#;

#[test]
fn the_edition_in_force_at_a_time_decides() {
    let approved = edition("2026-11-20", NEW_ECHO).published("catalogue@2026-11-20#00", at("2026-11-25T10:00:00Z"));
    let catalog = Catalog::with(vec![Arc::new(approved)]);
    let version = |date: &str| {
        let price = catalog
            .lookup(ProviderKind::Sandbox, "echo", at(date))
            .expect("a price");
        (
            price.version.to_string(),
            price.rates().input.map(|price| price.to_string()),
        )
    };
    let old = ("catalogue@2026-11-01".to_owned(), Some("0.10".to_owned()));

    assert_eq!(version("2026-01-01T00:00:00Z"), old);
    assert_eq!(version("2026-11-25T09:59:59Z"), old);
    assert_eq!(
        version("2026-11-25T10:00:00Z"),
        ("catalogue@2026-11-20#00".to_owned(), Some("0.20".to_owned()))
    );
    let now = at("2026-11-26T00:00:00Z");
    assert!(catalog.lookup(ProviderKind::Sandbox, "sandbox-large", now).is_none());
    assert!(
        catalog.lookup(ProviderKind::Openai, "gpt-4o", now).is_some(),
        "it does not speak of OpenAI"
    );
}

#[test]
fn an_alias_finds_the_facts_and_the_price_of_its_model() {
    let entry = r#"{"id":"claude-9-20261101","provider":"anthropic","aliases":["claude-9","claude-9-latest"],
        "sunsets":"2027-01-01","price":{"in":1e-06,"out":2e-06,"in_flex":5e-07}}"#;
    let catalog = Catalog::with(vec![Arc::new(edition("2026-11-01", entry))]);
    let now = at("2026-11-20T00:00:00Z");

    let found = catalog
        .find(ProviderKind::Anthropic, "claude-9-latest", now)
        .expect("the alias leads there");

    assert_eq!(found.name.as_str(), "claude-9-20261101");
    assert_eq!(
        catalog.lookup(ProviderKind::Anthropic, "claude-9", now),
        catalog.lookup(ProviderKind::Anthropic, "claude-9-20261101", now)
    );
    assert_eq!(
        found.model.lifecycle(at("2027-01-01T00:00:00Z")).stage,
        LifecycleStage::Retired
    );
    assert!(catalog.find(ProviderKind::Anthropic, "claude-8", now).is_none());
}

#[test]
fn what_is_no_catalogue_is_refused_and_what_is_wrong_with_an_entry_is_told() {
    let refused = |text: &str| Edition::read(text).map(|_| ()).expect_err("it is refused").to_string();
    assert!(refused("{").starts_with("is not a catalogue: "));
    assert!(refused("[]").starts_with("is not a catalogue: "));
    assert!(refused(&document("someday", NEW_ECHO)).starts_with("is not a catalogue: "));
    assert!(refused(&document("2026-11-01", NEW_ECHO).replace("\"schema\":1", "\"schema\":2")).contains("version 2"));
    assert!(refused(&document("2026-11-01", NEW_ECHO).replace("USD", "EUR")).contains("EUR per token"));
    assert!(refused(&document("2026-11-01", r#"{"id":"m","provider":"nobody"}"#)).contains("lists no model"));

    let wrong = r#"{"id":"../admin","provider":"openai"},{"id":"a b","provider":"openai"},
        {"id":"m","provider":"openai","price":{"in":-1}},{"id":"a","provider":"openai","aliases":["x"]},
        {"id":"b","provider":"openai","aliases":["x"]},{"id":"good","provider":"openai"}"#;
    let (edition, problems) = Edition::read(&document("2026-11-01", wrong)).expect("the rest is fine");

    let kept: Vec<_> = edition
        .all(ProviderKind::Openai)
        .iter()
        .map(|listed| listed.name.to_string())
        .collect();
    assert_eq!(kept, ["a", "good"]);
    assert_eq!(
        problems,
        [
            "../admin: the name must not hold empty, '.' or '..' segments",
            "a b: the name may hold only letters, digits and . _ : / @ + -",
            "m: -1 is no price",
            "b: the alias x is another model's already",
        ]
    );
}

#[test]
fn a_difference_names_every_fact_that_changes() {
    let before = r#"{"id":"kept","provider":"openai","context":10,"price":{"in":1e-06,"out":2e-06}},
        {"id":"gone","provider":"openai"},
        {"id":"changed","provider":"openai","context":100,"caps":["vision"],
         "price":{"in":1e-06,"out":2e-06,"tiers":[{"above_tokens":50,"in":3e-06}],"in_batch":5e-07}}"#;
    let after = r#"{"id":"kept","provider":"openai","context":10,"price":{"in":1e-06,"out":2e-06}},
        {"id":"new","provider":"openai"},
        {"id":"changed","provider":"openai","context":200,"caps":["function_calling"],"aliases":["other"],
         "deprecates":"2027-01-01",
         "price":{"in":1e-06,"out":4e-06,"tiers":[{"above_tokens":50,"in":3e-06}]}}"#;
    let catalog = Catalog::with(vec![Arc::new(edition("2026-11-01", before))]);

    let diff = diff(&catalog, &edition("2026-11-02", after), at("2026-11-20T00:00:00Z"));

    let names = |models: &[NamedModel]| {
        models
            .iter()
            .map(|model| format!("{}/{}", model.kind, model.model))
            .collect::<Vec<_>>()
    };
    assert_eq!(
        (names(&diff.added), names(&diff.removed)),
        (vec!["openai/new".to_owned()], vec!["openai/gone".to_owned()])
    );
    let changed: Vec<_> = diff
        .changed
        .iter()
        .flat_map(|model| &model.fields)
        .map(|field| {
            format!(
                "{} {:?} {:?}",
                field.field,
                field.before.as_deref(),
                field.after.as_deref()
            )
        })
        .collect();
    assert_eq!(
        changed,
        [
            "aliases.other None Some(\"yes\")",
            "capabilities.tools None Some(\"yes\")",
            "capabilities.vision Some(\"yes\") None",
            "context Some(\"100\") Some(\"200\")",
            "deprecated_on None Some(\"2027-01-01\")",
            "price.above_50.output Some(\"2.00\") Some(\"4.00\")",
            "price.batch.input Some(\"0.50\") None",
            "price.output Some(\"2.00\") Some(\"4.00\")",
        ]
    );
    let counts = diff.counts();
    assert_eq!(
        (counts.added, counts.changed, counts.removed, counts.repriced),
        (1, 1, 1, 1)
    );
}

#[test]
fn only_new_names_are_additions() {
    let base = r#"{"id":"one","provider":"openai","context":10,"price":{"in":1e-06,"out":2e-06},"aliases":["uno"]}"#;
    let catalog = Catalog::with(vec![Arc::new(edition("2026-11-01", base))]);
    let check = |models: &str, adds: bool| {
        let (after, at) = (edition("2026-11-02", models), at("2026-11-20T00:00:00Z"));
        let diff = diff(&catalog, &after, at);
        assert_eq!(only_adds(&catalog, &after, &diff, at), adds, "{models}");
    };
    let with = |one: &str, more: &str| format!("{one}{more}");
    let one = |rest: &str| format!(r#"{{"id":"one","provider":"openai","context":10,{rest}}}"#);
    let price = r#""price":{"in":1e-06,"out":2e-06}"#;

    check(
        &with(base, r#",{"id":"two","provider":"openai","aliases":["due"]}"#),
        true,
    );
    check(&one(&format!(r#"{price},"aliases":["uno","ein"]"#)), true);
    check(&one(r#""price":{"in":1e-06,"out":3e-06},"aliases":["uno"]"#), false);
    check(
        &one(&format!(r#"{price},"aliases":["uno"],"sunsets":"2027-01-01""#)),
        false,
    );
    check(&one(&format!(r#"{price},"aliases":["ein"]"#)), false);
    check(r#"{"id":"two","provider":"openai"}"#, false);
    // A model of its own goes before the alias that it was found by.
    check(
        &with(
            base,
            r#",{"id":"uno","provider":"openai","price":{"in":9e-06,"out":9e-06}}"#,
        ),
        false,
    );
    check(
        &one(&format!(
            r#"{price}}},{{"id":"two","provider":"openai","aliases":["uno"]"#
        )),
        false,
    );
}

#[test]
fn own_facts_go_before_the_lists() {
    let facts = ModelFacts {
        capabilities: [(Capability::Vision, false), (Capability::Ocr, true)].into(),
        context: Some(8_000),
        aliases: vec!["mine".parse().expect("a name")],
        ..ModelFacts::default()
    };
    let now = at("2026-11-20T00:00:00Z");
    let catalog = Catalog::embedded();
    let listed = catalog
        .find(ProviderKind::Openai, "gpt-4o", now)
        .expect("it is listed")
        .model;

    let own = listed.clone().with(&facts);

    assert_eq!((own.context, own.max_output), (Some(8_000), listed.max_output));
    assert!(!own.capabilities.contains(Capability::Vision) && own.capabilities.contains(Capability::Ocr));
    assert!(own.capabilities.contains(Capability::Tools));
    assert_eq!(
        own.aliases.iter().map(|alias| alias.as_str()).collect::<Vec<_>>(),
        ["mine"]
    );
}

#[test]
fn every_entry_of_every_provider_can_be_read() {
    let mut problems = Vec::new();
    for (document, _) in EMBEDDED {
        problems.extend(Edition::read(document).expect("a catalogue").1);
    }
    // Five entries of the list have names that are patterns or no names at all.
    assert_eq!(problems.len(), 5, "{problems:#?}");

    let (catalog, now) = (Catalog::embedded(), at("2026-11-20T00:00:00Z"));
    let priced = |kind: ProviderKind| -> usize {
        let all = catalog.all(kind, now);
        all.iter()
            .filter(|listed| catalog.lookup(kind, listed.name.as_str(), now).is_some())
            .count()
    };
    assert_eq!(priced(ProviderKind::Openai), 145);
    for (kind, ..) in edition::LISTED
        .into_iter()
        .filter(|(kind, ..)| *kind != ProviderKind::Sandbox)
    {
        assert!(priced(kind) > 5, "{kind:?}: {}", priced(kind));
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

    let bill = bill(&tokens, listed.rates(), &listed.version);

    // 1,000 at 3.00, 10,000 at 0.30, 2,000 at 3.75, 500 at 6.00 and 300 at 15.00 dollars per million.
    assert_eq!(bill.cost.map(|cost| cost.to_string()).as_deref(), Some("0.021"));
}
