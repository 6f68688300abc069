//! What belongs to one organization is not there for another: every read and every change of the handles, tried with
//! identifiers and names of somebody else.

use std::time::Duration;

use chrono::{TimeDelta, Utc};
use gatewright_contract::{Batch, Digest};
use gatewright_types::api::{
    AuditQuery, Key, KeyChange, KeyOwner, ModelChange, ModelFacts, NewOverlay, NewPrice, Price, Provider, ProviderKind,
    Rates, UsageGroup, UsageQuery, UsageSeriesQuery,
};
use gatewright_types::{
    InvitationId, NodeId, OrganizationId, OverlayId, PageQuery, PersonId, PriceId, Role, ServiceAccountId, TeamId,
    TokenId,
};

use super::fixture::{Fixture, display_name, new_credential, new_key, new_model, team_change};
use super::ingesting::records;
use super::on_both_databases;
use crate::{
    CredentialUpdate, KeyInsert, KeysOfMember, ModelRow, NewInvitationRow, ProviderUpdate, Rotation, TokenInsert,
    WriteError,
};

/// One of everything.
struct Tenant {
    id: OrganizationId,
    member: PersonId,
    invitation: InvitationId,
    team: TeamId,
    key: Key,
    service_account: ServiceAccountId,
    token: TokenId,
    provider: Provider,
    model: ModelRow,
    price: Price,
    overlay: OverlayId,
}

async fn a_handle_lists_only_its_own(fixture: Fixture) {
    let (ours, theirs) = (tenant(&fixture, "ours").await, tenant(&fixture, "theirs").await);
    let scope = fixture.organization(ours.id);
    let all = PageQuery::default();

    macro_rules! lists {
        ($($list:ident: $own:expr;)+) => {$(
            let ids: Vec<_> = scope.$list(&all).await.expect("a list").items.into_iter().map(|item| item.id).collect();
            assert_eq!(ids, [$own], stringify!($list));
        )+};
    }
    lists! {
        members: ours.member;
        invitations: ours.invitation;
        teams: ours.team;
        keys: ours.key.id;
        active_keys: ours.key.id;
        service_accounts: ours.service_account;
        tokens: ours.token;
        providers: ours.provider.id;
        models: ours.model.id;
        prices: ours.price.id;
        overlays: ours.overlay;
    }
    assert_eq!(
        scope.usage(&UsageQuery::default()).await.expect("the list").items.len(),
        3
    );
    let targets: Vec<_> = scope.audit(&AuditQuery::default()).await.expect("the log").items;
    assert!(
        targets
            .iter()
            .all(|entry| entry.target.as_deref() != Some(theirs.id.to_string().as_str()))
    );
    let now = Utc::now();
    let query = UsageSeriesQuery::new(now - TimeDelta::hours(1), now + TimeDelta::minutes(1), UsageGroup::Key);
    assert_eq!(scope.usage_series(&query).await.expect("the series").totals.requests, 3);
    assert_eq!(
        scope.organization().await.expect("itself").map(|own| own.id),
        Some(ours.id)
    );
}

async fn a_handle_finds_nothing_foreign(fixture: Fixture) {
    let (ours, theirs) = (tenant(&fixture, "ours").await, tenant(&fixture, "theirs").await);
    let scope = fixture.organization(ours.id);
    let own = fixture.organization(theirs.id);
    let theirs_only = "theirs team".parse().expect("a name");

    macro_rules! nothing {
        ($($read:ident($($argument:expr),+);)+) => {$(
            assert_eq!(scope.$read($($argument),+).await.expect("a look-up"), None, stringify!($read));
            assert!(own.$read($($argument),+).await.expect("a look-up").is_some(), stringify!($read));
        )+};
    }
    nothing! {
        member(theirs.member);
        member_by_email(&"theirs@example.test".parse().expect("an address"));
        role(theirs.member);
        invitation(theirs.invitation);
        team(theirs.team);
        team_by_name(&theirs_only);
        key(theirs.key.id);
        service_account(theirs.service_account);
        key_by_name(&theirs.key.name);
        key_digest(theirs.key.id);
        token(theirs.token);
        token_by_name(&"theirs token".parse().expect("a name"));
        token_digest(theirs.token);
        provider(theirs.provider.id);
        provider_by_name(&theirs.provider.name);
        model(theirs.model.id);
        model_by_name(&theirs.model.name);
        price(theirs.price.id);
        overlay(theirs.overlay);
    }
    assert_eq!(
        scope.sealed_credentials(theirs.provider.id).await.expect("credentials"),
        []
    );
    assert_eq!(
        scope
            .prices_of(&theirs.provider.name, &theirs.price.model)
            .await
            .expect("prices"),
        []
    );
}

