//! Whose keys are: that owners exist, and what becomes of keys when somebody leaves.

use gatewright_types::api::KeyOwner;
use gatewright_types::{KeyId, OrganizationId, PersonId, TeamId};
use sea_orm::{ColumnTrait as _, QueryFilter as _, QueryOrder as _};

use super::ours;
use crate::entity::key::{Column, Model};
use crate::error::WriteError;
use crate::write::WriteTx;

/// What becomes of the keys of somebody who leaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeysOfMember {
    /// Whoever has keys cannot leave.
    MustNotBe,
    Revoke,
    HandOver(KeyOwner),
}

/// So many are named to who wants to remove their owner.
const MOST_NAMED: usize = 10;

impl WriteTx {
    /// The team a key of this owner is of: a service account's keys are of its team.
    pub(super) async fn settled_team(
        &self,
        organization: OrganizationId,
        owner: Option<KeyOwner>,
        team: Option<TeamId>,
    ) -> Result<Option<TeamId>, WriteError> {
        let scope = self.organization(organization);
        if let Some(team) = team
            && scope.team(team).await?.is_none()
        {
            return Err(WriteError::invalid("team", "there is no such team"));
        }
        match owner {
            None => Ok(team),
            Some(KeyOwner::Member(person)) => match scope.role(person).await? {
                Some(_) => Ok(team),
                None => Err(WriteError::invalid("owner", "is no member")),
            },
            Some(KeyOwner::ServiceAccount(account)) => {
                let account = scope.service_account(account).await?;
                let account =
                    account.ok_or_else(|| WriteError::invalid("owner", "there is no such service account"))?;
                match (account.team, team) {
                    (Some(own), Some(other)) if own != other => Err(WriteError::invalid(
                        "team",
                        "the service account's keys are of its own team",
                    )),
                    (own, team) => Ok(own.or(team)),
                }
            }
        }
    }

    /// Deals with the keys of somebody who leaves. Gives those that changed.
    pub(crate) async fn settle_keys_of(
        &mut self,
        organization: OrganizationId,
        person: PersonId,
        keys: KeysOfMember,
    ) -> Result<Vec<KeyId>, WriteError> {
        let theirs = ours(organization)
            .filter(Column::Owner.eq(person.uuid()))
            .filter(Column::RevokedAt.is_null())
            .order_by_asc(Column::Name)
            .all(&self.transaction)
            .await?;
        let ids = theirs.iter().map(|row| KeyId::from_uuid(row.id)).collect();
        match keys {
            KeysOfMember::MustNotBe if theirs.is_empty() => {}
            KeysOfMember::MustNotBe => return Err(WriteError::conflict("keys", has_keys(&theirs))),
            KeysOfMember::Revoke => {
                for row in theirs {
                    self.revoke_key(organization, KeyId::from_uuid(row.id)).await?;
                }
            }
            KeysOfMember::HandOver(KeyOwner::Member(to)) if to == person => {
                return Err(WriteError::invalid("to", "is who leaves"));
            }
            KeysOfMember::HandOver(to) => {
                for row in theirs {
                    self.hand_over(organization, row, to).await?;
                }
            }
        }
        Ok(ids)
    }

    async fn hand_over(
        &mut self,
        organization: OrganizationId,
        mut row: Model,
        to: KeyOwner,
    ) -> Result<(), WriteError> {
        let team = row.team.map(TeamId::from_uuid);
        let team = self
            .settled_team(organization, Some(to), team)
            .await
            .map_err(|error| match error {
                WriteError::Invalid { field: "team", message } => WriteError::Conflict {
                    field: "to",
                    message: format!("key {}: {message}", row.name),
                },
                WriteError::Invalid { message, .. } => WriteError::Invalid { field: "to", message },
                other => other,
            })?;
        row.team = team.map(TeamId::uuid);
        row.owner = to.person().map(PersonId::uuid);
        row.service_account = to.service_account().map(|account| account.uuid());
        self.put_key(organization, row).await.map(drop)
    }
}

fn has_keys(rows: &[Model]) -> String {
    let mut names: Vec<&str> = rows.iter().take(MOST_NAMED).map(|row| row.name.as_str()).collect();
    let more = format!("and {} more", rows.len().saturating_sub(MOST_NAMED));
    if rows.len() > MOST_NAMED {
        names.push(&more);
    }
    let keys = if rows.len() == 1 { "key is" } else { "keys are" };
    format!(
        "{} {keys} theirs: {}. Revoke them, or hand them over to somebody else or to a service account",
        rows.len(),
        names.join(", ")
    )
}
