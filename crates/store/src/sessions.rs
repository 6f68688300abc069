//! Sessions of signed-in people, known by the digest of what the cookie holds. Opening, seeing and ending one is no
//! change of configuration, so it happens outside of the write path. Time-outs are the control plane's decision.

use chrono::{DateTime, Utc};
use gatewright_contract::Digest;
use gatewright_types::api::SessionInfo;
use gatewright_types::{DisplayName, Email, Page, PageQuery, PersonId, SessionId};
use sea_orm::sea_query::{Expr, ExprTrait as _};
use sea_orm::{ColumnTrait as _, EntityTrait as _, QueryFilter as _, Select};

use crate::entity::person;
use crate::entity::session::{Column, Entity, Model};
use crate::error::{DatabaseError, ListError, WriteError};
use crate::page::Part;
use crate::stored;
use crate::system::System;
use crate::write::WriteTx;

#[derive(Debug, Clone)]
pub struct NewSession {
    pub id: SessionId,
    pub person: PersonId,
    pub digest: Digest,
    pub expires_at: DateTime<Utc>,
    pub address: String,
    pub user_agent: String,
}

/// A session and whose it is.
#[derive(Clone, PartialEq, Eq)]
pub struct Session {
    pub id: SessionId,
    pub person: PersonId,
    pub email: Email,
    pub name: DisplayName,
    pub created_at: DateTime<Utc>,
    pub last_seen_at: DateTime<Utc>,
    pub expires_at: DateTime<Utc>,
}

impl System<'_> {
    pub async fn open_session(&self, session: &NewSession) -> Result<(), DatabaseError> {
        let now = stored::now();
        let row = Model {
            id: session.id.uuid(),
            person: session.person.uuid(),
            digest: session.digest.as_bytes().to_vec(),
            created_at: now,
            last_seen_at: now,
            expires_at: stored::time(session.expires_at),
            address: session.address.clone(),
            user_agent: session.user_agent.clone(),
        };
        Ok(stored::insert(&self.db.write, row).await?)
    }

    /// Whatever its times say: the caller decides whether it still holds.
    pub async fn session_by_digest(&self, digest: &Digest) -> Result<Option<Session>, DatabaseError> {
        let Some(row) = by_digest(digest).one(&self.db.read).await? else {
            return Ok(None);
        };
        let Some(person) = person::Entity::find_by_id(row.person).one(&self.db.read).await? else {
            return Ok(None);
        };
        Ok(Some(Session {
            id: SessionId::from_uuid(row.id),
            person: PersonId::from_uuid(row.person),
            email: stored::parsed("email", &person.email)?,
            name: stored::parsed("name", &person.name)?,
            created_at: row.created_at,
            last_seen_at: row.last_seen_at,
            expires_at: row.expires_at,
        }))
    }

    pub async fn touch_session(&self, id: SessionId, seen_at: DateTime<Utc>) -> Result<(), DatabaseError> {
        Entity::update_many()
            .col_expr(Column::LastSeenAt, Expr::value(stored::time(seen_at)))
            .filter(Column::Id.eq(id.uuid()))
            .exec(&self.db.write)
            .await?;
        Ok(())
    }

    /// False when that person has no such session.
    pub async fn end_session(&self, person: PersonId, id: SessionId) -> Result<bool, DatabaseError> {
        let ended = Entity::delete_many()
            .filter(Column::Id.eq(id.uuid()))
            .filter(Column::Person.eq(person.uuid()))
            .exec(&self.db.write)
            .await?;
        Ok(ended.rows_affected > 0)
    }

    /// The open sessions of one person; `current` is the one that asks.
    pub async fn sessions_of(
        &self,
        person: PersonId,
        current: SessionId,
        query: &PageQuery,
    ) -> Result<Page<SessionInfo>, ListError> {
        let part = Part::asked(query)?;
        let mine = Entity::find().filter(Column::Person.eq(person.uuid()));
        let rows = part.of(mine, Column::Id).all(&self.db.read).await?;
        part.page(
            rows,
            |row| row.id,
            |row| {
                let id = SessionId::from_uuid(row.id);
                Ok(SessionInfo {
                    id,
                    created_at: row.created_at,
                    last_seen_at: row.last_seen_at,
                    expires_at: row.expires_at,
                    address: row.address,
                    user_agent: row.user_agent,
                    current: id == current,
                })
            },
        )
    }

    /// Removes sessions that expired before `now` or were last seen before `idle_since`; tells how many.
    pub async fn remove_ended_sessions(
        &self,
        now: DateTime<Utc>,
        idle_since: DateTime<Utc>,
    ) -> Result<u64, DatabaseError> {
        let ended = Column::ExpiresAt.lt(now).or(Column::LastSeenAt.lt(idle_since));
        Ok(Entity::delete_many()
            .filter(ended)
            .exec(&self.db.write)
            .await?
            .rows_affected)
    }
}

impl WriteTx {
    /// Ends all sessions of a person but one: after a change of password.
    pub async fn end_other_sessions(&mut self, person: PersonId, keep: Option<SessionId>) -> Result<(), WriteError> {
        let mut others = Entity::delete_many().filter(Column::Person.eq(person.uuid()));
        if let Some(keep) = keep {
            others = others.filter(Column::Id.ne(keep.uuid()));
        }
        others.exec(&self.transaction).await?;
        Ok(())
    }
}

pub(crate) fn by_digest(digest: &Digest) -> Select<Entity> {
    Entity::find().filter(Column::Digest.eq(digest.as_bytes().to_vec()))
}

/// An address is nothing for a log.
impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Session {} of {}", self.id, self.person)
    }
}
