//! Providers with their credentials. A provider and all of its credentials are published as one unit, written anew
//! from the rows after each change; secrets are sealed before they come here and stay sealed.

use gatewright_contract::{CredentialUnit, NetworkUnit, ProviderUnit, Sealed, UnitBody, UnitId, told_network};
use gatewright_types::api::{Credential, CredentialKind, LimitScope, Provider, ProviderKind, ProviderSettings};
use gatewright_types::{CredentialId, DisplayName, OrganizationId, Page, PageQuery, ProviderId, Slug};
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait as _, ConnectionTrait, DbErr, EntityTrait as _, QueryFilter as _, QueryOrder as _, Select};
use uuid::Uuid;

use crate::entity::credential;
use crate::entity::provider::{Column, Entity, Model};
use crate::error::{DatabaseError, ListError, WriteError};
use crate::page::Part;
use crate::scope::Scope;
use crate::stored;
use crate::write::WriteTx;

#[derive(Debug, Clone)]
pub struct CredentialInsert {
    pub id: CredentialId,
    pub name: DisplayName,
    pub weight: u32,
    pub secret: SealedSecret,
}

/// A credential's secret as it is stored.
#[derive(Debug, Clone)]
pub struct SealedSecret {
    pub kind: CredentialKind,
    pub hint: String,
    /// Sealed with the text of the credential's id as owner.
    pub sealed: Sealed,
}

/// Replaces all of it.
#[derive(Debug, Clone)]
pub struct ProviderUpdate {
    pub kind: ProviderKind,
    pub base_url: Option<String>,
    pub settings: ProviderSettings,
    pub network: Option<NetworkUnit>,
}

#[derive(Debug, Clone)]
pub struct CredentialUpdate {
    pub weight: u32,
    /// Left alone when absent.
    pub secret: Option<SealedSecret>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealedCredential {
    pub id: CredentialId,
    pub name: DisplayName,
    pub weight: u32,
    pub kind: CredentialKind,
    pub sealed: Sealed,
}

impl Scope<'_> {
    pub async fn providers(&self, query: &PageQuery) -> Result<Page<Provider>, ListError> {
        let part = Part::asked(query)?;
        let rows = part.of(ours(self.id), Column::Id).all(&self.connection).await?;
        let mut credentials = credentials(&self.connection, rows.iter().map(|row| row.id)).await?;
        part.page(
            rows,
            |row| row.id,
            |row| {
                let own = credentials
                    .extract_if(.., |credential| credential.provider == row.id)
                    .collect();
                read(row, own)
            },
        )
    }

    pub async fn provider(&self, id: ProviderId) -> Result<Option<Provider>, DatabaseError> {
        Ok(one(&self.connection, ours(self.id).filter(Column::Id.eq(id.uuid()))).await?)
    }

    pub async fn provider_by_name(&self, name: &Slug) -> Result<Option<Provider>, DatabaseError> {
        Ok(one(&self.connection, ours(self.id).filter(Column::Name.eq(name.as_str()))).await?)
    }

    /// With its secrets sealed.
    pub async fn sealed_network(&self, provider: ProviderId) -> Result<Option<NetworkUnit>, DatabaseError> {
        let row = ours(self.id).filter(Column::Id.eq(provider.uuid()));
        match row.one(&self.connection).await? {
            Some(row) => Ok(network(&row)?),
            None => Ok(None),
        }
    }

    /// For a self-test, and to tell whether a secret in a configuration file is the one that is there.
    pub async fn sealed_credentials(&self, provider: ProviderId) -> Result<Vec<SealedCredential>, DatabaseError> {
        let rows = credential::Entity::find()
            .filter(credential::Column::Organization.eq(self.id.uuid()))
            .filter(credential::Column::Provider.eq(provider.uuid()))
            .order_by_asc(credential::Column::Id)
            .all(&self.connection)
            .await?;
        let sealed = rows.into_iter().map(|row| {
            Ok(SealedCredential {
                id: CredentialId::from_uuid(row.id),
                name: stored::parsed("name", &row.name)?,
                weight: stored::count_u32(row.weight),
                kind: credential_kind(&row.kind)?,
                sealed: Sealed::from_stored(row.sealed),
            })
        });
        Ok(sealed.collect::<Result<_, DbErr>>()?)
    }
}

