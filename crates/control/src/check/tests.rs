use gatewright_types::PageQuery;
use gatewright_types::api::{Document, NewCredential, NewKey, NewModel, NewProvider};
use serde_json::json;

use super::*;

fn problems<T: JsonSchema + DeserializeOwned>(value: &Value) -> Vec<(String, String)> {
    let problems = Shape::of::<T>()
        .read::<T>(value)
        .map(|_| ())
        .expect_err("something is wrong with it");
    problems
        .into_iter()
        .map(|problem| (problem.path, problem.message))
        .collect()
}

#[test]
fn every_mistake_is_found_at_once_with_its_path() {
    let value = json!({
        "version": 1,
        "organization": "Acme",
        "modles": [],
        "models": [
            {"name": "fast", "route": {"target": "openai/gpt-4o"}},
            {"name": "slow", "route": {"target": "no-slash"}, "timeouts": {"totl": "2s", "connect": "soon"}},
        ],
        "providers": [{"name": "a", "kind": "opnai", "credentials": [{"name": "a", "api_key": {"evn": "X"}, "weight": "1"}]}],
        "keys": [{}],
        "prices": [{"provider": "a", "model": "m", "inptu": "1"}],
    });

    let found = problems::<Document>(&value);

    let expected = [
        ("keys[0].name", "is required"),
        ("models[1].route.target", "must be written provider/model"),
        (
            "models[1].timeouts.connect",
            "expected a duration like 250ms, 2s, 10m, 1h or 30d",
        ),
        (
            "models[1].timeouts.totl",
            r#"unknown field "totl"; did you mean "total"?"#,
        ),
        ("modles", r#"unknown field "modles"; did you mean "models"?"#),
        ("organization", "may hold only lower-case letters, digits and hyphens"),
        ("prices[0].inptu", r#"unknown field "inptu"; did you mean "input"?"#),
        (
            "providers[0].credentials[0].api_key.evn",
            r#"unknown field "evn"; did you mean "env"?"#,
        ),
        (
            "providers[0].credentials[0].weight",
            "expected a whole number, found a text",
        ),
        ("providers[0].kind", r#"unknown value "opnai"; did you mean "openai"?"#),
    ];
    let mut found: Vec<_> = found
        .iter()
        .map(|(path, message)| (path.as_str(), message.as_str()))
        .collect();
    found.sort_unstable();
    assert_eq!(found, expected);
}

#[test]
fn what_is_right_becomes_the_value() {
    let value = json!({"name": "prod", "models": null, "team": null, "expires_at": "2027-01-01T00:00:00Z"});

    let key: NewKey = Shape::of::<NewKey>().read(&value).expect("a good key");

    assert_eq!(key.name.as_str(), "prod");
}

#[test]
fn a_choice_takes_exactly_one_of_its_forms() {
    let of = |secret| {
        let value = json!({"version": 1, "organization": "acme", "keys": [{"name": "k", "secret": secret}]});
        problems::<Document>(&value)
    };
    let path = "keys[0].secret".to_owned();
    let exactly = "must hold exactly one of env, file, value".to_owned();
    assert_eq!(of(json!({})), [(path.clone(), exactly)]);
    let found = "expected one of env, file, value, found a number".to_owned();
    assert_eq!(of(json!(5)), [(path, found)]);
}

#[test]
fn what_no_schema_can_say_has_its_place_too() {
    let route = json!({"weighted": [{"weight": 1, "route": {"target": "a/x", "fallback": []}}]});
    let found = problems::<NewModel>(&json!({"name": "m", "route": route}));

    let [(path, message)] = &found[..] else {
        panic!("{found:?}")
    };
    assert_eq!(path, "route.weighted[0].route");
    assert!(message.contains("this one is target and fallback"), "{message}");
}

#[test]
fn a_secret_in_the_wrong_place_is_not_repeated() {
    let value = json!({"version": 1, "organization": "acme", "keys": [{"name": "k", "secret": "sk-canary"}]});

    let found = problems::<Document>(&value);

    let message = "must be a map that holds one of env, file, value";
    assert_eq!(found, [("keys[0].secret".to_owned(), message.to_owned())]);
}

#[test]
fn a_value_of_the_wrong_form_at_the_root_has_an_empty_path() {
    assert_eq!(
        problems::<NewKey>(&json!([])),
        [(String::new(), "expected a map, found a list".to_owned())]
    );
}

#[test]
fn query_texts_become_numbers_where_the_shape_asks_for_them() {
    let shape = Shape::of::<PageQuery>();
    let typed = shape.typed(vec![
        ("limit".to_owned(), "7".to_owned()),
        ("cursor".to_owned(), "7".to_owned()),
    ]);

    assert_eq!(Value::Object(typed), json!({"limit": 7, "cursor": "7"}));
    assert_eq!(
        problems::<PageQuery>(&json!({"limit": 70_000})),
        [("limit".to_owned(), "must be from 0 to 65535".to_owned())]
    );
}

#[test]
fn settings_of_a_provider_are_checked_with_their_names_and_keys() {
    let value = json!({
        "name": "a", "kind": "azure", "region": "a/b", "api_version": 7, "regoin": "eu", "api": "invocation",
        "deployments": {"gpt 4o": "main", "gpt-4o": "a/b"},
        "headers": {"Host": "x", "authorization": "x", "x-a": "b\r\nc: d", "x-b": "fine"},
    });

    let found = problems::<NewProvider>(&value);

    let own = "is a header that the gateway sends itself: remove it";
    let expected = [
        ("api", r#"unknown value "invocation"; did you mean "invoke"?"#),
        ("api_version", "expected a text, found a number"),
        ("deployments.gpt 4o", "may hold only letters, digits and . _ : / @ + -"),
        (
            "deployments.gpt-4o",
            "may hold only letters, digits and . _ - and must not start with a dot",
        ),
        ("headers.Host", "must be a header's name in lower case"),
        ("headers.authorization", own),
        (
            "headers.x-a",
            "may hold only visible ASCII characters, and spaces between them",
        ),
        ("region", "must be a region's name, such as eu-central-1"),
        ("regoin", r#"unknown field "regoin"; did you mean "region"?"#),
    ];
    let mut found: Vec<_> = found
        .iter()
        .map(|(path, message)| (path.as_str(), message.as_str()))
        .collect();
    found.sort_unstable();
    assert_eq!(found, expected);
}

#[test]
fn a_credential_holds_exactly_one_secret_and_all_of_its_parts() {
    let cases = [
        (
            json!({"name": "a"}),
            "api_key",
            "is required, or another of api_key, aws, entra, google",
        ),
        (
            json!({"name": "a", "api_key": "k", "google": {"service_account": "{}"}}),
            "google",
            "stands beside api_key: give only one of them",
        ),
        (
            json!({"name": "a", "aws": {"access_key_id": "AKIA"}}),
            "aws.secret_access_key",
            "is required",
        ),
        (
            json!({"name": "a", "entra": {"tenant_id": "t", "client_id": "c", "client_secret": "s", "scope": "x"}}),
            "entra.scope",
            r#"unknown field "scope"; known are client_id, client_secret, tenant_id, token_url"#,
        ),
        (
            json!({"name": "a", "api_kye": "sk-canary"}),
            "api_kye",
            r#"unknown field "api_kye"; did you mean "api_key"?"#,
        ),
    ];
    for (value, path, message) in cases {
        let found = problems::<NewCredential>(&value);
        assert!(
            found.contains(&(path.to_owned(), message.to_owned())),
            "{value}: {found:?}"
        );
        assert!(
            found.iter().all(|(_, message)| !message.contains("canary")),
            "{found:?}"
        );
    }
}

#[test]
fn ids_may_be_written_out_in_a_file_and_secrets_may_not() {
    let document = |entra: Value| {
        json!({"version": 1, "organization": "acme", "providers": [
            {"name": "a", "kind": "azure", "credentials": [{"name": "c", "entra": entra}]},
        ]})
    };
    let good = json!({"tenant_id": "t", "client_id": {"env": "C"}, "client_secret": {"file": "f"}});
    let bad = json!({"tenant_id": 5, "client_id": {"evn": "C"}, "client_secret": "sk-canary"});

    Shape::of::<Document>()
        .read::<Document>(&document(good))
        .expect("a document");
    let mut found = problems::<Document>(&document(bad));

    found.sort_unstable();
    let place = "providers[0].credentials[0].entra";
    let expected = [
        ("client_id.evn", r#"unknown field "evn"; did you mean "env"?"#),
        ("client_secret", "must be a map that holds one of env, file, value"),
        ("tenant_id", "expected one of env, file, value, found a number"),
    ];
    assert_eq!(
        found,
        expected.map(|(field, message)| (format!("{place}.{field}"), message.to_owned()))
    );
}
