//! The one write path: a transaction that counts the revision first, audits what it does, publishes a unit for each
//! resource it changes, and commits only when every organization it touched still compiles.
//!
//! The revision is one row, counted inside of the transaction: its lock is held to the commit, so revisions commit in
//! their order and a follower that reads "later than mine" skips none.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use chrono::{DateTime, Utc};
use gatewright_contract::{CompileProblem, Revision, UnitBody, UnitId, compile};
use gatewright_types::api::AuditOutcome;
use gatewright_types::{BudgetId, KeyId, OrganizationId, PersonId, TokenId};
use sea_orm::sea_query::{Expr, ExprTrait as _};
use sea_orm::{DatabaseTransaction, DbErr, EntityTrait as _};

use crate::db::Db;
use crate::entity::installation;
use crate::error::WriteError;
use crate::key_caps::ToCompare;
use crate::scope::Scope;
use crate::{audit, config_units, scopes, stored};

/// Who acts, for the audit log.
#[derive(Debug, Clone)]
pub struct Actor {
    pub kind: ActorKind,
    /// An e-mail address, a token's name, or `system`.
    pub label: String,
    pub address: Option<String>,
    pub request_id: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ActorKind {
    Person(PersonId),
    Token(TokenId),
    System,
}

/// One audited action: `key.create` on `key_…`.
#[derive(Debug, Clone)]
pub struct Change {
    /// In whose audit log it stands; none for what concerns no organization (a person's own password).
    pub organization: Option<OrganizationId>,
    pub action: &'static str,
    pub target: Option<String>,
    /// What changed, without secrets.
    pub detail: serde_json::Value,
}

/// What a write gave, and the revision under which it is published.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Written<T> {
    pub value: T,
    pub revision: Revision,
}

/// A transaction that is audited and published as a whole. Every method that changes a resource publishes its unit.
pub struct WriteTx {
    pub(crate) transaction: DatabaseTransaction,
    /// The time of everything this transaction writes.
    pub(crate) at: DateTime<Utc>,
    pub(crate) revision: Revision,
    actor: Actor,
    /// Units other than keys that were published, by organization: these organizations have to compile.
    touched: BTreeMap<OrganizationId, BTreeSet<UnitId>>,
    /// What was changed of keys' budgets and limits.
    changed: BTreeSet<(OrganizationId, UnitId)>,
    to_compare: ToCompare,
}

impl Actor {
    /// The server itself: bootstrap, rotation of master keys.
    pub fn system(request_id: impl Into<String>) -> Self {
        Self {
            kind: ActorKind::System,
            label: "system".to_owned(),
            address: None,
            request_id: request_id.into(),
        }
    }
}

impl Change {
    /// `target` is the identifier of what is acted on.
    pub fn new(
        organization: OrganizationId,
        action: &'static str,
        target: impl fmt::Display,
        detail: serde_json::Value,
    ) -> Self {
        Self {
            organization: Some(organization),
            action,
            target: Some(target.to_string()),
            detail,
        }
    }
}

