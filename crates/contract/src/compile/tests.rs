use gatewright_types::api::{CredentialKind, ModelSettings, ProviderKind, ProviderSettings, Rates, Route as RouteSpec};
use gatewright_types::{CredentialId, ModelId, PriceId, ProviderId};
use serde_json::{Value, json};

use super::*;
use crate::{CredentialUnit, OrganizationUnit, ProviderUnit, Sealed, Strategy};

fn base() -> BTreeMap<UnitId, UnitBody> {
    let organization = OrganizationUnit::new("acme".parse().expect("a slug"));
    BTreeMap::from([(UnitId::Organization, UnitBody::Organization(organization))])
}

fn with_provider(units: &mut BTreeMap<UnitId, UnitBody>, name: &str, kind: ProviderKind, base_url: Option<&str>) {
    let unit = ProviderUnit {
        name: name.parse().expect("a slug"),
        kind,
        base_url: base_url.map(str::to_owned),
        settings: ProviderSettings::default(),
        network: None,
        credentials: Vec::new(),
    };
    units.insert(UnitId::Provider(ProviderId::mint()), UnitBody::Provider(unit));
}

fn with_model(units: &mut BTreeMap<UnitId, UnitBody>, name: &str, target: &str) {
    let unit = ModelUnit {
        name: name.parse().expect("a model name"),
        route: RouteSpec::to(target.parse().expect("a target")),
        canaries: Vec::new(),
        settings: ModelSettings::default(),
    };
    units.insert(UnitId::Model(ModelId::mint()), UnitBody::Model(unit));
}

fn problems(units: &BTreeMap<UnitId, UnitBody>) -> Vec<(String, String)> {
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
            tiers: Vec::new(),
            service_tiers: Vec::new(),
            effective_from: day.parse().expect("a date"),
        };
        units.insert(UnitId::Price(PriceId::mint()), UnitBody::Price(price));
    }

    let tenant = compile(OrganizationId::mint(), &units).expect("it compiles");

    let model = tenant.models.get("fast").expect("the model is there");
    let target = model.route.targets()[0];
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
    assert_eq!(
        found,
        expected.map(|(field, message)| (field.to_owned(), message.to_owned()))
    );
}

#[test]
fn two_models_of_one_name_do_not_compile() {
    let mut units = base();
    with_provider(&mut units, "sandbox", ProviderKind::Sandbox, None);
    with_model(&mut units, "fast", "sandbox/sandbox-small");
    with_model(&mut units, "fast", "sandbox/sandbox-large");

    assert_eq!(
        problems(&units),
        [("name".to_owned(), "another model has this name".to_owned())]
    );
}

fn provider_of(
    kind: ProviderKind,
    base_url: Option<&str>,
    settings: Value,
    credentials: &[CredentialKind],
) -> ProviderUnit {
    let credential = |kind: &CredentialKind| CredentialUnit {
        id: CredentialId::mint(),
        weight: 1,
        kind: *kind,
        sealed: Sealed::from_stored(String::new()),
    };
    ProviderUnit {
        name: "it".parse().expect("a slug"),
        kind,
        base_url: base_url.map(str::to_owned),
        settings: serde_json::from_value(settings).expect("settings"),
        network: None,
        credentials: credentials.iter().map(credential).collect(),
    }
}

/// The address and the region of a provider, or the fields that keep it from compiling.
fn compiled(unit: ProviderUnit) -> Result<(Option<String>, Option<String>), Vec<String>> {
    let mut units = base();
    units.insert(UnitId::Provider(ProviderId::mint()), UnitBody::Provider(unit));
    let tenant = compile(OrganizationId::mint(), &units)
        .map_err(|found| found.into_iter().map(|problem| problem.field).collect::<Vec<_>>())?;
    let provider = tenant.providers.get("it").expect("it is there");
    let address = provider.base_url.as_ref().map(ToString::to_string);
    Ok((address, provider.settings.region.as_ref().map(ToString::to_string)))
}

