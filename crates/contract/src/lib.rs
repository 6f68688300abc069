//! What the two planes agree on: the published configuration, the usage record, the form of keys and of sealed
//! secrets. Neither plane owns it; it does no I/O.

mod api_key;
mod breaker;
mod cache;
mod caps;
mod classes;
mod compile;
mod condition;
mod counted;
mod counter_key;
mod cow_map;
mod credential;
mod destination;
mod egress;
mod key_rules;
mod met_periods;
mod network;
mod own_facts;
mod period;
mod published;
mod repricing;
mod residency;
mod route;
mod sealed;
mod snapshot;
mod tenant;
mod unit;
mod usage;

pub use api_key::{ApiKey, Digest, SecretShapeError, is_minted_key, mint_secret};
pub use breaker::{BreakerChange, BreakerSubject, Mark};
pub use cache::{ModelCache, Origin, Purges};
pub use caps::{Budget, Caps, CapsByScope, RateLimit, Subject};
pub use classes::Classes;
pub use compile::{
    CompileProblem, Whole, budget_problems, compile, credential_problem, key_caps, key_problems, limit_problems,
};
pub use condition::unit_expression;
pub use counted::Measure;
pub use counter_key::{CounterKey, UnknownCounter, is_in_ledger};
pub use cow_map::CowMap;
pub use credential::{
    AwsIdentity, CredentialError, EntraIdentity, GoogleIdentity, KeyFileError, OpenedCredential, secret_text,
};
pub use destination::{AddressPolicy, BaseUrl, DestinationError};
pub use egress::{AllowedHosts, AllowedHostsError, Egress};
pub use key_rules::{Barred, KeyRules};
pub use met_periods::MetPeriods;
pub use network::{
    NetworkUnit, OpenedNetwork, given_network, network_problems, open_network, proxy_url, reseal_network, same_network,
    seal_network, told_network, with_kept_secrets,
};
pub use own_facts::{Bounds, KnownModel, OwnFacts};
pub use period::{Counting, Period};
pub use published::Published;
pub use repricing::Metered;
pub use residency::is_place;
pub use route::{Canary, Case, Route, Step, Strategy};
pub use sealed::{Keyring, KeyringError, OpenError, Sealed, Secret};
pub use snapshot::{Applied, Caller, KeyEntry, Snapshot};
pub use tenant::{AppliedPrice, Credential, Model, OwnPrice, Provider, Tenant, UpstreamTarget};
pub use unit::{
    BudgetUnit, CachePurgesUnit, CanaryUnit, CatalogUnit, CredentialUnit, IncreaseUnit, KeyUnit, LimitUnit, ModelUnit,
    OrganizationUnit, OverlayUnit, PriceUnit, ProviderUnit, Revision, TeamUnit, Unit, UnitBody, UnitId, UnitIdError,
};
pub use usage::{Batch, BudgetShare, CanaryShare, Upstream, UsageRecord};

/// The catalogue as data: part of this crate's face because both planes read it the same way.
pub use gatewright_llm::{Catalog, CatalogModel, CatalogPrice, Edition, EditionError, Listed, diff, only_adds};