impl WriteTx {
    /// The same reads as outside, within this transaction.
    pub fn organization(&self, id: OrganizationId) -> Scope<'_> {
        Scope::new(&self.transaction, id)
    }

    /// One more audited action of the same actor.
    pub async fn audit(&mut self, change: Change) -> Result<(), WriteError> {
        let row = audit::row(&self.actor, &change, AuditOutcome::Done, self.at);
        Ok(stored::insert(&self.transaction, row).await?)
    }

    pub(crate) async fn begin(db: &Db, actor: &Actor) -> Result<Self, WriteError> {
        let transaction = db.begin().await?;
        let revision = next_revision(&transaction).await?;
        Ok(Self {
            transaction,
            at: stored::now(),
            revision,
            actor: actor.clone(),
            touched: BTreeMap::new(),
            changed: BTreeSet::new(),
            to_compare: ToCompare::default(),
        })
    }

    /// Who acts, as it stands beside what they made.
    pub(crate) fn actor_label(&self) -> String {
        self.actor.label.clone()
    }

    /// A budget or limit of a key was written, whose problems need not say where they are.
    pub(crate) fn note_changed(&mut self, organization: OrganizationId, unit: UnitId) {
        self.changed.insert((organization, unit));
    }

    /// Something was written that may not agree with the budgets and limits of a key.
    pub(crate) fn compare_key(&mut self, organization: OrganizationId, key: KeyId) {
        self.to_compare.keys.insert((organization, key));
    }

    /// A budget was written that keys' may be a part of.
    pub(crate) fn compare_with_keys(&mut self, organization: OrganizationId, budget: BudgetId) {
        self.to_compare.wholes.insert((organization, budget));
    }

    /// Publishes a unit as it is from this revision on.
    pub(crate) async fn publish(
        &mut self,
        organization: OrganizationId,
        unit: UnitId,
        body: UnitBody,
    ) -> Result<(), WriteError> {
        self.put(organization, unit, Some(stored::to_json(&body))).await
    }

    /// Publishes that a unit is gone.
    pub(crate) async fn tombstone(&mut self, organization: OrganizationId, unit: UnitId) -> Result<(), WriteError> {
        self.put(organization, unit, None).await
    }

    /// Publishes that all units of an organization are gone.
    pub(crate) async fn tombstone_all(&mut self, organization: OrganizationId) -> Result<(), WriteError> {
        config_units::tombstone_all(&self.transaction, organization, self.revision).await?;
        self.touched.remove(&organization);
        Ok(())
    }

    async fn put(
        &mut self,
        organization: OrganizationId,
        unit: UnitId,
        body: Option<String>,
    ) -> Result<(), WriteError> {
        config_units::put(&self.transaction, organization, unit, self.revision, body).await?;
        match unit {
            // A key is looked up by itself and compiles with nothing: making one must not read all the others.
            // An edition of the catalogue is of no organization and was read before it came here.
            // What is void says nothing of any other unit.
            UnitId::Key(_) | UnitId::Catalog(_) | UnitId::CachePurges => {}
            UnitId::Organization
            | UnitId::Team(_)
            | UnitId::Provider(_)
            | UnitId::Model(_)
            | UnitId::Price(_)
            | UnitId::Overlay(_)
            | UnitId::Budget(_)
            | UnitId::Limit(_) => {
                self.touched.entry(organization).or_default().insert(unit);
            }
        }
        Ok(())
    }

    pub(crate) async fn commit(self) -> Result<Revision, WriteError> {
        let mut problems = self.to_compare.problems(&self.transaction, &self.changed).await?;
        for (organization, published) in &self.touched {
            let units = config_units::compiled_together(&self.transaction, *organization).await?;
            if let Err(found) = compile(*organization, &units) {
                problems.extend(found.into_iter().map(|problem| name_unit(problem, published, &units)));
            }
        }
        if !problems.is_empty() {
            return Err(WriteError::DoesNotCompile(problems));
        }
        self.transaction.commit().await?;
        Ok(self.revision)
    }
}

impl fmt::Debug for WriteTx {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "WriteTx at revision {}", self.revision)
    }
}

async fn next_revision(transaction: &DatabaseTransaction) -> Result<Revision, DbErr> {
    let counted = installation::Entity::update_many()
        .col_expr(
            installation::Column::Revision,
            Expr::col(installation::Column::Revision).add(1_i64),
        )
        .exec_with_returning(transaction)
        .await?;
    let row = counted
        .first()
        .ok_or_else(|| DbErr::RecordNotFound("the installation has no row".to_owned()))?;
    Ok(Revision(stored::count(row.revision)))
}

/// A problem in something else than what was changed says in what: removing a provider breaks the models that use it.
fn name_unit(
    problem: CompileProblem,
    published: &BTreeSet<UnitId>,
    units: &BTreeMap<UnitId, UnitBody>,
) -> CompileProblem {
    if published.contains(&problem.unit) {
        return problem;
    }
    let message = match units.get(&problem.unit) {
        Some(UnitBody::Model(model)) => format!("model {}: {}", model.name, problem.message),
        Some(UnitBody::Provider(provider)) => format!("provider {}: {}", provider.name, problem.message),
        Some(UnitBody::Overlay(overlay)) => format!("facts of {}: {}", overlay.model, problem.message),
        Some(UnitBody::Budget(budget)) => {
            let whose = scopes::in_words(&budget.scope, units);
            format!("budget of {whose}: {}", problem.message)
        }
        Some(UnitBody::Limit(limit)) => {
            let whose = scopes::in_words(&limit.scope, units);
            format!("limit of {whose}: {}", problem.message)
        }
        Some(
            UnitBody::Organization(_)
            | UnitBody::Team(_)
            | UnitBody::Price(_)
            | UnitBody::Key(_)
            | UnitBody::CachePurges(_)
            | UnitBody::Catalog(_),
        )
        | None => problem.message,
    };
    CompileProblem { message, ..problem }
}
