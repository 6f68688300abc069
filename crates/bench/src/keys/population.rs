//! Tenants and keys as many installations have them, made one by one so that the making leaves no memory behind.

use chrono::DateTime;
use gatewright_contract::{
    CredentialUnit, Digest, KeyUnit, Keyring, ModelUnit, OrganizationUnit, PriceUnit, ProviderUnit, Revision, Sealed,
    Secret, TeamUnit, Unit, UnitBody, UnitId,
};
use gatewright_types::api::{CredentialKind, ModelSettings, ProviderKind, ProviderSettings, Rates, Route};
use gatewright_types::{CredentialId, KeyId, ModelId, OrganizationId, PriceId, ProviderId, TeamId};

const PROVIDERS: [&str; 2] = ["primary", "secondary"];
const MODELS: [&str; 5] = ["fast", "smart", "cheap", "long", "code"];

#[derive(Debug)]
pub(crate) struct Population {
    tenants: Vec<Tenant>,
    keys: u64,
    sealed: Sealed,
}

#[derive(Debug)]
struct Tenant {
    id: OrganizationId,
    team: TeamId,
    /// The model that is changed.
    model: ModelId,
}

impl Population {
    pub(crate) fn new(tenants: u64, keys: u64) -> Self {
        let tenant = |_| Tenant {
            id: OrganizationId::mint(),
            team: TeamId::mint(),
            model: ModelId::mint(),
        };
        let keyring = Keyring::parse(Keyring::mint().expose()).expect("a minted key parses");
        let sealed = keyring.seal(&Secret::new(format!("sk-{}", "x".repeat(48))), "owner");
        Self {
            tenants: (0..tenants).map(tenant).collect(),
            keys,
            sealed,
        }
    }

    /// Everything of all tenants except their keys.
    pub(crate) fn tenants(&self) -> impl Iterator<Item = Unit> {
        self.tenants
            .iter()
            .zip(0..)
            .flat_map(|(tenant, number)| self.tenant(tenant, number))
    }

    pub(crate) fn keys(&self) -> impl Iterator<Item = Unit> {
        (0..self.keys).map(|number| self.key(number))
    }

    /// A key that is not among those of `keys`.
    pub(crate) fn new_key(&self, number: u64) -> Unit {
        self.key(self.keys + number)
    }

    /// A model whose route goes elsewhere than before.
    pub(crate) fn changed_model(&self, number: u64) -> Unit {
        let tenant = self.tenant_of(number);
        let provider = if (number / self.tenants.len() as u64).is_multiple_of(2) {
            1
        } else {
            0
        };
        unit(
            tenant.id,
            UnitId::Model(tenant.model),
            self.model("fast", PROVIDERS.get(provider)),
        )
    }

    pub(crate) fn secret(&self, number: u64) -> String {
        format!("gw-{number:046}")
    }

    /// Numbers of keys, each as likely as any other and far from the one before.
    pub(crate) fn sample(&self, count: u64) -> impl Iterator<Item = u64> {
        (0..count).map(|number| number.wrapping_mul(0x9e37_79b9_7f4a_7c15) % self.keys)
    }

    fn tenant_of(&self, number: u64) -> &Tenant {
        let index = usize::try_from(number % self.tenants.len() as u64).expect("an index fits its platform");
        self.tenants.get(index).expect("a remainder is below the count")
    }

    fn key(&self, number: u64) -> Unit {
        let tenant = self.tenant_of(number);
        let digest = Digest::of(self.secret(number).as_bytes());
        let body = KeyUnit {
            team: Some(tenant.team),
            ..KeyUnit::new(KeyId::mint())
        };
        unit(tenant.id, UnitId::Key(digest), UnitBody::Key(body))
    }

    fn tenant(&self, tenant: &Tenant, number: u64) -> Vec<Unit> {
        let slug = format!("organization-{number}").parse().expect("a slug");
        let team = TeamUnit {
            name: "search".parse().expect("a name"),
            ip_ranges: Vec::new(),
        };
        let mut units = vec![
            unit(
                tenant.id,
                UnitId::Organization,
                UnitBody::Organization(OrganizationUnit::new(slug)),
            ),
            unit(tenant.id, UnitId::Team(tenant.team), UnitBody::Team(team)),
        ];
        for name in PROVIDERS {
            let credential = CredentialUnit {
                id: CredentialId::mint(),
                weight: 1,
                kind: CredentialKind::ApiKey,
                sealed: self.sealed.clone(),
            };
            let body = ProviderUnit {
                name: name.parse().expect("a slug"),
                kind: ProviderKind::OpenaiCompatible,
                base_url: Some(format!("https://{name}.example.com/v1")),
                settings: ProviderSettings::default(),
                network: None,
                credentials: vec![credential],
            };
            units.push(unit(
                tenant.id,
                UnitId::Provider(ProviderId::mint()),
                UnitBody::Provider(body),
            ));
        }
        for (name, index) in MODELS.into_iter().zip(0..) {
            let id = if index == 0 { tenant.model } else { ModelId::mint() };
            units.push(unit(
                tenant.id,
                UnitId::Model(id),
                self.model(name, PROVIDERS.iter().cycle().nth(index)),
            ));
        }
        units.push(unit(tenant.id, UnitId::Price(PriceId::mint()), price()));
        units
    }

    fn model(&self, name: &str, provider: Option<&&str>) -> UnitBody {
        let provider = provider.expect("a provider of the list");
        let target = format!("{provider}/vendor-{name}").parse().expect("a target");
        let name = name.parse().expect("a name");
        UnitBody::Model(ModelUnit {
            name,
            route: Route::to(target),
            canaries: Vec::new(),
            settings: ModelSettings::default(),
        })
    }
}

fn price() -> UnitBody {
    let dollars = |text: &str| text.parse().ok();
    UnitBody::Price(PriceUnit {
        provider: "primary".parse().expect("a slug"),
        model: "vendor-fast".parse().expect("a model"),
        rates: Rates {
            input: dollars("0.15"),
            output: dollars("0.60"),
            ..Rates::default()
        },
        tiers: Vec::new(),
        service_tiers: Vec::new(),
        effective_from: DateTime::UNIX_EPOCH,
    })
}

fn unit(organization: OrganizationId, id: UnitId, body: UnitBody) -> Unit {
    Unit {
        organization,
        id,
        revision: Revision(1),
        body: Some(body),
    }
}
