use gatewright_types::api::{
    CredentialKind, ModelSettings, ProviderKind, ProviderSettings, Route, TagRule, TraceSettings,
};
use gatewright_types::{CredentialId, KeyId, ModelId, OrganizationId, ProviderId, TeamId};
use serde_json::{Value, json};

use crate::compile::{compile, key_problems};
use crate::{CredentialUnit, KeyUnit, ModelUnit, OrganizationUnit, ProviderUnit, Sealed, Subject, TeamUnit, Whole};

use super::*;

type Units = BTreeMap<UnitId, UnitBody>;

/// A team, a provider with a credential, a model on it, and a tag with two values.
struct World {
    units: Units,
    team: TeamId,
    credential: CredentialId,
}

impl World {
    fn new() -> Self {
        let tag = |name: &str, values: Option<Vec<&str>>| TagRule {
            name: name.parse().expect("a tag"),
            required: false,
            values: values.map(|values| values.into_iter().map(|value| value.parse().expect("a name")).collect()),
        };
        let organization = OrganizationUnit {
            slug: "acme".parse().expect("a slug"),
            traces: TraceSettings::default(),
            tags: vec![tag("project", Some(vec!["apollo", "gemini"])), tag("tier", None)],
        };
        let credential = CredentialId::mint();
        let provider = ProviderUnit {
            name: "up".parse().expect("a slug"),
            kind: ProviderKind::Openai,
            base_url: None,
            settings: ProviderSettings::default(),
            network: None,
            credentials: vec![CredentialUnit {
                id: credential,
                weight: 1,
                kind: CredentialKind::ApiKey,
                sealed: Sealed::from_stored(String::new()),
            }],
        };
        let model = ModelUnit {
            name: "fast".parse().expect("a model's name"),
            route: Route::to("up/gpt-4o-mini".parse().expect("a target")),
            canaries: Vec::new(),
            settings: ModelSettings::default(),
        };
        let team = TeamId::mint();
        let of_team = TeamUnit {
            name: "Search".parse().expect("a name"),
            ip_ranges: Vec::new(),
        };
        let units = BTreeMap::from([
            (UnitId::Organization, UnitBody::Organization(organization)),
            (UnitId::Team(team), UnitBody::Team(of_team)),
            (UnitId::Provider(ProviderId::mint()), UnitBody::Provider(provider)),
            (UnitId::Model(ModelId::mint()), UnitBody::Model(model)),
        ]);
        Self {
            units,
            team,
            credential,
        }
    }

    fn add(&mut self, scope: Value, spec: Value) -> UnitId {
        let unit = UnitId::Budget(BudgetId::mint());
        self.units.insert(unit, UnitBody::Budget(budget_of(scope, spec)));
        unit
    }

    fn limit(&mut self, scope: Value, spec: Value) {
        let unit = LimitUnit {
            scope: serde_json::from_value(scope).expect("a scope"),
            spec: serde_json::from_value(spec).expect("a limit"),
        };
        self.units.insert(UnitId::Limit(LimitId::mint()), UnitBody::Limit(unit));
    }

    fn problems(&self) -> Vec<CompileProblem> {
        compile(OrganizationId::mint(), &self.units).err().unwrap_or_default()
    }
}

fn budget_of(scope: Value, mut spec: Value) -> BudgetUnit {
    let amount = spec.get("nanos").and_then(Value::as_i64);
    spec.as_object_mut().expect("fields").remove("nanos");
    let scope = serde_json::from_value(scope).expect("a scope");
    let mut spec: BudgetSpec = serde_json::from_value(spec).expect("a budget");
    spec.amount = amount.map_or(spec.amount, Nanos::new);
    BudgetUnit {
        scope,
        spec,
        increases: Vec::new(),
        since: None,
    }
}

/// One problem, with this field, that says this.
#[track_caller]
fn only(problems: &[CompileProblem], field: &str, says: &str) {
    let [problem] = problems else { panic!("{problems:?}") };
    assert_eq!(problem.field, field);
    assert!(problem.message.contains(says), "{problem:?}");
}