async fn nothing_foreign_can_be_changed(fixture: Fixture) {
    let (ours, theirs) = (tenant(&fixture, "ours").await, tenant(&fixture, "theirs").await);
    let name = display_name("stolen");
    let key_change = KeyChange {
        name: name.clone(),
        ..KeyChange::keeping(&ours.key)
    };
    let team_change = team_change("stolen");
    let rotation = Rotation {
        digest: Digest::of(b"stolen"),
        hint: "olen".to_owned(),
        grace: Duration::ZERO,
        idempotency_key: None,
    };
    let route = new_model("x", "ours-provider/gpt-4o").route;
    let model_change = ModelChange {
        route,
        settings: Default::default(),
    };
    let provider_update = ProviderUpdate {
        kind: ProviderKind::Sandbox,
        base_url: None,
        settings: Default::default(),
        network: None,
    };
    let credential_update = CredentialUpdate {
        weight: 9,
        secret: None,
    };
    let credential = theirs.provider.credentials.first().expect("a credential").id;
    let before = snapshot(&fixture, theirs.id).await;

    macro_rules! refused {
        ($($change:ident($($argument:expr),*);)+) => {$(
            let result = fixture.change(ours.id, async |tx| tx.$change(ours.id, $($argument),*).await.map(|_| ())).await;
            assert!(matches!(result, Err(WriteError::NotFound)), "{}: {result:?}", stringify!($change));
        )+};
    }
    refused! {
        change_role(theirs.member, Role::Viewer);
        remove_member(theirs.member, KeysOfMember::Revoke);
        delete_invitation(theirs.invitation);
        change_team(theirs.team, &team_change);
        delete_team(theirs.team);
        change_key(theirs.key.id, &key_change);
        rotate_key(theirs.key.id, &rotation);
        end_rotation(theirs.key.id);
        disable_key(theirs.key.id);
        enable_key(theirs.key.id);
        rename_service_account(theirs.service_account, &name);
        delete_service_account(theirs.service_account);
        revoke_key(theirs.key.id);
        change_token_role(theirs.token, Role::Owner);
        delete_token(theirs.token);
        change_provider(theirs.provider.id, &provider_update);
        delete_provider(theirs.provider.id);
        add_credential(theirs.provider.id, &new_credential("x"));
        change_credential(theirs.provider.id, credential, &credential_update);
        change_credential(ours.provider.id, credential, &credential_update);
        remove_credential(theirs.provider.id, credential);
        remove_credential(ours.provider.id, credential);
        change_model(theirs.model.id, &model_change);
        delete_model(theirs.model.id);
        delete_price(theirs.price.id);
        change_overlay(theirs.overlay, &ModelFacts::default());
        delete_overlay(theirs.overlay);
    }
    let foreign_team = KeyInsert {
        team: Some(theirs.team),
        ..new_key("x")
    };
    let result = fixture
        .change(ours.id, async |tx| tx.create_key(ours.id, &foreign_team).await)
        .await;
    assert!(
        matches!(result, Err(WriteError::Invalid { field: "team", .. })),
        "{result:?}"
    );
    for owner in [
        KeyOwner::Member(theirs.member),
        KeyOwner::ServiceAccount(theirs.service_account),
    ] {
        let foreign_owner = KeyInsert {
            owner: Some(owner),
            ..new_key("y")
        };
        let result = fixture
            .change(ours.id, async |tx| tx.create_key(ours.id, &foreign_owner).await)
            .await;
        assert!(
            matches!(result, Err(WriteError::Invalid { field: "owner", .. })),
            "{result:?}"
        );
    }

    assert_eq!(snapshot(&fixture, theirs.id).await, before);
}

