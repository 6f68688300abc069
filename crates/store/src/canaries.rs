//! How far the canaries of models' routes are. A canary begins when a model is written that has it, begins anew when what
//! is written of it changes, and is published with its model. Whether it goes on is for the caller to judge.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use gatewright_contract::{CanaryUnit, Digest, Revision};
use gatewright_types::api::{Canary, CanarySide, CanaryState};
use gatewright_types::{ModelId, OrganizationId};
use sea_orm::sea_query::{Expr, OnConflict};
use sea_orm::{
    ColumnTrait as _, ConnectionTrait, DbErr, EntityTrait as _, IntoActiveModel as _, QueryFilter as _,
    QueryOrder as _, Select,
};

use crate::canary_usage::{CanarySums, Side, of_models};
use crate::entity::canary::{Column, Entity, Model};
use crate::error::{DatabaseError, WriteError};
use crate::models::{ModelRow, by_ids};
use crate::scope::Scope;
use crate::stored;
use crate::system::System;
use crate::write::WriteTx;

/// A canary, and what its sides did in the round that it is in, or was in when it was rolled back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CanaryRow {
    pub organization: OrganizationId,
    pub model: ModelId,
    pub place: String,
    /// The candidate's part now.
    pub percent: u8,
    pub state: CanaryState,
    /// The revision since which its sides are compared with this part.
    pub round: Revision,
    pub since: DateTime<Utc>,
    pub reason: Option<String>,
    pub stable: CanarySums,
    pub candidate: CanarySums,
}

/// Where a canary goes from where it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CanaryMove {
    /// The candidate's part changes, and a new round begins.
    Turn { percent: u8, state: CanaryState },
    /// The candidate gets nothing. The numbers it was judged by stay.
    RollBack { reason: String },
}

impl Scope<'_> {
    /// The canaries of a model, in the order of their places.
    pub async fn canaries(&self, model: ModelId) -> Result<Vec<CanaryRow>, DatabaseError> {
        let ours = Entity::find()
            .filter(Column::Organization.eq(self.id.uuid()))
            .filter(Column::Model.eq(model.uuid()));
        Ok(read_all(&self.connection, ours).await?)
    }
}

impl System<'_> {
    /// All canaries that give both sides something, each with what is written of it.
    pub async fn canaries_under_way(&self) -> Result<Vec<(CanaryRow, Canary)>, DatabaseError> {
        let under_way = Entity::find()
            .filter(Column::State.ne(CanaryState::RolledBack.as_str()))
            .filter(Column::Percent.lt(100));
        let rows = read_all(&self.db.read, under_way).await?;
        let models = by_ids(&self.db.read, rows.iter().map(|row| row.model.uuid())).await?;
        let models: HashMap<_, _> = models.iter().map(|model| (model.id, model)).collect();
        let with_spec = rows.into_iter().filter_map(|row| {
            let canaries = models.get(&row.model)?.route.canaries();
            let (_, canary) = canaries.into_iter().find(|(place, _)| *place == row.place)?;
            Some((row, canary.clone()))
        });
        Ok(with_spec.collect())
    }
}

impl WriteTx {
    /// Moves a canary on from where the caller saw it. `NotFound` means that it is not there any more: somebody else moved
    /// it meanwhile.
    pub async fn move_canary_on(&mut self, seen: &CanaryRow, to: &CanaryMove) -> Result<(), WriteError> {
        let moved = self
            .put_canary(seen.organization, seen.model, &seen.place, to)
            .filter(Column::Round.eq(stored::number(seen.round.0)))
            .filter(Column::State.eq(seen.state.as_str()))
            .exec(&self.transaction)
            .await?;
        stored::there(moved.rows_affected)?;
        self.publish_model_again(seen.organization, seen.model).await?;
        Ok(())
    }

    /// Moves a canary wherever it is.
    pub async fn move_canary(
        &mut self,
        organization: OrganizationId,
        model: ModelId,
        place: &str,
        to: &CanaryMove,
    ) -> Result<(), WriteError> {
        let moved = self
            .put_canary(organization, model, place, to)
            .exec(&self.transaction)
            .await?;
        if moved.rows_affected == 0 {
            return Err(no_canary(place));
        }
        self.publish_model_again(organization, model).await?;
        Ok(())
    }

    /// Begins a canary anew.
    pub async fn restart_canary(
        &mut self,
        organization: OrganizationId,
        model: ModelId,
        place: &str,
    ) -> Result<(), WriteError> {
        let forgotten = Entity::delete_many()
            .filter(Column::Organization.eq(organization.uuid()))
            .filter(Column::Model.eq(model.uuid()))
            .filter(Column::Place.eq(place))
            .exec(&self.transaction)
            .await?;
        if forgotten.rows_affected == 0 {
            return Err(no_canary(place));
        }
        self.publish_model_again(organization, model).await?;
        Ok(())
    }