impl WriteTx {
    pub async fn create_provider(
        &mut self,
        organization: OrganizationId,
        id: ProviderId,
        name: &Slug,
        provider: &ProviderUpdate,
        credentials: &[CredentialInsert],
    ) -> Result<Provider, WriteError> {
        let row = Model {
            id: id.uuid(),
            organization: organization.uuid(),
            name: name.as_str().to_owned(),
            kind: provider.kind.as_str().to_owned(),
            base_url: provider.base_url.clone(),
            settings: stored::to_json(&provider.settings),
            network: provider.network.as_ref().map(stored::to_json),
            created_at: self.at,
        };
        stored::insert(&self.transaction, row).await?;
        for credential in credentials {
            let row = self.credential_row(organization, id, credential);
            stored::insert(&self.transaction, row)
                .await
                .map_err(name_taken_by_credential)?;
        }
        self.publish_provider(organization, id).await
    }

    pub async fn change_provider(
        &mut self,
        organization: OrganizationId,
        id: ProviderId,
        update: &ProviderUpdate,
    ) -> Result<Provider, WriteError> {
        Entity::update_many()
            .col_expr(Column::Kind, Expr::value(update.kind.as_str()))
            .col_expr(Column::BaseUrl, Expr::value(update.base_url.clone()))
            .col_expr(Column::Settings, Expr::value(stored::to_json(&update.settings)))
            .col_expr(
                Column::Network,
                Expr::value(update.network.as_ref().map(stored::to_json)),
            )
            .filter(Column::Organization.eq(organization.uuid()))
            .filter(Column::Id.eq(id.uuid()))
            .exec(&self.transaction)
            .await?;
        self.publish_provider(organization, id).await
    }

    /// Refused at commit, by the compile check, while a model uses it. Budgets and limits of it and of its credentials go
    /// with it.
    pub async fn delete_provider(&mut self, organization: OrganizationId, id: ProviderId) -> Result<(), WriteError> {
        let provider = self.organization(organization).provider(id).await?;
        let provider = provider.ok_or(WriteError::NotFound)?;
        Entity::delete_by_id(id.uuid()).exec(&self.transaction).await?;
        for credential in provider.credentials {
            self.delete_caps_of(organization, &LimitScope::Credential(credential.id))
                .await?;
        }
        self.delete_caps_of(organization, &LimitScope::Provider(provider.name))
            .await?;
        self.tombstone(organization, UnitId::Provider(id)).await
    }

    pub async fn add_credential(
        &mut self,
        organization: OrganizationId,
        provider: ProviderId,
        credential: &CredentialInsert,
    ) -> Result<Credential, WriteError> {
        self.organization(organization)
            .provider(provider)
            .await?
            .ok_or(WriteError::NotFound)?;
        let row = self.credential_row(organization, provider, credential);
        stored::insert(&self.transaction, row.clone()).await?;
        self.publish_provider(organization, provider).await?;
        Ok(read_credential(row)?)
    }

    pub async fn change_credential(
        &mut self,
        organization: OrganizationId,
        provider: ProviderId,
        id: CredentialId,
        update: &CredentialUpdate,
    ) -> Result<Credential, WriteError> {
        let mut change = credential::Entity::update_many()
            .col_expr(credential::Column::Weight, Expr::value(i64::from(update.weight)))
            .filter(credential::Column::Organization.eq(organization.uuid()))
            .filter(credential::Column::Provider.eq(provider.uuid()))
            .filter(credential::Column::Id.eq(id.uuid()));
        if let Some(SealedSecret { kind, hint, sealed }) = &update.secret {
            change = change
                .col_expr(credential::Column::Kind, Expr::value(kind.as_str()))
                .col_expr(credential::Column::Hint, Expr::value(hint.as_str()))
                .col_expr(credential::Column::Sealed, Expr::value(sealed.as_str()));
        }
        let changed = change.exec_with_returning(&self.transaction).await?;
        let row = changed.into_iter().next().ok_or(WriteError::NotFound)?;
        self.publish_provider(organization, provider).await?;
        Ok(read_credential(row)?)
    }

    pub async fn remove_credential(
        &mut self,
        organization: OrganizationId,
        provider: ProviderId,
        id: CredentialId,
    ) -> Result<(), WriteError> {
        let removed = credential::Entity::delete_many()
            .filter(credential::Column::Organization.eq(organization.uuid()))
            .filter(credential::Column::Provider.eq(provider.uuid()))
            .filter(credential::Column::Id.eq(id.uuid()))
            .exec(&self.transaction)
            .await?;
        stored::there(removed.rows_affected)?;
        self.delete_caps_of(organization, &LimitScope::Credential(id)).await?;
        self.publish_provider(organization, provider).await.map(|_| ())
    }

