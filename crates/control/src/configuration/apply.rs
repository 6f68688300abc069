//! Carries a plan out: the whole document in one transaction, or nothing of it.

use std::collections::{BTreeMap, HashMap};

use gatewright_contract::UnitId;
use gatewright_store::{Actor, Change as Audited, DatabaseError, KeysOfMember, WriteError, WriteTx};
use gatewright_types::api::{ApplyReport, Change, Document, Organization};
use gatewright_types::{OrganizationId, Role};
use serde_json::json;

use super::current::Current;
use super::diff::{Means, Plan, Planned, Step, diff, place};
use super::people::{Accounts, Hashing};
use crate::access::Call;
use crate::check::FieldProblem;
use crate::control::Control;
use crate::error::ApiError;

/// Tells what applying would change.
pub(crate) async fn plan(call: &Call, document: &Document) -> Result<ApplyReport, ApiError> {
    let accounts = Accounts::read(&call.control, Some(call.organization.id), document, Hashing::Skip).await?;
    let plan = compare(call, document, &accounts).await?;
    Ok(report(document, &plan, BTreeMap::new()))
}

/// Makes the organization what the document says.
pub(crate) async fn apply(call: &Call, document: &Document) -> Result<ApplyReport, ApiError> {
    let accounts = Accounts::read(&call.control, Some(call.organization.id), document, Hashing::Skip).await?;
    let plan = compare(call, document, &accounts).await?;
    if plan.steps.is_empty() {
        return Ok(report(document, &plan, BTreeMap::new()));
    }
    let accounts = Accounts::read(&call.control, Some(call.organization.id), document, Hashing::Do).await?;
    let organization = Subject::There(call.organization.clone());
    carry_out(&call.control, &call.actor, call.role, organization, document, &accounts).await
}

/// What a document is applied to.
#[derive(Debug, Clone)]
pub(super) enum Subject {
    There(Organization),
    /// Made in the same transaction.
    New(OrganizationId),
}

impl Subject {
    fn id(&self) -> OrganizationId {
        match self {
            Self::There(organization) => organization.id,
            Self::New(id) => *id,
        }
    }
}

/// Why a transaction stopped.
enum Stop {
    Write(WriteError),
    Problems(Vec<FieldProblem>),
    AboveOwnRole,
}

impl From<WriteError> for Stop {
    fn from(error: WriteError) -> Self {
        Self::Write(error)
    }
}

impl From<DatabaseError> for Stop {
    fn from(error: DatabaseError) -> Self {
        Self::Write(WriteError::Database(error))
    }
}

/// One transaction. The difference is found again within it, so that nothing can come between.
pub(super) async fn carry_out(
    control: &Control,
    actor: &Actor,
    role: Role,
    subject: Subject,
    document: &Document,
    accounts: &Accounts,
) -> Result<ApplyReport, ApiError> {
    let id = subject.id();
    let means = Means {
        keyring: &control.keyring,
        egress: &control.settings.egress,
        accounts,
        actor: &actor.label,
    };
    let audited = Audited::new(id, "configuration.apply", id, json!({"version": document.version}));
    let mut stopped = None;
    let mut places = HashMap::new();
    let written = control.write(actor, audited, async |tx| {
        match Box::pin(within(tx, subject.clone(), role, document, means)).await {
            Ok(plan) => {
                places.clone_from(&plan.places);
                Ok(plan)
            }
            Err(Stop::Write(error)) => Err(error),
            Err(stop) => {
                stopped = Some(stop);
                Err(WriteError::NotFound)
            }
        }
    });
    match (written.await, stopped) {
        (Ok(plan), _) => {
            let minted = plan.minted.clone();
            Ok(report(document, &plan, minted))
        }
        (Err(_), Some(Stop::Problems(problems))) => Err(ApiError::invalid(problems)),
        (Err(_), Some(Stop::AboveOwnRole)) => Err(above_own_role()),
        (Err(error), Some(Stop::Write(_)) | None) => Err(explained(error, &places)),
    }
}

