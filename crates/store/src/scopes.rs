//! Whom and what budgets and limits are for: as columns, in words, and whether it is there.

use std::collections::{BTreeMap, HashMap};
use std::convert::Infallible;

use gatewright_contract::{UnitBody, UnitId};
use gatewright_types::api::{LimitScope, LimitScopeQuery, ScopeKind};
use gatewright_types::{OrganizationId, PageQuery};
use sea_orm::sea_query::{Expr, ExprTrait as _};
use sea_orm::{ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter as _, Select};
use uuid::Uuid;

use crate::entity::{credential, key, person, provider, team};
use crate::error::WriteError;
use crate::write::WriteTx;

/// The columns of budgets and of limits that say whom or what one is for.
const KIND: &str = "kind";
const SUBJECT: &str = "subject";

/// What scopes name, by identifier.
#[derive(Debug, Default)]
pub(crate) struct Names(HashMap<Uuid, String>);

impl Names {
    pub(crate) async fn of<'a>(
        connection: &impl ConnectionTrait,
        scopes: impl IntoIterator<Item = &'a LimitScope>,
    ) -> Result<Self, DbErr> {
        let mut ids: HashMap<ScopeKind, Vec<Uuid>> = HashMap::new();
        for scope in scopes {
            let of_kind = ids.entry(scope.kind()).or_default();
            of_kind.extend(subject_id(scope));
        }
        let mut names = HashMap::new();
        for (kind, ids) in ids {
            match kind {
                ScopeKind::Team => {
                    let rows = by_ids::<team::Entity>(team::Column::Id, ids).all(connection).await?;
                    names.extend(rows.into_iter().map(|row| (row.id, row.name)));
                }
                ScopeKind::User => {
                    let rows = by_ids::<person::Entity>(person::Column::Id, ids);
                    let rows = rows.all(connection).await?;
                    names.extend(rows.into_iter().map(|row| (row.id, row.email)));
                }
                ScopeKind::Key => {
                    let rows = by_ids::<key::Entity>(key::Column::Id, ids).all(connection).await?;
                    names.extend(rows.into_iter().map(|row| (row.id, row.name)));
                }
                ScopeKind::Credential => names.extend(credential_names(connection, ids).await?),
                ScopeKind::Organization
                | ScopeKind::EndUser
                | ScopeKind::Tag
                | ScopeKind::Provider
                | ScopeKind::Model => {}
            }
        }
        Ok(Self(names))
    }

    /// `team Search`, `each end user`.
    pub(crate) fn in_words(&self, scope: &LimitScope) -> String {
        let name = |id: Uuid| match self.0.get(&id) {
            Some(name) => Ok(name.clone()),
            None => Ok::<_, Infallible>(scope.subject()),
        };
        let Ok(named) = scope.renamed(
            |team| name(team.uuid()),
            |person| name(person.uuid()),
            |key| name(key.uuid()),
            |credential| name(credential.uuid()),
        );
        named.in_words()
    }
}

/// The same, where the names are among published units.
pub(crate) fn in_words(scope: &LimitScope, units: &BTreeMap<UnitId, UnitBody>) -> String {
    let team = match scope {
        LimitScope::Team(team) => units.get(&UnitId::Team(*team)).map(|unit| (team.uuid(), unit)),
        _ => None,
    };
    let name = match team {
        Some((id, UnitBody::Team(team))) => Some((id, team.name.to_string())),
        _ => None,
    };
    Names(name.into_iter().collect()).in_words(scope)
}

/// Of what has an identifier.
pub(crate) fn subject_id(scope: &LimitScope) -> Option<Uuid> {
    match scope {
        LimitScope::Team(team) => Some(team.uuid()),
        LimitScope::User(person) => Some(person.uuid()),
        LimitScope::Key(key) => Some(key.uuid()),
        LimitScope::Credential(credential) => Some(credential.uuid()),
        LimitScope::Organization
        | LimitScope::EndUser(_)
        | LimitScope::Tag(_)
        | LimitScope::Provider(_)
        | LimitScope::Model(_) => None,
    }
}

/// Those of budgets or of limits that are asked for.
pub(crate) fn asked<E: EntityTrait>(all: Select<E>, query: &LimitScopeQuery) -> Select<E> {
    let mut asked = all;
    if let Some(kind) = query.scope {
        asked = asked.filter(Expr::col(KIND).eq(kind.as_str()));
    }
    if let Some(subject) = &query.subject {
        asked = asked.filter(Expr::col(SUBJECT).eq(subject.as_str()));
    }
    asked
}

/// Those of one scope.
pub(crate) fn of_scope<E: EntityTrait>(all: Select<E>, scope: &LimitScope) -> Select<E> {
    all.filter(Expr::col(KIND).eq(scope.kind().as_str()))
        .filter(Expr::col(SUBJECT).eq(scope.subject()))
}

/// The part of a list that is asked for.
pub(crate) fn page_of(query: &LimitScopeQuery) -> PageQuery {
    PageQuery {
        limit: query.limit,
        cursor: query.cursor.clone(),
    }
}

impl WriteTx {
    /// Takes along the budgets and limits of something that goes.
    pub(crate) async fn delete_caps_of(
        &mut self,
        organization: OrganizationId,
        scope: &LimitScope,
    ) -> Result<(), WriteError> {
        self.delete_budgets_of(organization, scope).await?;
        self.delete_limits_of(organization, scope).await
    }

    /// Whether a scope is there, as far as no compile check tells it: keys and users are no units of the tenant.
    pub(crate) async fn check_scope(&self, organization: OrganizationId, scope: &LimitScope) -> Result<(), WriteError> {
        match scope {
            LimitScope::Key(key) => match self.organization(organization).key(*key).await? {
                None => Err(WriteError::invalid("scope.key", "there is no such key")),
                Some(key) if key.revoked_at.is_some() => Err(WriteError::invalid("scope.key", "is revoked")),
                Some(_) => Ok(()),
            },
            LimitScope::User(person) => match self.organization(organization).role(*person).await? {
                None => Err(WriteError::invalid("scope.user", "is no member of the organization")),
                Some(_) => Ok(()),
            },
            LimitScope::Organization
            | LimitScope::Team(_)
            | LimitScope::EndUser(_)
            | LimitScope::Tag(_)
            | LimitScope::Provider(_)
            | LimitScope::Model(_)
            | LimitScope::Credential(_) => Ok(()),
        }
    }
}

/// `openai-main/a`
async fn credential_names(connection: &impl ConnectionTrait, ids: Vec<Uuid>) -> Result<Vec<(Uuid, String)>, DbErr> {
    let rows = by_ids::<credential::Entity>(credential::Column::Id, ids);
    let rows = rows.all(connection).await?;
    let providers = rows.iter().map(|row| row.provider).collect();
    let providers = by_ids::<provider::Entity>(provider::Column::Id, providers);
    let providers = providers.all(connection).await?;
    let providers: HashMap<_, _> = providers.into_iter().map(|row| (row.id, row.name)).collect();
    let name = |row: credential::Model| {
        let provider = providers.get(&row.provider).map_or("", String::as_str);
        (row.id, format!("{provider}/{}", row.name))
    };
    Ok(rows.into_iter().map(name).collect())
}

fn by_ids<E: EntityTrait>(column: E::Column, ids: Vec<Uuid>) -> Select<E> {
    E::find().filter(column.is_in(ids))
}