#[test]
fn a_clouds_address_and_region_follow_from_what_is_said() {
    use CredentialKind::{ApiKey, Aws, Google};
    use ProviderKind::{Azure, Bedrock, Ollama, Vertex};
    let there = |address: &str, region: Option<&str>| Ok((Some(address.to_owned()), region.map(str::to_owned)));
    let frankfurt = "https://bedrock-runtime.eu-central-1.amazonaws.com";
    let endpoint = "https://vpce-1-2.bedrock-runtime.us-east-1.vpce.amazonaws.com";
    let cases = [
        (
            provider_of(Bedrock, None, json!({"region": "eu-central-1"}), &[Aws, ApiKey]),
            there(frankfurt, Some("eu-central-1")),
        ),
        (
            provider_of(Bedrock, Some(frankfurt), json!({}), &[Aws]),
            there(frankfurt, Some("eu-central-1")),
        ),
        (
            provider_of(Bedrock, Some(endpoint), json!({}), &[Aws]),
            there(endpoint, Some("us-east-1")),
        ),
        (
            provider_of(Bedrock, Some("http://127.0.0.1:9"), json!({}), &[ApiKey]),
            there("http://127.0.0.1:9", None),
        ),
        (
            provider_of(
                Vertex,
                None,
                json!({"region": "europe-west4", "project": "p"}),
                &[Google],
            ),
            there("https://europe-west4-aiplatform.googleapis.com", Some("europe-west4")),
        ),
        (
            provider_of(Vertex, None, json!({}), &[ApiKey]),
            there("https://aiplatform.googleapis.com", None),
        ),
        (
            provider_of(
                Azure,
                Some("https://r.openai.azure.com"),
                json!({"api_version": "2024-10-21", "deployments": {"gpt-4o": "main"}}),
                &[],
            ),
            there("https://r.openai.azure.com", None),
        ),
        (
            provider_of(Ollama, None, json!({"headers": {"x-team": "search"}}), &[]),
            there("http://127.0.0.1:11434/v1", None),
        ),
    ];
    for (unit, expected) in cases {
        assert_eq!(compiled(unit.clone()), expected, "{unit:?}");
    }
}

#[test]
fn what_a_kind_lacks_or_does_not_take_is_told_by_field() {
    use CredentialKind::{ApiKey, Aws, Entra, Google};
    use ProviderKind::{Azure, Bedrock, Openai, Sandbox, Vertex};
    let everything =
        json!({"region": "eu", "project": "p", "api_version": "1", "deployments": {"a": "b"}, "api": "invoke"});
    let cases: [(ProviderUnit, &[&str]); 8] = [
        (provider_of(Bedrock, None, json!({}), &[Aws]), &["region"]),
        (
            provider_of(Bedrock, Some("http://127.0.0.1:9"), json!({}), &[Aws]),
            &["region"],
        ),
        (provider_of(Vertex, None, json!({}), &[Google]), &["project", "region"]),
        (
            provider_of(Vertex, None, json!({"region": "eu"}), &[ApiKey]),
            &["project"],
        ),
        (
            provider_of(Azure, None, json!({}), &[Entra, Google]),
            &["base_url", "credentials[1].google"],
        ),
        (
            provider_of(Openai, None, everything, &[Aws]),
            &[
                "region",
                "project",
                "api_version",
                "deployments",
                "api",
                "credentials[0].aws",
            ],
        ),
        (
            provider_of(Sandbox, None, json!({"headers": {"x-a": "b"}}), &[ApiKey]),
            &["headers", "credentials[0].api_key"],
        ),
        (
            provider_of(Openai, Some("ftp://x"), json!({"region": "eu"}), &[]),
            &["base_url", "region"],
        ),
    ];
    for (unit, expected) in cases {
        assert_eq!(
            compiled(unit.clone()),
            Err(expected.iter().map(|field| (*field).to_owned()).collect()),
            "{unit:?}"
        );
    }
}