    /// Publishes the provider as its rows are now.
    pub(crate) async fn publish_provider(
        &mut self,
        organization: OrganizationId,
        id: ProviderId,
    ) -> Result<Provider, WriteError> {
        let row = ours(organization)
            .filter(Column::Id.eq(id.uuid()))
            .one(&self.transaction)
            .await?;
        let row = row.ok_or(WriteError::NotFound)?;
        let credentials = credentials(&self.transaction, [row.id]).await?;
        let unit = ProviderUnit {
            name: stored::parsed("name", &row.name)?,
            kind: kind(&row.kind)?,
            base_url: row.base_url.clone(),
            settings: settings(&row.settings)?,
            network: network(&row)?,
            credentials: credentials.iter().map(credential_unit).collect::<Result<_, _>>()?,
        };
        self.publish(organization, UnitId::Provider(id), UnitBody::Provider(unit))
            .await?;
        Ok(read(row, credentials)?)
    }

    fn credential_row(
        &self,
        organization: OrganizationId,
        provider: ProviderId,
        credential: &CredentialInsert,
    ) -> credential::Model {
        credential::Model {
            id: credential.id.uuid(),
            organization: organization.uuid(),
            provider: provider.uuid(),
            name: credential.name.as_str().to_owned(),
            weight: i64::from(credential.weight),
            kind: credential.secret.kind.as_str().to_owned(),
            hint: credential.secret.hint.clone(),
            sealed: credential.secret.sealed.as_str().to_owned(),
            created_at: self.at,
        }
    }
}

/// When a provider is made together with its credentials, `name` alone would be the provider's.
fn name_taken_by_credential(error: DbErr) -> WriteError {
    match WriteError::from(error) {
        WriteError::Conflict { field: "name", message } => WriteError::Conflict {
            field: "credentials.name",
            message,
        },
        other => other,
    }
}

fn ours(organization: OrganizationId) -> Select<Entity> {
    Entity::find().filter(Column::Organization.eq(organization.uuid()))
}

async fn one(connection: &impl ConnectionTrait, select: Select<Entity>) -> Result<Option<Provider>, DbErr> {
    let Some(row) = select.one(connection).await? else {
        return Ok(None);
    };
    let credentials = credentials(connection, [row.id]).await?;
    read(row, credentials).map(Some)
}

/// In the order in which they were made.
async fn credentials(
    connection: &impl ConnectionTrait,
    providers: impl IntoIterator<Item = Uuid>,
) -> Result<Vec<credential::Model>, DbErr> {
    credential::Entity::find()
        .filter(credential::Column::Provider.is_in(providers))
        .order_by_asc(credential::Column::Id)
        .all(connection)
        .await
}

fn credential_unit(row: &credential::Model) -> Result<CredentialUnit, DbErr> {
    Ok(CredentialUnit {
        id: CredentialId::from_uuid(row.id),
        weight: stored::count_u32(row.weight),
        kind: credential_kind(&row.kind)?,
        sealed: Sealed::from_stored(row.sealed.clone()),
    })
}

fn kind(text: &str) -> Result<ProviderKind, DbErr> {
    stored::one_of("kind of provider", text, &ProviderKind::ALL, ProviderKind::as_str)
}

fn credential_kind(text: &str) -> Result<CredentialKind, DbErr> {
    stored::one_of("kind of credential", text, &CredentialKind::ALL, CredentialKind::as_str)
}

pub(crate) fn network(row: &Model) -> Result<Option<NetworkUnit>, DbErr> {
    let text = row.network.as_deref();
    text.map(|text| stored::json("network", text)).transpose()
}

fn settings(text: &str) -> Result<ProviderSettings, DbErr> {
    stored::json("settings", text)
}

fn read(row: Model, credentials: Vec<credential::Model>) -> Result<Provider, DbErr> {
    let kind = kind(&row.kind)?;
    let settings = settings(&row.settings)?;
    let network = network(&row)?;
    Ok(Provider {
        id: ProviderId::from_uuid(row.id),
        name: stored::parsed("name", &row.name)?,
        kind,
        base_url: row.base_url.or_else(|| kind.usual_address(&settings)),
        settings,
        network: network.as_ref().map(told_network),
        credentials: credentials.into_iter().map(read_credential).collect::<Result<_, _>>()?,
        created_at: row.created_at,
    })
}

fn read_credential(row: credential::Model) -> Result<Credential, DbErr> {
    Ok(Credential {
        id: CredentialId::from_uuid(row.id),
        name: stored::parsed("name", &row.name)?,
        kind: credential_kind(&row.kind)?,
        weight: stored::count_u32(row.weight),
        hint: row.hint,
        created_at: row.created_at,
    })
}
