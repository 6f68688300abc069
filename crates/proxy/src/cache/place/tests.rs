use std::sync::LazyLock;

use gatewright_types::{KeyId, TeamId};
use proptest::prelude::*;

use super::*;

static ORGANIZATIONS: LazyLock<Vec<OrganizationId>> =
    LazyLock::new(|| (0..2).map(|_| OrganizationId::mint()).collect());

/// Everything that makes a key, from small pools: two of them are often equal but for one part.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Made {
    organization: OrganizationId,
    scope: Scope,
    namespace: Option<String>,
    model: String,
    policy: Digest,
    dialect: Dialect,
    headers: Vec<u8>,
    question: Vec<u8>,
}

impl Made {
    fn written(&self) -> Vec<u8> {
        let parts = Parts {
            organization: self.organization,
            scope: &self.scope,
            namespace: self.namespace.as_deref(),
            model: &self.model,
            policy: &self.policy,
            dialect: self.dialect,
            headers: &self.headers,
            question: &self.question,
        };
        parts.written()
    }
}

/// Names that run into each other when they are only put side by side.
fn name() -> impl Strategy<Value = String> {
    "(key|team|user|a|\u{0}){1,3}"
}

fn scope() -> impl Strategy<Value = Scope> {
    prop_oneof![
        name().prop_map(Scope::Key),
        name().prop_map(Scope::Team),
        (name(), name()).prop_map(|(key, user)| Scope::User(Owner::Key(key), user.into())),
        (name(), name()).prop_map(|(team, user)| Scope::User(Owner::Team(team), user.into())),
        Just(Scope::Organization),
    ]
}

fn made() -> impl Strategy<Value = Made> {
    (
        prop::sample::select(ORGANIZATIONS.as_slice()),
        scope(),
        prop::option::of(name()),
        name(),
        prop::sample::select(vec![Digest::of(b"1"), Digest::of(b"2")]),
        prop::sample::select(Dialect::CONVERSATIONS.to_vec()),
        prop::collection::vec(0_u8..3, 0..3),
        prop::collection::vec(0_u8..3, 0..3),
    )
        .prop_map(
            |(organization, scope, namespace, model, policy, dialect, headers, question)| Made {
                organization,
                scope,
                namespace,
                model,
                policy,
                dialect,
                headers,
                question,
            },
        )
}

proptest! {
    #[test]
    fn no_two_places_are_one(one in made(), other in made()) {
        prop_assert_eq!(one.written() == other.written(), one == other);
    }

    #[test]
    fn one_other_part_is_another_place(one in made(), other in made()) {
        let changed = [
            Made { organization: other.organization, ..one.clone() },
            Made { scope: other.scope.clone(), ..one.clone() },
            Made { namespace: other.namespace.clone(), ..one.clone() },
            Made { model: other.model.clone(), ..one.clone() },
            Made { policy: other.policy, ..one.clone() },
            Made { dialect: other.dialect, ..one.clone() },
            Made { headers: other.headers.clone(), ..one.clone() },
            Made { question: other.question.clone(), ..one.clone() },
        ];
        for made in changed {
            prop_assert_eq!(made.written() == one.written(), made == one);
        }
    }
}

#[test]
fn who_has_no_team_or_user_shares_with_nobody() {
    let organization = OrganizationId::mint();
    let caller = |team| {
        let (key, tenant) = caller_parts(organization, team);
        Caller { key, tenant }
    };
    let alone = caller(None);
    let key = Scope::Key(alone.key.id.to_string());
    assert_eq!(Scope::of(CacheScope::Team, &alone, None), key);
    assert_eq!(Scope::of(CacheScope::User, &alone, None), key);

    let team = TeamId::mint();
    let (one, other) = (caller(Some(team)), caller(Some(team)));
    let of = |scope, caller: &Caller, user: Option<&str>| Scope::of(scope, caller, user.map(Into::into));
    assert_eq!(of(CacheScope::Team, &one, None), of(CacheScope::Team, &other, None));
    assert_eq!(
        of(CacheScope::User, &one, Some("u")),
        of(CacheScope::User, &other, Some("u"))
    );
    assert_ne!(of(CacheScope::User, &one, None), of(CacheScope::User, &other, None));
    assert_ne!(
        of(CacheScope::User, &alone, Some("u")),
        of(CacheScope::User, &one, Some("u"))
    );
}

fn caller_parts(
    organization: OrganizationId,
    team: Option<TeamId>,
) -> (Arc<gatewright_contract::KeyEntry>, Arc<gatewright_contract::Tenant>) {
    use std::collections::BTreeMap;

    use gatewright_contract::{KeyEntry, OrganizationUnit, UnitBody, UnitId, compile};

    let unit: OrganizationUnit = serde_json::from_str(r#"{"slug":"acme"}"#).expect("an organization");
    let units = BTreeMap::from([(UnitId::Organization, UnitBody::Organization(unit))]);
    let key = KeyEntry {
        team,
        ..KeyEntry::new(organization, KeyId::mint())
    };
    let tenant = compile(organization, &units).expect("it compiles");
    (Arc::new(key), Arc::new(tenant))
}
