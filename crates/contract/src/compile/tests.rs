use gatewright_types::api::{ProviderKind, Rates, Timeouts};
use gatewright_types::{ModelId, PriceId, ProviderId};

use super::*;
use crate::OrganizationUnit;

fn base() -> BTreeMap<UnitId, UnitBody> {
    let organization = OrganizationUnit {
        slug: "acme".parse().expect("a slug"),
    };
    BTreeMap::from([(UnitId::Organization, UnitBody::Organization(organization))])
}

fn with_provider(units: &mut BTreeMap<UnitId, UnitBody>, name: &str, kind: ProviderKind, base_url: Option<&str>) {
    let unit = ProviderUnit {
        name: name.parse().expect("a slug"),
        kind,
        base_url: base_url.map(str::to_owned),
        credentials: Vec::new(),
    };
    units.insert(UnitId::Provider(ProviderId::mint()), UnitBody::Provider(unit));
}

fn with_model(units: &mut BTreeMap<UnitId, UnitBody>, name: &str, target: &str) {
    let unit = ModelUnit {
        name: name.parse().expect("a model name"),
        route: RouteSpec::Target(target.parse().expect("a target")),
        timeouts: Timeouts::default(),
    };
    units.insert(UnitId::Model(ModelId::mint()), UnitBody::Model(unit));
}

fn problems(units: &BTreeMap<UnitId, UnitBody>) -> Vec<(&'static str, String)> {
    let found = compile(OrganizationId::mint(), units).expect_err("it does not compile");
    found
        .into_iter()
        .map(|problem| (problem.field, problem.message))
        .collect()
}

#[test]
fn a_model_finds_its_provider_and_the_newest_price_in_force() {
    let mut units = base();
    with_provider(
        &mut units,
        "local",
        ProviderKind::OpenaiCompatible,
        Some("http://127.0.0.1:9001/v1"),
    );
    with_model(&mut units, "fast", "local/llama");
    for (day, input) in [("2026-01-01T00:00:00Z", "1.00"), ("2026-06-01T00:00:00Z", "2.00")] {
        let rates = Rates {
            input: Some(input.parse().expect("a price")),
            ..Rates::default()
        };
        let price = PriceUnit {
            provider: "local".parse().expect("a slug"),
            model: "llama".parse().expect("a model"),
            rates,
            effective_from: day.parse().expect("a date"),
        };
        units.insert(UnitId::Price(PriceId::mint()), UnitBody::Price(price));
    }

    let tenant = compile(OrganizationId::mint(), &units).expect("it compiles");

    let model = tenant.models.get("fast").expect("the model is there");
    let Route::Target(target) = &model.route;
    let catalog = gatewright_llm::Catalog::embedded();
    let input_at = |day: &str| {
        let price = target.price(&catalog, day.parse().expect("a date"))?;
        price.rates().input.map(|price| price.to_string())
    };
    assert_eq!(target.provider.name.as_str(), "local");
    assert_eq!(input_at("2025-12-31T00:00:00Z"), None);
    assert_eq!(input_at("2026-03-01T00:00:00Z").as_deref(), Some("1.00"));
    assert_eq!(input_at("2026-07-01T00:00:00Z").as_deref(), Some("2.00"));
}

#[test]
fn everything_wrong_is_reported_at_once() {
    let mut units = base();
    with_provider(&mut units, "nowhere", ProviderKind::OpenaiCompatible, None);
    with_provider(&mut units, "sandbox", ProviderKind::Sandbox, Some("http://127.0.0.1/"));
    with_model(&mut units, "fast", "missing/llama");

    let mut found = problems(&units);
    found.sort();

    let expected = [
        ("base_url", "has no meaning for a provider of kind sandbox"),
        ("base_url", "is required for a provider of kind openai-compatible"),
        ("route.target", "there is no provider named missing"),
    ];
    assert_eq!(found, expected.map(|(field, message)| (field, message.to_owned())));
}

#[test]
fn two_models_of_one_name_do_not_compile() {
    let mut units = base();
    with_provider(&mut units, "sandbox", ProviderKind::Sandbox, None);
    with_model(&mut units, "fast", "sandbox/sandbox-small");
    with_model(&mut units, "fast", "sandbox/sandbox-large");

    assert_eq!(problems(&units), [("name", "another model has this name".to_owned())]);
}
