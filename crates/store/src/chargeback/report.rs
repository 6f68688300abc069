//! A month's report: what each bears, the dearest first, in pages.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use gatewright_types::api::{
    Chargeback, ChargebackBy, ChargebackKind, ChargebackQuery, ChargebackRow, ChargebackSums, Organization,
};
use gatewright_types::{Money, Nanos, PageQuery};
use serde::{Deserialize, Serialize};

use super::allocation::{Bearer, allocated};
use super::entries::Entries;
use super::groups::{Group, Split, Sums, groups};
use super::lock;
use crate::error::ListError;
use crate::scope::Scope;
use crate::stored;
use crate::usage_parts;

/// Where a row stands: the dearest first.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
struct Place {
    less_nanos: i64,
    kind: u8,
    subject: Option<String>,
}

impl Scope<'_> {
    /// Of a month that is locked, by what was kept; else by the rows there are. `organization` is this scope's.
    pub async fn chargeback(
        &self,
        organization: &Organization,
        query: &ChargebackQuery,
    ) -> Result<Chargeback, ListError> {
        let after = query.cursor.as_deref().map(parse).transpose()?;
        let split = Split {
            by: query.by,
            tag: query.tag.as_ref().filter(|_| query.by == ChargebackBy::Tag),
        };
        let lock = lock::of_month(&self.connection, self.id, query.month).await?;
        let (groups, shared_cost, missing_before) = match &lock {
            Some(lock) => {
                let kept = lock::groups(&self.connection, self.id, query.month, split).await?;
                (kept, lock.shared_cost, None)
            }
            None => {
                let entries = Entries::all(self.id, query.month);
                let added_up = groups(&self.connection, &entries, split).await?;
                let since = usage_parts::usage_from(&self.connection).await?;
                let missing = since.filter(|since| *since > query.month.start());
                (added_up, organization.shared_cost, missing)
            }
        };
        let bearers: Vec<_> = groups.iter().map(bearer).collect();
        let shares = allocated(shared_cost, &bearers);
        let mut sums = Sums::default();
        groups.iter().for_each(|group| sums.add(&group.sums));
        let mut rows: Vec<_> = groups.into_iter().zip(shares).map(row).collect();
        rows.sort_by_cached_key(place);
        if let Some(after) = after {
            rows.retain(|row| place(row) > after);
        }
        let size = usize::from(page_size(query));
        let more = rows.len() > size;
        rows.truncate(size);
        Ok(Chargeback {
            month: query.month,
            from: query.month.start(),
            to: query.month.end(),
            by: query.by,
            tag: query.tag.clone(),
            shared_cost,
            lock: lock.map(|lock| lock.told),
            missing_before,
            sums: told(&sums, 0),
            next_cursor: rows
                .last()
                .filter(|_| more)
                .map(|row| URL_SAFE_NO_PAD.encode(stored::to_json(&place(row)))),
            items: rows,
        })
    }
}

fn page_size(query: &ChargebackQuery) -> u16 {
    PageQuery {
        limit: query.limit,
        cursor: None,
    }
    .size()
}

fn bearer(group: &Group) -> Bearer {
    Bearer {
        kind: group.kind,
        subjects: stored::count(group.subjects),
        direct: group.sums.cost_nanos,
    }
}

fn row((group, share): (Group, i64)) -> ChargebackRow {
    ChargebackRow {
        kind: group.kind,
        subject: group.subject,
        name: group.name,
        sums: told(&group.sums, share),
    }
}

fn told(sums: &Sums, share: i64) -> ChargebackSums {
    let (direct, shared) = (Nanos::new(sums.cost_nanos), Nanos::new(share));
    ChargebackSums {
        requests: stored::count(sums.requests),
        unpriced: stored::count(sums.unpriced),
        input_tokens: stored::count(sums.input_tokens),
        output_tokens: stored::count(sums.output_tokens),
        direct: Money::from(direct),
        shared: Money::from(shared),
        total: Money::from(direct.saturating_add(shared)),
    }
}

fn place(row: &ChargebackRow) -> Place {
    let kind = ChargebackKind::ALL.iter().position(|kind| *kind == row.kind);
    Place {
        less_nanos: row.sums.total.amount.get().saturating_neg(),
        kind: kind.and_then(|at| u8::try_from(at).ok()).unwrap_or(u8::MAX),
        subject: row.subject.clone(),
    }
}

fn parse(cursor: &str) -> Result<Place, ListError> {
    let bytes = URL_SAFE_NO_PAD.decode(cursor).map_err(|_| ListError::BadCursor)?;
    serde_json::from_slice(&bytes).map_err(|_| ListError::BadCursor)
}
