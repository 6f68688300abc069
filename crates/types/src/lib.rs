//! Words both sides of HTTP share: identifiers, money, names, permissions, the control API's shapes and its error
//! envelope. Builds for the browser as well as for the server, so it knows no clock, no random source and no I/O.

pub mod api;
mod duration;
mod error;
mod id;
mod ip_range;
mod likeness;
mod money;
mod month;
mod name;
mod page;
mod permission;
mod setting;
mod unit;

pub use duration::{DurationError, HumanDuration};
pub use error::{Envelope, Problem, ProblemCode};
pub use id::{
    AuditId, BudgetId, BudgetRequestId, CatalogRefreshId, CredentialId, IdError, IncreaseId, InvitationId, KeyId,
    LimitId, ModelId, NodeId, OrganizationId, OverlayId, PersonId, PriceId, ProviderId, RepriceId, RequestId,
    ServiceAccountId, SessionId, TeamId, TokenId,
};
pub use ip_range::{IpRange, IpRangeError};
pub use likeness::nearest;
pub use money::{Currency, Money, MoneyError, Nanos, UnitPrice};
pub use month::Month;
pub use name::{DisplayName, Email, ModelName, NameError, Slug, Target, UpstreamModel};
pub use page::{Page, PageQuery};
pub use permission::{Permission, Role};
pub use setting::{
    ApiVersion, CacheNamespace, CostCentre, Deployment, HeaderName, HeaderText, Project, Region, TagName, ToolPattern,
    ZoneName,
};
pub use unit::UsageUnit;
