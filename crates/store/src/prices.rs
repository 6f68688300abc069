//! An organization's own prices. They name a provider and a model there by text, and may be there before either is.

use gatewright_contract::{PriceUnit, UnitBody, UnitId};
use gatewright_types::api::{NewPrice, Price, PriceTier, ServicePrice};
use gatewright_types::{OrganizationId, Page, PageQuery, PriceId, Slug, UpstreamModel};
use sea_orm::{ColumnTrait as _, DbErr, EntityTrait as _, QueryFilter as _, QueryOrder as _, Select};
use serde::{Deserialize, Serialize};

use crate::entity::price::{Column, Entity, Model};
use crate::error::{DatabaseError, ListError, WriteError};
use crate::page::Part;
use crate::scope::Scope;
use crate::stored;
use crate::write::WriteTx;

/// Prices for other sizes and other ways to be served, in one column.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct Tiers {
    sizes: Vec<PriceTier>,
    services: Vec<ServicePrice>,
}

impl Scope<'_> {
    pub async fn prices(&self, query: &PageQuery) -> Result<Page<Price>, ListError> {
        let part = Part::asked(query)?;
        let rows = part.of(ours(self.id), Column::Id).all(&self.connection).await?;
        part.page(rows, |row| row.id, |row| read(&row))
    }

    pub async fn price(&self, id: PriceId) -> Result<Option<Price>, DatabaseError> {
        let row = ours(self.id)
            .filter(Column::Id.eq(id.uuid()))
            .one(&self.connection)
            .await?;
        Ok(row.as_ref().map(read).transpose()?)
    }

    /// The organization's own prices of one model at one provider, the latest in effect first.
    pub async fn prices_of(&self, provider: &Slug, model: &UpstreamModel) -> Result<Vec<Price>, DatabaseError> {
        let rows = ours(self.id)
            .filter(Column::Provider.eq(provider.as_str()))
            .filter(Column::Model.eq(model.as_str()))
            .order_by_desc(Column::EffectiveFrom)
            .all(&self.connection)
            .await?;
        Ok(rows.iter().map(read).collect::<Result<_, _>>()?)
    }
}

impl WriteTx {
    /// In effect from now when nothing is said.
    pub async fn create_price(
        &mut self,
        organization: OrganizationId,
        id: PriceId,
        price: &NewPrice,
    ) -> Result<Price, WriteError> {
        let row = Model {
            id: id.uuid(),
            organization: organization.uuid(),
            provider: price.provider.as_str().to_owned(),
            model: price.model.as_str().to_owned(),
            rates: stored::to_json(&price.rates),
            tiers: stored::to_json(&Tiers {
                sizes: price.tiers.clone(),
                services: price.service_tiers.clone(),
            }),
            effective_from: price.effective_from.map_or(self.at, stored::time),
            created_at: self.at,
        };
        stored::insert(&self.transaction, row.clone()).await?;
        self.publish_price(organization, &row).await
    }

    pub async fn delete_price(&mut self, organization: OrganizationId, id: PriceId) -> Result<(), WriteError> {
        let deleted = Entity::delete_many()
            .filter(Column::Organization.eq(organization.uuid()))
            .filter(Column::Id.eq(id.uuid()))
            .exec(&self.transaction)
            .await?;
        stored::there(deleted.rows_affected)?;
        self.tombstone(organization, UnitId::Price(id)).await
    }

    async fn publish_price(&mut self, organization: OrganizationId, row: &Model) -> Result<Price, WriteError> {
        let price = read(row)?;
        let unit = PriceUnit {
            provider: price.provider.clone(),
            model: price.model.clone(),
            rates: price.rates.clone(),
            tiers: price.tiers.clone(),
            service_tiers: price.service_tiers.clone(),
            effective_from: price.effective_from,
        };
        self.publish(organization, UnitId::Price(price.id), UnitBody::Price(unit))
            .await?;
        Ok(price)
    }
}

fn ours(organization: OrganizationId) -> Select<Entity> {
    Entity::find().filter(Column::Organization.eq(organization.uuid()))
}

fn read(row: &Model) -> Result<Price, DbErr> {
    let Tiers { sizes, services } = stored::json("tiers", &row.tiers)?;
    Ok(Price {
        id: PriceId::from_uuid(row.id),
        provider: stored::parsed("provider", &row.provider)?,
        model: stored::parsed("model", &row.model)?,
        rates: stored::json("rates", &row.rates)?,
        tiers: sizes,
        service_tiers: services,
        effective_from: row.effective_from,
        created_at: row.created_at,
    })
}
