//! Providers that need settings and credentials that are no API keys.

use gatewright_contract::{Revision, Sealed, UnitBody, UnitId};
use gatewright_types::ProviderId;
use gatewright_types::api::{CredentialKind, ProviderKind, ProviderSettings};
use serde_json::json;

use super::fixture::{Fixture, new_credential};
use super::on_both_databases;
use crate::{CredentialInsert, CredentialUpdate, Place, ProviderUpdate, SealedSecret, WriteError};

fn settings(value: serde_json::Value) -> ProviderSettings {
    serde_json::from_value(value).expect("settings")
}

fn aws(name: &str) -> CredentialInsert {
    let mut credential = new_credential(name);
    credential.secret.kind = CredentialKind::Aws;
    credential
}

async fn settings_and_kinds_are_stored_and_published(fixture: Fixture) {
    let acme = fixture.organization_named("acme").await;
    let id = ProviderId::mint();
    let name = "bedrock".parse().expect("a slug");
    let first = ProviderUpdate {
        kind: ProviderKind::Bedrock,
        base_url: None,
        settings: settings(json!({"region": "eu-central-1", "headers": {"x-team": "search"}})),
        network: None,
    };
    let second = ProviderUpdate {
        settings: settings(json!({"region": "us-east-1"})),
        network: None,
        ..first.clone()
    };
    let credential = aws("a");

    let made = fixture
        .change(acme, async |tx| {
            tx.create_provider(acme, id, &name, &first, std::slice::from_ref(&credential))
                .await
        })
        .await
        .expect("a provider")
        .value;
    let changed = fixture
        .change(acme, async |tx| tx.change_provider(acme, id, &second).await)
        .await
        .expect("a change")
        .value;

    assert_eq!(made.settings, first.settings);
    assert_eq!(
        made.base_url.as_deref(),
        Some("https://bedrock-runtime.eu-central-1.amazonaws.com")
    );
    assert_eq!(changed.settings, second.settings);
    assert_eq!(
        changed.base_url.as_deref(),
        Some("https://bedrock-runtime.us-east-1.amazonaws.com")
    );
    assert_eq!(
        fixture.organization(acme).provider(id).await.expect("a read"),
        Some(changed)
    );
    let sealed = fixture
        .organization(acme)
        .sealed_credentials(id)
        .await
        .expect("credentials");
    assert_eq!(
        sealed.iter().map(|one| one.kind).collect::<Vec<_>>(),
        [CredentialKind::Aws]
    );
    let units = fixture
        .system()
        .units_since(Place::after_revision(Revision(0)), 10)
        .await
        .expect("units");
    let published = units.into_iter().find(|unit| unit.id == UnitId::Provider(id));
    let Some(UnitBody::Provider(unit)) = published.and_then(|unit| unit.body) else {
        panic!("the provider is published")
    };
    assert_eq!(unit.settings, second.settings);
    assert_eq!(
        unit.credentials.iter().map(|one| one.kind).collect::<Vec<_>>(),
        [CredentialKind::Aws]
    );
}

async fn a_credential_may_become_one_of_another_kind(fixture: Fixture) {
    let acme = fixture.organization_named("acme").await;
    let id = ProviderId::mint();
    let (name, credential) = ("bedrock".parse().expect("a slug"), new_credential("a"));
    let provider = ProviderUpdate {
        kind: ProviderKind::Bedrock,
        base_url: None,
        settings: settings(json!({"region": "eu-central-1"})),
        network: None,
    };
    let update = CredentialUpdate {
        weight: 2,
        secret: Some(SealedSecret {
            kind: CredentialKind::Aws,
            hint: "WXYZ".to_owned(),
            sealed: Sealed::from_stored("b3RoZXI=".to_owned()),
        }),
    };

    let changed = fixture
        .change(acme, async |tx| {
            tx.create_provider(acme, id, &name, &provider, std::slice::from_ref(&credential))
                .await?;
            tx.change_credential(acme, id, credential.id, &update).await
        })
        .await
        .expect("a change")
        .value;

    assert_eq!(
        (changed.kind, changed.hint.as_str(), changed.weight),
        (CredentialKind::Aws, "WXYZ", 2)
    );
}

async fn a_credential_that_the_provider_cannot_use_is_refused(fixture: Fixture) {
    let acme = fixture.organization_named("acme").await;
    let provider = fixture.provider_named(acme, "openai").await;

    let refused = fixture
        .change(acme, async |tx| tx.add_credential(acme, provider.id, &aws("b")).await)
        .await
        .expect_err("OpenAI takes API keys");

    let WriteError::DoesNotCompile(problems) = refused else {
        panic!("it does not compile: {refused:?}")
    };
    let fields: Vec<_> = problems.iter().map(|problem| problem.field.as_str()).collect();
    assert_eq!(fields, ["credentials[1].aws"]);
}

async fn what_the_release_before_writes_has_defaults(fixture: Fixture) {
    let acme = fixture.organization_named("acme").await;
    let provider = fixture.provider_named(acme, "openai").await;
    fixture
        .run(
            "INSERT INTO credential (id, organization, provider, name, weight, hint, sealed, created_at) \
             SELECT organization, organization, provider, 'old', 1, '', 'c2VhbGVk', created_at FROM credential",
        )
        .await;
    fixture
        .run(
            "INSERT INTO provider (id, organization, name, kind, created_at) \
             SELECT organization, organization, 'old', 'groq', created_at FROM provider",
        )
        .await;

    let kinds = fixture
        .organization(acme)
        .sealed_credentials(provider.id)
        .await
        .expect("credentials");
    let old = fixture
        .organization(acme)
        .provider_by_name(&"old".parse().expect("a slug"))
        .await
        .expect("a read")
        .expect("a provider");

    assert!(kinds.iter().all(|credential| credential.kind == CredentialKind::ApiKey));
    assert_eq!(kinds.len(), 2);
    assert!(old.settings.is_empty());
}

on_both_databases!(
    settings_and_kinds_are_stored_and_published,
    a_credential_may_become_one_of_another_kind,
    a_credential_that_the_provider_cannot_use_is_refused,
    what_the_release_before_writes_has_defaults,
);