#[test]
fn a_probe_needs_time_between_and_something_to_ask_for() {
    use ProviderKind::{Bedrock, Ollama, Sandbox};
    let probed = |kind, probe: Value| {
        let settings = match kind {
            Bedrock => json!({"region": "eu-central-1", "probe": probe}),
            _ => json!({"probe": probe}),
        };
        compiled(provider_of(kind, None, settings, &[])).map(drop)
    };
    let wrong = |field: &str| Err(vec![field.to_owned()]);

    assert_eq!(probed(Ollama, json!({"every": "1s"})), Ok(()));
    assert_eq!(
        probed(Bedrock, json!({"every": "1m", "model": "amazon.nova-micro-v1:0"})),
        Ok(())
    );
    assert_eq!(probed(Ollama, json!({"every": "999ms"})), wrong("probe.every"));
    assert_eq!(probed(Bedrock, json!({"every": "1m"})), wrong("probe.model"));
    assert_eq!(probed(Sandbox, json!({"every": "1m"})), wrong("probe"));
}

#[test]
fn a_credential_of_the_wrong_kind_is_told_what_to_give_instead() {
    let message = credential_problem(ProviderKind::Azure, CredentialKind::Aws);

    assert_eq!(
        message.as_deref(),
        Some("cannot be used with a provider of kind azure: give api_key or entra")
    );
}

fn with_route(units: &mut BTreeMap<UnitId, UnitBody>, route: Value) {
    let unit = ModelUnit {
        name: "smart".parse().expect("a model name"),
        route: serde_json::from_value(route).expect("a route"),
        canaries: Vec::new(),
        settings: ModelSettings::default(),
    };
    units.insert(UnitId::Model(ModelId::mint()), UnitBody::Model(unit));
}

#[test]
fn every_mistake_in_a_tree_is_told_with_its_place() {
    let mut units = base();
    with_provider(&mut units, "sandbox", ProviderKind::Sandbox, None);
    with_route(
        &mut units,
        json!({"fallback": [
            {"weighted": [{"weight": 0, "route": {"target": "sandbox/sandbox-small"}}]},
            {"on": ["timeout"], "route": {"round_robin": []}},
            {"canary": {
                "stable": {"target": "gone/a"}, "candidate": {"target": "sandbox/sandbox-large"}, "percent": 50,
                "ramp": {"step": 0, "every": "1h", "until": 20}
            }},
            {"target": {
                "provider": "sandbox", "model": "sandbox-small",
                "fault": {"kind": "stall", "percent": 101, "delay": "1s"}
            }}
        ]}),
    );

    let found = problems(&units);

    let expected = [
        (
            "route.fallback[0].weighted",
            "every weight is 0, so that nothing can be picked",
        ),
        ("route.fallback[1].route.round_robin", "leads nowhere: it is empty"),
        (
            "route.fallback[2].canary.ramp.until",
            "is less than percent, the part it begins with",
        ),
        (
            "route.fallback[2].canary.ramp.step",
            "is 0, so that the part never grows",
        ),
        (
            "route.fallback[2].canary.stable.target",
            "there is no provider named gone",
        ),
        ("route.fallback[3].target.fault.percent", "is more than 100"),
        (
            "route.fallback[3].target.fault.delay",
            "has no meaning for a fault that is not slow: remove it",
        ),
    ];
    assert_eq!(
        found,
        expected.map(|(field, message)| (field.to_owned(), message.to_owned()))
    );
}

#[test]
fn a_tree_that_is_too_deep_is_refused_where_it_becomes_so() {
    let mut units = base();
    with_provider(&mut units, "sandbox", ProviderKind::Sandbox, None);
    let mut route = json!({"target": "sandbox/sandbox-small"});
    for _ in 0..16 {
        route = json!({"fallback": [route]});
    }
    with_route(&mut units, route);

    let found = problems(&units);

    let place = format!("route{}", ".fallback[0]".repeat(16));
    assert_eq!(found, [(place, "strategies nest 16 deep at most".to_owned())]);
}