/// What there is to do, outside of any transaction.
pub(super) async fn differences(
    control: &Control,
    organization: &Organization,
    document: &Document,
    accounts: &Accounts,
    actor: &str,
) -> Result<Plan, ApiError> {
    let scope = control.db.organization(organization.id);
    let current = Current::read(&scope, organization.clone(), document).await?;
    let means = Means {
        keyring: &control.keyring,
        egress: &control.settings.egress,
        accounts,
        actor,
    };
    diff(&current, document, means).map_err(ApiError::invalid)
}

async fn compare(call: &Call, document: &Document, accounts: &Accounts) -> Result<Plan, ApiError> {
    let plan = differences(&call.control, &call.organization, document, accounts, &call.actor.label).await?;
    if plan.roles.iter().all(|role| call.role.may_grant(*role)) {
        Ok(plan)
    } else {
        Err(above_own_role())
    }
}

fn above_own_role() -> ApiError {
    ApiError::Forbidden("the document gives or takes a role above your own")
}

fn report(document: &Document, plan: &Plan, minted: BTreeMap<String, String>) -> ApplyReport {
    let changes = plan.steps.iter().map(|planned| planned.change.clone()).collect();
    ApplyReport {
        organization: document.organization.clone(),
        changes,
        minted,
    }
}

/// Problems of the compiler at their places in the document.
fn explained(error: WriteError, places: &HashMap<UnitId, String>) -> ApiError {
    match error {
        WriteError::DoesNotCompile(found) => {
            ApiError::invalid(found.into_iter().map(|problem| place(places, problem)).collect())
        }
        other => other.into(),
    }
}

async fn within(
    tx: &mut WriteTx,
    subject: Subject,
    role: Role,
    document: &Document,
    means: Means<'_>,
) -> Result<Plan, Stop> {
    let current = match subject {
        Subject::There(organization) => {
            Current::read(&tx.organization(organization.id), organization, document).await?
        }
        Subject::New(id) => {
            let name = document
                .name
                .clone()
                .or_else(|| document.organization.as_str().parse().ok());
            let name = name.expect("a slug is a name for people too");
            let organization = tx.create_organization(id, &document.organization, &name).await?;
            let detail = json!({"by": "configuration", "slug": organization.slug});
            tx.audit(Audited::new(id, "organization.create", id, detail)).await?;
            Current::empty(organization)
        }
    };
    let id = current.organization.id;
    let plan = diff(&current, document, means).map_err(Stop::Problems)?;
    if !plan.roles.iter().all(|given| role.may_grant(*given)) {
        return Err(Stop::AboveOwnRole);
    }
    for planned in &plan.steps {
        Box::pin(run(tx, id, &planned.step)).await?;
        tx.audit(audited(id, planned)).await?;
    }
    Ok(plan)
}

fn audited(organization: OrganizationId, planned: &Planned) -> Audited {
    let Change { name, fields, .. } = &planned.change;
    let detail = json!({"by": "configuration", "fields": fields});
    Audited {
        organization: Some(organization),
        action: planned.step.action(),
        target: Some(name.clone()),
        detail,
    }
}