#[test]
fn what_a_budget_cannot_say_is_told_with_its_field() {
    for (spec, field, says) in [
        (json!({"nanos": -1}), "amount", "must not be negative"),
        (json!({"nanos": i64::MAX}), "amount", "must be at most 9000000.00 USD"),
        (json!({"time_zone": "Mars/Olympus"}), "time_zone", "Mars/Olympus"),
        (
            json!({"window": {"fiscal_month": {"starts_on": 0}}}),
            "window.fiscal_month.starts_on",
            "from 1 to 28",
        ),
        (
            json!({"window": {"fiscal_month": {"starts_on": 29}}}),
            "window.fiscal_month.starts_on",
            "from 1 to 28",
        ),
        (
            json!({"window": {"rolling": "59m"}}),
            "window.rolling",
            "from 1h to 90d",
        ),
        (
            json!({"window": {"rolling": "91d"}}),
            "window.rolling",
            "from 1h to 90d",
        ),
        (json!({"alerts": [0]}), "alerts", "from 1 to 1000"),
        (json!({"alerts": [1001]}), "alerts", "from 1 to 1000"),
        (json!({"alerts": [80, 80]}), "alerts", "rising"),
        (
            json!({"alerts": [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]}),
            "alerts",
            "up to 10",
        ),
        (json!({"soft": "1"}), "soft", "`action: {downgrade: MODEL}`"),
        (
            json!({"soft": "5", "action": {"downgrade": "fast"}}),
            "soft",
            "must be less than `amount`",
        ),
        (
            json!({"action": {"downgrade": "slow"}}),
            "action.downgrade",
            "there is no model named slow",
        ),
        (
            json!({"window": "total", "carry_over": true}),
            "carry_over",
            "another one follows",
        ),
        (
            json!({"window": {"rolling": "1d"}, "carry_over": true}),
            "carry_over",
            "another one follows",
        ),
    ] {
        let mut world = World::new();
        let mut whole = json!({"amount": "5", "window": "day"});
        for (field, value) in spec.as_object().expect("fields") {
            whole[field.as_str()] = value.clone();
        }
        world.add(json!("organization"), whole);

        only(&world.problems(), field, says);
    }
}

#[test]
fn the_smallest_and_the_largest_of_each_are_taken() {
    for spec in [
        json!({"amount": "0", "window": "hour"}),
        json!({"amount": "0.000000001", "window": {"rolling": "1h"}}),
        json!({"amount": "9000000", "window": {"rolling": "90d"}, "alerts": []}),
        json!({"amount": "5", "window": {"fiscal_month": {"starts_on": 28}}, "alerts": [1, 1000], "carry_over": true}),
        json!({"amount": "5", "window": "total", "action": {"downgrade": "fast"}, "soft": "4.999999999"}),
    ] {
        let mut world = World::new();
        world.add(json!("organization"), spec.clone());
        assert_eq!(world.problems(), [], "{spec}");
    }
}

#[test]
fn what_is_not_there_has_no_budget_and_no_limit() {
    let other = TeamId::mint();
    let credential = CredentialId::mint();
    for (scope, field) in [
        (json!({"team": other}), "scope.team"),
        (json!({"model": "slow"}), "scope.model"),
        (json!({"provider": "down"}), "scope.provider"),
        (json!({"credential": credential}), "scope.credential"),
        (json!({"tag": {"name": "customer"}}), "scope.tag.name"),
        (
            json!({"tag": {"name": "project", "value": "mercury"}}),
            "scope.tag.value",
        ),
        (json!({"end_user": {"each": false}}), "scope.end_user.each"),
    ] {
        let mut world = World::new();
        world.add(scope.clone(), json!({"amount": "5", "window": "day"}));
        only(&world.problems(), field, "");

        let mut world = World::new();
        world.limit(scope, json!({"rpm": 5}));
        only(&world.problems(), field, "");
    }
}

#[test]
fn what_is_there_has_both_on_the_path_of_its_requests() {
    let mut world = World::new();
    let (team, credential) = (world.team, world.credential);
    for scope in [
        json!("organization"),
        json!({"team": team}),
        json!({"model": "fast"}),
        json!({"provider": "up"}),
        json!({"credential": credential}),
        json!({"tag": {"name": "project"}}),
        json!({"tag": {"name": "project", "value": "apollo"}}),
        json!({"tag": {"name": "tier", "value": "whatever"}}),
        json!({"end_user": {"each": true}}),
        json!({"end_user": "ada"}),
    ] {
        world.add(scope.clone(), json!({"amount": "5", "window": "day"}));
        world.limit(scope, json!({"tpm": 5, "units": "tokens.input"}));
    }

    let tenant = compile(OrganizationId::mint(), &world.units).expect("it compiles");

    let project = "project".parse().expect("a tag");
    let (model, provider) = ("fast".parse().expect("a name"), "up".parse().expect("a slug"));
    for (subject, count) in [
        (Subject::Organization, 1),
        (Subject::Team(team), 1),
        (Subject::Model(&model), 1),
        (Subject::Provider(&provider), 1),
        (Subject::Credential(credential), 1),
        (Subject::Tag(&project, "apollo"), 2),
        (Subject::Tag(&project, "gemini"), 1),
        (Subject::EndUser("ada"), 2),
        (Subject::EndUser("grace"), 1),
    ] {
        let caps: Vec<_> = tenant.caps.of(subject).collect();
        let budgets: usize = caps.iter().map(|caps| caps.budgets.len()).sum();
        let limits: usize = caps.iter().map(|caps| caps.limits.len()).sum();
        assert_eq!((budgets, limits), (count, count), "{subject:?}");
    }
}