#[test]
fn an_answer_is_kept_for_a_second_at_least_and_thirty_days_at_most() {
    let with = |ttl: &str| {
        let mut units = base();
        with_provider(&mut units, "toy", ProviderKind::Sandbox, None);
        with_model(&mut units, "fast", "toy/echo");
        for body in units.values_mut() {
            if let UnitBody::Model(model) = body {
                model.settings.cache = serde_json::from_value(json!({"ttl": ttl})).expect("settings");
            }
        }
        units
    };

    for kept in ["1s", "1h", "30d"] {
        assert!(compile(OrganizationId::mint(), &with(kept)).is_ok(), "{kept}");
    }
    for wrong in ["0s", "999ms", "31d"] {
        let message = "must be from 1s to 30d: to keep nothing, leave `cache` out".to_owned();
        assert_eq!(problems(&with(wrong)), [("cache.ttl".to_owned(), message)]);
    }
}

#[test]
fn a_condition_that_cannot_hold_water_is_refused_with_its_place_line_and_column() {
    let mut units = base();
    with_provider(&mut units, "sandbox", ProviderKind::Sandbox, None);
    let target = json!({"target": "sandbox/sandbox-small"});
    let route = json!({"fallback": [
        {"when": [
            {"if": "request.model == 'a' &&\n  request.modle == 'b'", "route": target.clone()},
            {"if": "request.input_tokens", "route": target.clone()},
            {"if": "request.stream", "route": target.clone()},
        ]},
    ]});
    let unit = ModelUnit {
        name: "fast".parse().expect("a model name"),
        route: serde_json::from_value(route).expect("a route"),
        canaries: Vec::new(),
        settings: ModelSettings::default(),
    };
    units.insert(UnitId::Model(ModelId::mint()), UnitBody::Model(unit));

    let found = problems(&units);

    let places: Vec<_> = found.iter().map(|(field, _)| field.as_str()).collect();
    assert_eq!(places, ["route.fallback[0].when[0].if", "route.fallback[0].when[1].if"]);
    let message = |index: usize| found[index].1.as_str();
    assert!(message(0).starts_with("line 2, column 11: "), "{}", message(0));
    assert!(message(0).contains("did you mean `model`?"), "{}", message(0));
    assert!(message(1).starts_with("line 1, column 1: "), "{}", message(1));
}

#[test]
fn settings_of_traces_that_say_nothing_are_refused() {
    let with = |settings: Value| {
        let mut units = base();
        for body in units.values_mut() {
            if let UnitBody::Organization(organization) = body {
                organization.traces = serde_json::from_value(settings.clone()).expect("settings");
            }
        }
        units
    };

    for fine in [
        json!({}),
        json!({"requests": "all", "sample": 1, "keep": "90d"}),
        json!({"requests": "off"}),
    ] {
        let tenant = compile(OrganizationId::mint(), &with(fine.clone())).expect("it compiles");
        assert_eq!(
            json!(tenant.traces.requests),
            fine.get("requests").cloned().unwrap_or(json!("failures"))
        );
    }
    let wrong = [
        (json!({"requests": "all", "sample": 0}), "traces.sample"),
        (json!({"requests": "all", "sample": 101}), "traces.sample"),
        (json!({"requests": "failures", "sample": 10}), "traces.sample"),
        (json!({"keep": "59m"}), "traces.keep"),
        (json!({"keep": "91d"}), "traces.keep"),
    ];
    for (settings, place) in wrong {
        let found: Vec<_> = problems(&with(settings.clone()))
            .into_iter()
            .map(|(field, _)| field)
            .collect();
        assert_eq!(found, [place], "{settings}");
    }
}