async fn run(tx: &mut WriteTx, id: OrganizationId, step: &Step) -> Result<(), WriteError> {
    match step {
        Step::RenameOrganization(name) => tx.rename_organization(id, name).await.map(drop),
        Step::ChangeTraces(traces) => tx.change_traces(id, *traces).await.map(drop),
        Step::CreateTeam(team, name) => tx.create_team(id, *team, name).await.map(drop),
        Step::ChangeTeam(team, change) => tx.change_team(id, *team, change).await.map(drop),
        Step::CreateServiceAccount(account, name, team) => {
            let maker = "configuration";
            tx.create_service_account(id, *account, name, *team, maker)
                .await
                .map(drop)
        }
        Step::ChargeServiceAccount(account, cost_centre) => tx
            .charge_service_account(id, *account, cost_centre.as_ref())
            .await
            .map(drop),
        Step::DeleteServiceAccount(account) => tx.delete_service_account(id, *account).await,
        Step::DeleteTeam(team) => tx.delete_team(id, *team).await,
        Step::CreateProvider(provider, name, update, credentials) => tx
            .create_provider(id, *provider, name, update, credentials)
            .await
            .map(drop),
        Step::ChangeProvider(provider, update) => tx.change_provider(id, *provider, update).await.map(drop),
        Step::DeleteProvider(provider) => tx.delete_provider(id, *provider).await,
        Step::AddCredential(provider, credential) => tx.add_credential(id, *provider, credential).await.map(drop),
        Step::ChangeCredential(provider, credential, update) => {
            tx.change_credential(id, *provider, *credential, update).await.map(drop)
        }
        Step::RemoveCredential(provider, credential) => tx.remove_credential(id, *provider, *credential).await,
        Step::CreateModel(model, new) => tx.create_model(id, *model, new).await.map(drop),
        Step::ChangeModel(model, change) => tx.change_model(id, *model, change).await.map(drop),
        Step::DeleteModel(model) => tx.delete_model(id, *model).await,
        Step::CreatePrice(price, new) => tx.create_price(id, *price, new).await.map(drop),
        Step::ReplacePrice(before, price, new) => {
            tx.delete_price(id, *before).await?;
            tx.create_price(id, *price, new).await.map(drop)
        }
        Step::DeletePrice(price) => tx.delete_price(id, *price).await,
        Step::CreateOverlay(overlay, new) => tx.create_overlay(id, *overlay, new).await.map(drop),
        Step::ChangeOverlay(overlay, facts) => tx.change_overlay(id, *overlay, facts).await.map(drop),
        Step::DeleteOverlay(overlay) => tx.delete_overlay(id, *overlay).await,
        Step::AddMember(person, role) => tx.add_member(id, *person, *role).await.map(drop),
        Step::AddPerson(new, role) => {
            let person = tx.create_person(new).await?;
            tx.add_member(id, person.id, *role).await.map(drop)
        }
        Step::SetFirstPassword(person, hashed) => tx.set_password(*person, hashed).await,
        Step::ChangeRole(person, role) => tx.change_role(id, *person, *role).await.map(drop),
        Step::RemoveMember(person) => {
            // Keys the document gives to somebody else were given to them before.
            let settled = tx.remove_member(id, *person, KeysOfMember::MustNotBe).await;
            settled.map(drop)
        }
        Step::CreateToken(token) => tx.create_token(id, token).await.map(drop),
        Step::ChangeTokenRole(token, role) => tx.change_token_role(id, *token, *role).await.map(drop),
        Step::ReplaceToken(before, token) => {
            tx.delete_token(id, *before).await?;
            tx.create_token(id, token).await.map(drop)
        }
        Step::DeleteToken(token) => tx.delete_token(id, *token).await,
        Step::CreateKey(key) => tx.create_key(id, key).await.map(drop),
        Step::ChangeKey(key, change) => tx.change_key(id, *key, change).await.map(drop),
        Step::RotateKey(key, change, rotation) => {
            tx.change_key(id, *key, change).await?;
            tx.rotate_key(id, *key, rotation).await.map(drop)
        }
        Step::RevokeKey(key) => tx.revoke_key(id, *key).await.map(drop),
        Step::ChangeTags(tags) => tx.change_tags(id, tags).await.map(drop),
        Step::ChangeCostCentre(cost_centre) => tx.change_cost_centre(id, cost_centre.as_ref()).await.map(drop),
        Step::ChangeSharedCost(shared_cost) => tx.change_shared_cost(id, *shared_cost).await.map(drop),
        Step::CreateBudget(budget, new) => tx.create_budget(id, *budget, new).await.map(drop),
        Step::ChangeBudget(budget, spec) => tx.change_budget(id, *budget, spec).await.map(drop),
        Step::DeleteBudget(budget) => tx.delete_budget(id, *budget).await,
        Step::CreateLimit(limit, new) => tx.create_limit(id, *limit, new).await.map(drop),
        Step::ChangeLimit(limit, spec) => tx.change_limit(id, *limit, spec).await.map(drop),
        Step::DeleteLimit(limit) => tx.delete_limit(id, *limit).await,
    }
}