    /// Brings what is known of a model's canaries into step with its route, and gives what is to be published of them.
    pub(crate) async fn follow_canaries(
        &mut self,
        organization: OrganizationId,
        model: &ModelRow,
    ) -> Result<Vec<CanaryUnit>, WriteError> {
        let written = model.route.canaries();
        let known = Entity::find()
            .filter(Column::Model.eq(model.id.uuid()))
            .all(&self.transaction)
            .await?;
        let mut units = Vec::with_capacity(written.len());
        for (place, canary) in &written {
            let spec = spec(canary);
            let same = known.iter().find(|row| row.place == *place && row.spec == spec);
            let row = match same {
                Some(row) => row.clone(),
                None => self.begin_canary(organization, model.id, place, canary).await?,
            };
            units.push(unit(&row)?);
        }
        let is_written = |row: &&Model| written.iter().any(|(place, _)| *place == row.place);
        for gone in known.iter().filter(|row| !is_written(row)) {
            Entity::delete_by_id((gone.model, gone.place.clone()))
                .exec(&self.transaction)
                .await?;
        }
        Ok(units)
    }

    async fn begin_canary(
        &mut self,
        organization: OrganizationId,
        model: ModelId,
        place: &str,
        canary: &Canary,
    ) -> Result<Model, WriteError> {
        let row = Model {
            model: model.uuid(),
            place: place.to_owned(),
            organization: organization.uuid(),
            spec: spec(canary),
            percent: canary.percent.into(),
            state: canary.state_at(canary.percent).as_str().to_owned(),
            round: stored::number(self.revision.0),
            since: self.at,
            reason: None,
        };
        let anew = OnConflict::columns([Column::Model, Column::Place])
            .update_columns([
                Column::Spec,
                Column::Percent,
                Column::State,
                Column::Round,
                Column::Since,
                Column::Reason,
            ])
            .to_owned();
        Entity::insert(row.clone().into_active_model())
            .on_conflict(anew)
            .exec_without_returning(&self.transaction)
            .await?;
        Ok(row)
    }

    fn put_canary(
        &self,
        organization: OrganizationId,
        model: ModelId,
        place: &str,
        to: &CanaryMove,
    ) -> sea_orm::UpdateMany<Entity> {
        let update = Entity::update_many()
            .col_expr(Column::Since, Expr::value(self.at))
            .filter(Column::Organization.eq(organization.uuid()))
            .filter(Column::Model.eq(model.uuid()))
            .filter(Column::Place.eq(place));
        let (percent, state, reason) = match to {
            CanaryMove::Turn { percent, state } => (*percent, *state, None),
            CanaryMove::RollBack { reason } => (0, CanaryState::RolledBack, Some(reason.clone())),
        };
        let update = match to {
            CanaryMove::Turn { .. } => update.col_expr(Column::Round, Expr::value(stored::number(self.revision.0))),
            CanaryMove::RollBack { .. } => update,
        };
        update
            .col_expr(Column::Percent, Expr::value(i16::from(percent)))
            .col_expr(Column::State, Expr::value(state.as_str()))
            .col_expr(Column::Reason, Expr::value(reason))
    }
}

fn no_canary(place: &str) -> WriteError {
    WriteError::invalid("place", format!("the model has no canary at {place}"))
}

fn spec(canary: &Canary) -> Vec<u8> {
    Digest::of(stored::to_json(canary).as_bytes()).as_bytes().to_vec()
}

fn unit(row: &Model) -> Result<CanaryUnit, DbErr> {
    let is_compared = state(row)? != CanaryState::RolledBack;
    Ok(CanaryUnit {
        place: row.place.clone(),
        percent: stored::percent(row.percent)?,
        round: is_compared.then_some(Revision(stored::count(row.round))),
    })
}

fn state(row: &Model) -> Result<CanaryState, DbErr> {
    stored::one_of("state", &row.state, CanaryState::ALL, CanaryState::as_str)
}

async fn read_all(connection: &impl ConnectionTrait, rows: Select<Entity>) -> Result<Vec<CanaryRow>, DbErr> {
    let rows = rows
        .order_by_asc(Column::Model)
        .order_by_asc(Column::Place)
        .all(connection)
        .await?;
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let sums = of_models(connection, rows.iter().map(|row| row.model)).await?;
    rows.into_iter().map(|row| read(row, &sums)).collect()
}

fn read(row: Model, sums: &HashMap<Side, CanarySums>) -> Result<CanaryRow, DbErr> {
    let (model, round) = (ModelId::from_uuid(row.model), Revision(stored::count(row.round)));
    let of = |side| {
        let key = Side {
            model,
            place: row.place.clone(),
            round,
            side,
        };
        sums.get(&key).copied().unwrap_or_default()
    };
    Ok(CanaryRow {
        organization: OrganizationId::from_uuid(row.organization),
        model,
        percent: stored::percent(row.percent)?,
        state: state(&row)?,
        round,
        since: row.since,
        stable: of(CanarySide::Stable),
        candidate: of(CanarySide::Candidate),
        reason: row.reason,
        place: row.place,
    })
}
