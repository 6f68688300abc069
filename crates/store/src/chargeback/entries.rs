//! The entries of the ledger that count in a month: requests that began in it, but for those that came in after it was
//! locked, and those of earlier, locked months that came in meanwhile.

use chrono::{DateTime, Days, NaiveDate, Utc};
use gatewright_types::{Month, OrganizationId};
use sea_orm::{DbBackend, Value};

use crate::adjustments::{adjusted_cost_or_null, adjusted_lines};
use crate::usage::{MINTED_WITHIN, first_id_of};

/// Which of them are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    All,
    /// Those that began on a day.
    Day(NaiveDate),
    /// Those that came in after their month was locked.
    Late,
}

/// A part of a month's entries, as a query and its first parameters.
#[derive(Debug, Clone, Copy)]
pub(super) struct Entries {
    pub(super) organization: OrganizationId,
    pub(super) month: Month,
    pub(super) part: Part,
}

/// After the parameters of entries.
pub(super) const NEXT_PARAMETER: usize = 7;

const COLUMNS: &str = r#"usage.started_at, usage."key", usage.team, usage.owner, usage.end_user, usage.tags, usage.provider,
    usage.upstream_model"#;

impl Entries {
    pub(super) const fn all(organization: OrganizationId, month: Month) -> Self {
        Self {
            organization,
            month,
            part: Part::All,
        }
    }

    /// `?1` is the organization, `?6` the month; between them is the time.
    pub(super) fn parameters(&self) -> Vec<Value> {
        let (from, to) = self.span();
        vec![
            self.organization.uuid().into(),
            first_id_of(from - MINTED_WITHIN).into(),
            first_id_of(to + MINTED_WITHIN).into(),
            from.into(),
            to.into(),
            self.month.to_string().into(),
        ]
    }

    /// A query that gives an entry a row.
    pub(super) fn sql(&self) -> String {
        // With what was added to them since.
        let (lines, cost) = (adjusted_lines("usage"), adjusted_cost_or_null("usage"));
        let counted = format!(
            "{COLUMNS}, {lines} AS lines, {cost} AS cost_nanos, usage.input_tokens, usage.output_tokens, 1 AS requests, \
             CASE WHEN usage.provider IS NOT NULL AND {cost} IS NULL THEN 1 ELSE 0 END AS unpriced"
        );
        // All parameters stand in both: PostgreSQL takes none whose type nothing tells.
        let in_time = "usage.organization = ?1 AND usage.id >= ?2 AND usage.id < ?3 AND usage.started_at >= ?4 \
             AND usage.started_at < ?5";
        let own = format!(
            "SELECT {counted}, 0 AS correction FROM usage WHERE {in_time} AND NOT EXISTS (\
             SELECT 1 FROM usage_late WHERE usage_late.organization = ?1 AND usage_late.request = usage.id \
             AND usage_late.counted_in <> ?6)"
        );
        let late = format!(
            "SELECT {counted}, 1 AS correction FROM usage_late \
             JOIN usage ON usage.organization = usage_late.organization AND usage.id = usage_late.request \
             WHERE usage_late.organization = ?1 AND usage_late.counted_in = ?6"
        );
        match self.part {
            Part::All => format!("{own} UNION ALL {late}"),
            Part::Day(_) => own,
            Part::Late => format!("{late} UNION ALL SELECT {counted}, 0 FROM usage WHERE {in_time} AND 1 = 0"),
        }
    }

    fn span(&self) -> (DateTime<Utc>, DateTime<Utc>) {
        match self.part {
            Part::All | Part::Late => (self.month.start(), self.month.end()),
            Part::Day(day) => (midnight(day), midnight(day + Days::new(1))),
        }
    }
}

fn midnight(day: NaiveDate) -> DateTime<Utc> {
    day.and_hms_opt(0, 0, 0).unwrap_or_default().and_utc()
}

/// The text of an identifier as the API has it, from a column with its number.
pub(super) fn id_text(backend: DbBackend, prefix: &str, column: &str) -> String {
    let digits = match backend {
        DbBackend::Postgres => format!("replace(CAST({column} AS text), '-', '')"),
        _ => format!("lower(hex({column}))"),
    };
    // To SQLite the digits of nothing are the empty text.
    format!("CASE WHEN {column} IS NOT NULL THEN '{prefix}_' || {digits} END")
}

/// Where an entry is charged to, of tables that are joined by `JOINS`.
pub(super) const COST_CENTRE: &str =
    r#"COALESCE("key".cost_centre, team.cost_centre, service_account.cost_centre, organization.cost_centre)"#;

/// What is known of the holders of `spent`.
pub(super) const JOINS: &str = r#"LEFT JOIN "key" ON "key".id = spent."key" AND "key".organization = ?1
    LEFT JOIN team ON team.id = spent.team AND team.organization = ?1
    LEFT JOIN service_account ON service_account.id = "key".service_account AND service_account.organization = ?1
    LEFT JOIN organization ON organization.id = ?1"#;
