//! The shapes of the control API, one file per resource; the same file names are found in control, store and dashboard.

mod audit;
mod breaker;
mod budget_course;
mod budget_explanation;
mod budgets;
mod cache;
mod canaries;
mod catalog;
mod catalog_schedule;
mod chargeback;
mod config;
mod credentials;
mod decision;
mod dialect;
mod explain;
mod given;
mod invitations;
mod key_owner;
mod key_scopes;
mod key_upkeep;
mod keys;
mod ledger;
mod limit_scope;
mod limits;
mod members;
mod models;
mod network;
mod organizations;
mod prices;
mod probe;
mod provider_kind;
mod provider_settings;
mod providers;
mod reprice;
mod retries;
mod route;
mod service_accounts;
mod sessions;
mod setup;
mod tags;
mod targets;
mod teams;
mod timeouts;
mod tokens;
mod traces;
mod usage;

pub use audit::{AuditEntry, AuditOutcome, AuditQuery};
pub use breaker::BreakerSettings;
pub use budget_course::{BudgetCourse, BudgetCourseQuery, CourseBucket};
pub use budget_explanation::{
    BoundException, BudgetBound, BudgetExplanation, BudgetStanding, CounterReading, ExplainedException,
    SpentByRequests, WorstCase,
};
pub use budgets::{
    Budget, BudgetAction, BudgetAlert, BudgetChange, BudgetDecision, BudgetMode, BudgetRequest, BudgetRequestQuery,
    BudgetRequestState, BudgetSpec, BudgetState, BudgetWindow, Increase, NewBudget, NewBudgetRequest, NewIncrease,
    UnpricedRequests, WhenUnavailable,
};
pub use cache::{CachePurge, CacheScope, CacheSettings, NewCachePurge, PromptCache, PurgedAnswers, PurgedTag};
pub use canaries::{CanaryNumbers, CanaryPlace, CanaryProgress, CanarySide, CanaryState};
pub use catalog::{
    Capability, CatalogDiff, CatalogEntry, CatalogEntryQuery, CatalogQuery, CatalogRefresh, CatalogRefreshDetail,
    CatalogSource, ChangedField, ChangedModel, DiffCounts, Lifecycle, LifecycleStage, ModelFacts, NamedModel,
    NewOverlay, NewRefresh, OtherPrice, Overlay, OverlayChange, PriceTerms, PriceTier, PricedUnit, RefreshState,
    ServicePrice, ServiceTier, SignedDocument,
};
pub use catalog_schedule::{AutomaticApproval, CatalogSchedule, CatalogTry, CatalogTryOutcome, NewCatalogSchedule};
pub use chargeback::{
    Chargeback, ChargebackBy, ChargebackKind, ChargebackLock, ChargebackLocking, ChargebackMonth, ChargebackMonthQuery,
    ChargebackQuery, ChargebackRow, ChargebackSums, ChargebackUnlock, SharedCost,
};
pub use config::{
    ApplyReport, BudgetEntry, Change, ChangeKind, CredentialEntry, CredentialName, Document, KeyEntry, LimitEntry,
    MemberEntry, ModelEntry, NamedScope, NetworkEntry, PriceEntry, ProviderEntry, SecretEntry, SecretSource,
    ServiceAccountEntry, TeamEntry, TextSource, TokenEntry,
};
pub use credentials::{
    AwsKeys, Credential, CredentialKind, CredentialSecret, EntraClient, GoogleAccount, NewCredential, NewSecret,
};
pub use decision::{
    Attempt, AttemptEnd, AttemptReason, Candidate, Decision, DecisionError, LeftOut, LookedAt, RequestNeeds,
    RouteDecision, RouteStep, Stage, StageTime, Verdict,
};
pub use dialect::{Dialect, NativeDialect};
pub use explain::{
    Assertion, Assertions, Expectation, ExpectedCost, ExplainRequest, ExplainedRequest, Explanation, ModelCheck,
    ModelDraft, ModelProblem, SampleHealth, SampleRequest,
};
pub use invitations::{
    AcceptInvitation, Invitation, InvitationLink, InvitationPreview, InvitationToken, NewInvitation,
};
pub use key_owner::KeyOwner;
pub use key_scopes::{HighestPrice, KeyEndpoint, KeyScopes};
pub use key_upkeep::{Disabled, DisabledReason, KeyState, KeyUpkeep, KeyWarning};
pub use keys::{FormerSecret, Key, KeyChange, MintedKey, NewKey, NewLeak, NewRotation, RotatedKey};
pub use ledger::{
    LedgerCheck, LedgerCheckResult, LedgerDifference, LedgerSums, LedgerVerification, LedgerVerificationQuery,
};
pub use limit_scope::{Each, LimitScope, LimitScopeQuery, ScopeKind, TagScope, Which};
pub use limits::{LimitSpec, NewRateLimit, RateLimit, RateLimitChange};
pub use members::{Member, MemberChange, MemberKeys, MemberRemoval};
pub use models::{Model, ModelChange, ModelSettings, NewModel, PriceState, ShownModel};
pub use network::{ClientCertificate, Network, PlainNetwork, Proxy};
pub use organizations::{NewOrganization, Organization, OrganizationChange};
pub use prices::{NewPrice, Price, PriceLookup, PriceQuery, PriceSource, Rates, price_problem};
pub use probe::ProbeSettings;
pub use provider_kind::ProviderKind;
pub use provider_settings::{BedrockApi, ProviderSetting, ProviderSettings};
pub use providers::{NewProvider, Provider, ProviderChange, SelfTest, SelfTestOutcome};
pub use reprice::{LeftAlone, NewReprice, PricedAnew, Reprice, RepricePart, RepriceState, RepriceSums};
pub use retries::Retries;
pub use route::{
    Affinity, Canary, Case, FailureClass, FallbackStep, Fault, FaultKind, Ramp, Rollback, Route, RouteTarget, Sticky,
    Weighted,
};
pub use service_accounts::{NewServiceAccount, ServiceAccount, ServiceAccountChange};
pub use sessions::{ChangePassword, Me, Membership, SessionInfo, SignIn};
pub use setup::{NewInstallation, SetupState};
pub use tags::TagRule;
pub use targets::{
    BreakerState, HealthReport, LastProbe, ProbeOutcome, RestingCredential, TargetHealth, TargetReport, TargetReset,
};
pub use teams::{NewTeam, Team, TeamChange};
pub use timeouts::Timeouts;
pub use tokens::{MintedToken, NewToken, Token};
pub use traces::{TraceSettings, TracedRequests};
pub use usage::{
    CacheStatus, LineItem, Outcome, ServedTier, Totals, UsageAdjustment, UsageBucket, UsageBudget, UsageGroup,
    UsageQuery, UsageRow, UsageSeries, UsageSeriesQuery,
};
