//! The OpenAPI document, against the one that is checked in. `UPDATE_GOLDEN=1` writes it anew.

use std::path::Path;

use gatewright_control::{openapi, route_table};

#[test]
fn the_document_is_the_one_that_is_checked_in() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/openapi.json");
    let mut generated = serde_json::to_string_pretty(&openapi()).unwrap();
    generated.push('\n');

    if option_env!("UPDATE_GOLDEN").is_some() || update_asked() {
        std::fs::write(&file, &generated).unwrap();
    }

    let checked_in = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(
        generated == checked_in,
        "the API has changed: read the difference after UPDATE_GOLDEN=1"
    );
}

#[expect(
    clippy::disallowed_methods,
    reason = "the switch is for the person who runs the test"
)]
fn update_asked() -> bool {
    std::env::var("UPDATE_GOLDEN").is_ok_and(|value| value == "1")
}

#[test]
fn every_route_is_described_once_and_every_reference_leads_somewhere() {
    let document = openapi();
    let mut ids = Vec::new();
    for route in route_table() {
        let operation = &document["paths"][format!("/api/v1{}", route.path)][route.method.to_ascii_lowercase()];
        ids.push(operation["operationId"].as_str().unwrap().to_owned());
    }
    let count = ids.len();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), count, "{ids:?}");

    let text = document.to_string();
    for reference in text.split("#/components/schemas/").skip(1) {
        let name = reference.split('"').next().unwrap();
        assert!(
            document["components"]["schemas"].get(name).is_some(),
            "{name} is described nowhere"
        );
    }
    assert!(!text.contains("$defs"));
}