#[test]
fn a_scope_has_one_budget_of_a_window_and_none_more_than_the_organization() {
    let mut world = World::new();
    let team = json!({"team": world.team});
    world.add(json!("organization"), json!({"amount": "10", "window": "day"}));
    world.add(team.clone(), json!({"amount": "10", "window": "day"}));
    world.add(team.clone(), json!({"amount": "99", "window": "week"}));
    assert_eq!(world.problems(), []);

    world.add(team.clone(), json!({"amount": "9", "window": "day"}));
    only(&world.problems(), "window", "has a budget of this scope already");

    let mut world = World::new();
    world.add(json!("organization"), json!({"amount": "10", "window": "day"}));
    let unit = world.add(json!({"team": world.team}), json!({"amount": "10.01", "window": "day"}));
    let problems = world.problems();
    only(
        &problems,
        "amount",
        "is more than the 10.00 USD that the organization has for the same window",
    );
    assert!(problems.iter().all(|problem| problem.unit == unit));
}

#[test]
fn what_a_limit_cannot_say_is_told_with_its_field() {
    for (spec, field, says) in [
        (json!({}), "rpm", "a limit limits something"),
        (json!({"tpd": 1_000_000_000_001_u64}), "tpd", "at most"),
        (
            json!({"rpm": 5, "units": "tokens.input"}),
            "units",
            "`tpm`, `tph` or `tpd`",
        ),
        (json!({"tpm": 5, "units": "tokens.input +"}), "units", ""),
        (json!({"tpm": 5, "units": "\"text\""}), "units", "a number is needed"),
    ] {
        let mut world = World::new();
        world.limit(json!("organization"), spec);
        only(&world.problems(), field, says);
    }
    let mut world = World::new();
    world.limit(json!("organization"), json!({"rpm": 5}));
    world.limit(json!("organization"), json!({"rpm": 4, "shadow": true}));
    assert_eq!(world.problems(), []);
    world.limit(json!("organization"), json!({"rpm": 3, "shadow": true}));
    only(&world.problems(), "scope", "has a limit already");
}

#[test]
fn what_is_wrong_with_a_keys_own_is_told_by_unit() {
    let key = KeyId::mint();
    let check = |specs: &[Value], field: &str, says: &str| {
        let mut unit = KeyUnit::new(key);
        for spec in specs {
            let budget = budget_of(json!({"key": key}), spec.clone());
            unit.budgets.insert(BudgetId::mint(), budget);
        }
        let whole = Whole {
            whose: "team Search".to_owned(),
            window: BudgetWindow::Day,
            amount: "10".parse().expect("an amount"),
        };
        let found = key_problems(&unit, &[whole], |model| model.as_str() == "fast");
        match field {
            "" => assert_eq!(found, []),
            _ => only(&found, field, says),
        }
    };

    check(&[json!({"amount": "10", "window": "day"})], "", "");
    check(&[json!({"amount": "11", "window": "week"})], "", "");
    check(
        &[json!({"amount": "11", "window": "day"})],
        "amount",
        "is more than the 10.00 USD that team Search has for the same window",
    );
    check(
        &[json!({"amount": "1", "window": "day", "action": {"downgrade": "slow"}})],
        "action.downgrade",
        "there is no model named slow",
    );
    check(
        &[
            json!({"amount": "1", "window": "day"}),
            json!({"amount": "2", "window": "day"}),
        ],
        "window",
        "has a budget of this scope already",
    );
}

#[test]
fn tags_are_known_once_and_have_a_value() {
    for (tags, field) in [
        (json!([{"name": "a"}, {"name": "a"}]), "tags[1].name"),
        (json!([{"name": "a", "values": []}]), "tags[0].values"),
        (json!([{"name": "a", "values": ["x", "x"]}]), "tags[0].values"),
    ] {
        let mut world = World::new();
        if let Some(UnitBody::Organization(organization)) = world.units.get_mut(&UnitId::Organization) {
            organization.tags = serde_json::from_value(tags).expect("tags");
        }
        only(&world.problems(), field, "");
    }
}