/// All that an organization has, as text.
async fn snapshot(fixture: &Fixture, id: OrganizationId) -> String {
    let (scope, all) = (fixture.organization(id), PageQuery::default());
    format!(
        "{:?} {:?} {:?} {:?} {:?} {:?} {:?} {:?} {:?} {:?}",
        scope.service_accounts(&all).await.expect("a list"),
        scope.members(&all).await.expect("a list"),
        scope.invitations(&all).await.expect("a list"),
        scope.teams(&all).await.expect("a list"),
        scope.keys(&all).await.expect("a list"),
        scope.tokens(&all).await.expect("a list"),
        scope.providers(&all).await.expect("a list"),
        scope.models(&all).await.expect("a list"),
        scope.prices(&all).await.expect("a list"),
        scope.overlays(&all).await.expect("a list"),
    )
}

async fn tenant(fixture: &Fixture, slug: &str) -> Tenant {
    let id = fixture.organization_named(slug).await;
    let member = fixture.member_named(id, slug, Role::Owner).await;
    let team = TeamId::mint();
    let team_name = display_name(&format!("{slug} team"));
    fixture
        .change(id, async |tx| tx.create_team(id, team, &team_name).await)
        .await
        .expect("a team");
    let (key, _) = fixture.key_named(id, &format!("{slug} key")).await;
    let service_account = ServiceAccountId::mint();
    let account_name = display_name(&format!("{slug} account"));
    fixture
        .change(id, async |tx| {
            tx.create_service_account(id, service_account, &account_name, None, "ada@example.test")
                .await
        })
        .await
        .expect("a service account");
    let token = TokenInsert {
        id: TokenId::mint(),
        name: display_name(&format!("{slug} token")),
        role: Role::Admin,
        digest: Digest::of(slug.as_bytes()),
        hint: "wxyz".to_owned(),
        expires_at: None,
    };
    fixture
        .change(id, async |tx| tx.create_token(id, &token).await)
        .await
        .expect("a token");
    let invitation = NewInvitationRow {
        id: InvitationId::mint(),
        email: format!("{slug}-guest@example.test").parse().expect("an address"),
        role: Role::Member,
        digest: Digest::of(slug.as_bytes()),
        invited_by: "ada@example.test".to_owned(),
        expires_at: Utc::now(),
    };
    fixture
        .change(id, async |tx| tx.create_invitation(id, &invitation).await)
        .await
        .expect("an invitation");
    let provider = fixture.provider_named(id, &format!("{slug}-provider")).await;
    let model = fixture
        .model_named(id, &format!("{slug}-model"), &format!("{slug}-provider/gpt-4o"))
        .await;
    let price = NewPrice {
        provider: provider.name.clone(),
        model: "gpt-4o".parse().expect("a model"),
        rates: Rates::default(),
        tiers: Vec::new(),
        service_tiers: Vec::new(),
        effective_from: None,
    };
    let price = fixture
        .change(id, async |tx| tx.create_price(id, PriceId::mint(), &price).await)
        .await;
    let batch = Batch {
        node: NodeId::mint(),
        follows: 0,
        first: 1,
        records: records(id, 3),
    };
    fixture.system().ingest(&batch).await.expect("the batch comes in");
    let price = price.expect("a price").value;
    let overlay = OverlayId::mint();
    let own = NewOverlay {
        kind: ProviderKind::Openai,
        model: "gpt-4o".parse().expect("a model"),
        facts: ModelFacts::default(),
    };
    fixture
        .change(id, async |tx| tx.create_overlay(id, overlay, &own).await)
        .await
        .expect("own facts");
    Tenant {
        id,
        member,
        invitation: invitation.id,
        team,
        key,
        service_account,
        token: token.id,
        provider,
        model,
        price,
        overlay,
    }
}

on_both_databases!(
    a_handle_lists_only_its_own,
    a_handle_finds_nothing_foreign,
    nothing_foreign_can_be_changed
);
