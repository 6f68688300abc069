//! Rotation of the master key.

use gatewright_contract::{
    Keyring, Revision, Sealed, Secret, UnitBody, given_network, open_network, same_network, seal_network,
};
use gatewright_types::ProviderId;
use gatewright_types::api::{PlainNetwork, ProviderKind, Proxy};

use super::fixture::{Fixture, new_credential};
use super::on_both_databases;
use crate::{CredentialInsert, Place, ProviderUpdate, Resealed};

async fn stale_credentials_are_sealed_anew_and_published_once(fixture: Fixture) {
    let acme = fixture.organization_named("acme").await;
    let (old, new) = (Keyring::mint(), Keyring::mint());
    let before = Keyring::parse(old.expose()).expect("a keyring");
    let after = Keyring::parse(&format!("{},{}", new.expose(), old.expose())).expect("a keyring");
    let stale = sealed_by(&before, "a");
    let lost = with_sealed(new_credential("lost"), Sealed::from_stored("bG9zdA==".to_owned()));
    let update = ProviderUpdate {
        kind: ProviderKind::Openai,
        base_url: None,
        settings: Default::default(),
        network: None,
    };
    let (name, id) = ("openai".parse().expect("a slug"), ProviderId::mint());
    let credentials = [stale.clone(), lost.clone()];
    let made = fixture
        .change(acme, async |tx| {
            tx.create_provider(acme, id, &name, &update, &credentials).await
        })
        .await;
    let revision = made.expect("a provider").revision;

    let first = fixture.system().reseal(&after).await.expect("a rotation");
    let second = fixture
        .system()
        .reseal(&after)
        .await
        .expect("a rotation that has nothing to do");

    assert_eq!(
        first,
        Resealed {
            resealed: 1,
            unopened: 1
        }
    );
    assert_eq!(
        second,
        Resealed {
            resealed: 0,
            unopened: 1
        }
    );
    assert_eq!(
        fixture.system().revision().await.expect("a revision"),
        Revision(revision.0 + 1)
    );
    let units = fixture
        .system()
        .units_since(Place::after_revision(revision), 10)
        .await
        .expect("units");
    let [unit] = units.as_slice() else {
        panic!("one unit: {units:?}")
    };
    let Some(UnitBody::Provider(provider)) = &unit.body else {
        panic!("a provider: {unit:?}")
    };
    let published = provider
        .credentials
        .iter()
        .find(|credential| credential.id == stale.id)
        .expect("it is there");
    let only_new = Keyring::parse(new.expose()).expect("a keyring");
    let opened = only_new
        .open(&published.sealed, &stale.id.to_string())
        .expect("the newest key opens it");
    assert_eq!(opened.expose(), "sk-a");
    let stored = fixture
        .organization(acme)
        .sealed_credentials(id)
        .await
        .expect("credentials");
    assert_eq!(
        stored.iter().find(|row| row.id == lost.id).map(|row| &row.sealed),
        Some(&lost.secret.sealed)
    );
}

async fn a_stale_network_is_sealed_anew_and_published(fixture: Fixture) {
    let acme = fixture.organization_named("acme").await;
    let (old, new) = (Keyring::mint(), Keyring::mint());
    let before = Keyring::parse(old.expose()).expect("a keyring");
    let after = Keyring::parse(&format!("{},{}", new.expose(), old.expose())).expect("a keyring");
    let (name, id) = ("openai".parse().expect("a slug"), ProviderId::mint());
    let network = given_network(&PlainNetwork {
        proxy: Some(Proxy {
            url: "http://proxy.example:3128".to_owned(),
            username: Some("u".to_owned()),
            password: Some("p".to_owned()),
        }),
        ca: None,
        client_certificate: None,
    });
    let update = ProviderUpdate {
        kind: ProviderKind::Openai,
        base_url: None,
        settings: Default::default(),
        network: Some(seal_network(&before, id, &network)),
    };
    let made = fixture
        .change(acme, async |tx| tx.create_provider(acme, id, &name, &update, &[]).await)
        .await;
    let revision = made.expect("a provider").revision;

    let first = fixture.system().reseal(&after).await.expect("a rotation");
    let second = fixture.system().reseal(&after).await.expect("nothing to do");

    assert_eq!((first.resealed, second), (1, Resealed::default()));
    let only_new = Keyring::parse(new.expose()).expect("a keyring");
    let stored = fixture.organization(acme).sealed_network(id).await.expect("a row");
    let units = fixture
        .system()
        .units_since(Place::after_revision(revision), 10)
        .await
        .expect("units");
    let [unit] = units.as_slice() else {
        panic!("one unit: {units:?}")
    };
    let Some(UnitBody::Provider(published)) = &unit.body else {
        panic!("a provider: {unit:?}")
    };
    for unit in [stored, published.network.clone()] {
        let opened = open_network(&only_new, id, &unit.expect("it is there")).expect("the newest key opens it");
        assert!(same_network(&opened, &network));
    }
}

fn sealed_by(keyring: &Keyring, name: &str) -> CredentialInsert {
    let credential = new_credential(name);
    let secret = Secret::new(format!("sk-{name}"));
    let sealed = keyring.seal(&secret, &credential.id.to_string());
    with_sealed(credential, sealed)
}

fn with_sealed(mut credential: CredentialInsert, sealed: Sealed) -> CredentialInsert {
    credential.secret.sealed = sealed;
    credential
}

on_both_databases!(
    stale_credentials_are_sealed_anew_and_published_once,
    a_stale_network_is_sealed_anew_and_published
);