#[test]
fn what_shapes_answers_changes_the_policy_they_are_kept_under() {
    type Change = fn(&mut ModelUnit, &mut ProviderUnit);
    let mut units = base();
    with_provider(&mut units, "toy", ProviderKind::Sandbox, None);
    with_model(&mut units, "fast", "toy/echo");
    let policy = |change: Change| {
        let mut units = units.clone();
        let mut model = None;
        for body in units.values_mut() {
            if let UnitBody::Model(unit) = body {
                unit.settings.cache = serde_json::from_value(json!({"ttl": "1h"})).expect("settings");
                model = Some(unit);
            }
        }
        let mut provider = ProviderUnit {
            name: "other".parse().expect("a slug"),
            kind: ProviderKind::OpenaiCompatible,
            base_url: Some("http://127.0.0.1:1/v1".to_owned()),
            settings: ProviderSettings::default(),
            network: None,
            credentials: Vec::new(),
        };
        change(model.expect("a model"), &mut provider);
        let id: ProviderId = "prov_01990f0d5a7e7d1e8a523b1f2c4d5e6f".parse().expect("an identifier");
        units.insert(UnitId::Provider(id), UnitBody::Provider(provider));
        let tenant = compile(OrganizationId::mint(), &units).expect("it compiles");
        let model = tenant.models.values().next().expect("a model");
        model.cache.as_ref().expect("it is cached").policy
    };
    let plain = policy(|_, _| {});

    let same: [Change; 3] = [
        |_, _| {},
        |model, _| model.settings.timeouts.total = "5s".parse().ok(),
        |_, provider| provider.settings.timeouts.total = "5s".parse().ok(),
    ];
    for change in same {
        assert_eq!(policy(change), plain);
    }
    let others: [Change; 3] = [
        |model, _| model.route = serde_json::from_value(json!({"target": "toy/other"})).expect("a route"),
        |_, provider| provider.base_url = Some("http://127.0.0.1:2/v1".to_owned()),
        |_, provider| provider.kind = ProviderKind::Vllm,
    ];
    for change in others {
        assert_ne!(policy(change), plain);
    }
}

#[test]
fn a_canary_has_the_part_that_is_published_and_else_the_one_it_begins_with() {
    let percents = |canaries: Value| {
        let mut units = base();
        with_provider(&mut units, "toy", ProviderKind::Sandbox, None);
        let leaf = |model: &str| json!({"target": format!("toy/{model}")});
        let inner = json!({"canary": {"stable": leaf("a"), "candidate": leaf("b"), "percent": 20}});
        with_route(
            &mut units,
            json!({"canary": {"stable": leaf("c"), "candidate": inner, "percent": 10}}),
        );
        for body in units.values_mut() {
            if let UnitBody::Model(model) = body {
                model.canaries = serde_json::from_value(canaries.clone()).expect("published canaries");
            }
        }
        let tenant = compile(OrganizationId::mint(), &units).expect("it compiles");
        let Strategy::Canary(outer) = &tenant.models.get("smart").expect("a model").route.strategy else {
            panic!("no canary");
        };
        let Strategy::Canary(inner) = &outer.candidate.strategy else {
            panic!("no canary");
        };
        (outer.percent, inner.percent)
    };

    assert_eq!(percents(json!([])), (10, 20));
    let published = json!([
        {"place": "route.canary", "percent": 50, "round": 7},
        {"place": "route.canary.candidate.canary", "percent": 0},
    ]);
    assert_eq!(percents(published), (50, 0));
}

#[test]
fn a_canary_that_could_not_be_judged_is_refused() {
    let with = |rollback: Value| {
        let mut units = base();
        with_provider(&mut units, "toy", ProviderKind::Sandbox, None);
        with_route(
            &mut units,
            json!({"canary": {
                "stable": {"target": "toy/a"}, "candidate": {"target": "toy/b"}, "percent": 10, "rollback": rollback
            }}),
        );
        units
    };

    let nothing = "says by nothing when to roll back: give error_rate, latency or cost".to_owned();
    assert_eq!(
        problems(&with(json!({}))),
        [("route.canary.rollback".to_owned(), nothing)]
    );
    let none = "is 0, but who had no requests cannot be judged".to_owned();
    assert_eq!(
        problems(&with(json!({"min_requests": 0, "cost": 200}))),
        [("route.canary.rollback.min_requests".to_owned(), none)]
    );
}
