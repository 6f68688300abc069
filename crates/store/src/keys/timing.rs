//! When something is due about a key that is looked after: a notice, or that it is shut. Pure; the times are all in its row.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use gatewright_types::HumanDuration;
use gatewright_types::api::{DisabledReason, KeyUpkeep, KeyWarning};
use sea_orm::DbErr;

use super::row::Settings;
use super::used::COARSE;
use crate::entity::key::Model;
use crate::stored;

/// Notice is given so long before, at most; less where the whole time is short.
const LONGEST_NOTICE: TimeDelta = TimeDelta::days(7);
/// The part of the whole time that a notice leaves.
const NOTICE_PART: i32 = 4;

/// What is to be done about a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyAct {
    /// Notice of what happens then.
    Notice(KeyWarning, DateTime<Utc>),
    Disable(DisabledReason),
}

/// The times at which something happens to a key, unless somebody does something before.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Timing {
    expiry: Option<Deadline>,
    idle: Option<Deadline>,
    pub(super) rotation_due: Option<DateTime<Utc>>,
    rotation_notice: Option<DateTime<Utc>>,
    overdue_ends: Option<DateTime<Utc>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Deadline {
    notice: DateTime<Utc>,
    ends: DateTime<Utc>,
}

type Noticed = BTreeMap<KeyWarning, DateTime<Utc>>;

impl Timing {
    pub(super) fn of(row: &Model, upkeep: &KeyUpkeep) -> Self {
        let expiry = row.expires_at.map(|ends| Deadline {
            notice: ends - notice_before(ends - row.created_at),
            ends,
        });
        let idle = upkeep.disable_after_idle.map(|limit| {
            // Its last use is known to be no later than so much after what is noted.
            let used = row.last_used_at.map(|used| later(used, COARSE));
            let from = row.idle_from.unwrap_or(row.created_at);
            let from = used.map_or(from, |used| used.max(from));
            let limit = delta(limit);
            let ends = later(from, limit);
            Deadline {
                notice: ends - notice_before(limit),
                ends,
            }
        });
        let made = row.secret_made_at.unwrap_or(row.created_at);
        let rotation_due = upkeep.rotate_every.map(|every| later(made, delta(every)));
        let patience = upkeep.disable_overdue_after;
        Self {
            expiry,
            idle,
            rotation_due,
            rotation_notice: rotation_due
                .zip(upkeep.rotate_every)
                .map(|(due, every)| due - notice_before(delta(every))),
            overdue_ends: rotation_due
                .zip(patience)
                .map(|(due, patience)| later(due, delta(patience))),
        }
    }

    pub(super) fn disables_at(&self) -> Option<DateTime<Utc>> {
        let idle = self.idle.map(|idle| idle.ends);
        idle.into_iter().chain(self.overdue_ends).min()
    }

    pub(super) fn warnings(&self, now: DateTime<Utc>) -> Vec<KeyWarning> {
        let mut warnings = Vec::new();
        if self.expiry.is_some_and(|expiry| expiry.notice <= now) {
            warnings.push(KeyWarning::ExpiresSoon);
        }
        if self.idle.is_some_and(|idle| idle.notice <= now) {
            warnings.push(KeyWarning::IdleSoon);
        }
        if self.rotation_due.is_some_and(|due| due <= now) {
            warnings.push(KeyWarning::RotationOverdue);
        } else if self.rotation_notice.is_some_and(|notice| notice <= now) {
            warnings.push(KeyWarning::RotationDueSoon);
        }
        warnings
    }

    /// Everything there is to do, with its time. Of what notice was given before there is none to give.
    fn acts(&self, noticed: &Noticed) -> impl Iterator<Item = (DateTime<Utc>, KeyAct)> {
        let notice = |at: Option<DateTime<Utc>>, warning, about: Option<DateTime<Utc>>| {
            let (at, about) = at.zip(about)?;
            (noticed.get(&warning) != Some(&about)).then_some((at, KeyAct::Notice(warning, about)))
        };
        let (idle, expiry) = (self.idle, self.expiry);
        let disable = |at: Option<DateTime<Utc>>, reason| at.map(|at| (at, KeyAct::Disable(reason)));
        [
            disable(self.overdue_ends, DisabledReason::RotationOverdue),
            disable(idle.map(|idle| idle.ends), DisabledReason::Idle),
            notice(
                idle.map(|idle| idle.notice),
                KeyWarning::IdleSoon,
                idle.map(|idle| idle.ends),
            ),
            notice(
                expiry.map(|expiry| expiry.notice),
                KeyWarning::ExpiresSoon,
                expiry.map(|expiry| expiry.ends),
            ),
            notice(self.rotation_due, KeyWarning::RotationOverdue, self.rotation_due),
            notice(self.rotation_notice, KeyWarning::RotationDueSoon, self.rotation_due),
        ]
        .into_iter()
        .flatten()
    }
}

/// What is due about a key, the gravest first.
pub(super) fn due(row: &Model, now: DateTime<Utc>) -> Result<Option<KeyAct>, DbErr> {
    let mut acts = planned(row)?.into_iter();
    Ok(acts.find(|(at, _)| *at <= now).map(|(_, act)| act))
}

/// The row with the time at which it is to be looked at again.
pub(super) fn scheduled(mut row: Model) -> Result<Model, DbErr> {
    row.next_look_at = planned(&row)?.into_iter().map(|(at, _)| stored::time(at)).min();
    Ok(row)
}

pub(super) fn noticed(row: &Model) -> Result<Noticed, DbErr> {
    let noticed = row.noticed.as_ref();
    let read = noticed.map(|text| stored::json("noticed", text)).transpose()?;
    Ok(read.unwrap_or_default())
}

/// Nothing is planned for a key that does not work.
fn planned(row: &Model) -> Result<Vec<(DateTime<Utc>, KeyAct)>, DbErr> {
    if row.revoked_at.is_some() || row.disabled_at.is_some() {
        return Ok(Vec::new());
    }
    let timing = Timing::of(row, &Settings::of(row)?.upkeep);
    let noticed = noticed(row)?;
    let acts = timing.acts(&noticed);
    // What happens after it has expired happens to nobody.
    let acts = acts.filter(|(at, _)| row.expires_at.is_none_or(|end| *at < end));
    Ok(acts.collect())
}

fn notice_before(whole: TimeDelta) -> TimeDelta {
    (whole / NOTICE_PART).min(LONGEST_NOTICE)
}

fn delta(duration: HumanDuration) -> TimeDelta {
    TimeDelta::from_std(duration.get()).unwrap_or(TimeDelta::MAX)
}

fn later(at: DateTime<Utc>, by: TimeDelta) -> DateTime<Utc> {
    at.checked_add_signed(by).unwrap_or(DateTime::<Utc>::MAX_UTC)
}
