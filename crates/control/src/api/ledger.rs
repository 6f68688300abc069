//! The ledger: whether it agrees with everything that is derived from it.

use gatewright_types::api::{LedgerVerification, LedgerVerificationQuery};

use crate::access::Call;
use crate::endpoint::{Json, Query};
use crate::error::ApiError;
use crate::ledger::verification::compare_counters;

pub(crate) async fn verification(
    call: Call,
    Query(query): Query<LedgerVerificationQuery>,
) -> Result<Json<LedgerVerification>, ApiError> {
    if let (Some(from), Some(to)) = (query.from, query.to)
        && to <= from
    {
        return Err(ApiError::field("to", &"must be after from"));
    }
    let (control, organization) = (&call.control, call.organization.id);
    let mut verification = control.db.verify_ledger(organization, &query).await?;
    // Windows of now are no part of a time that is over.
    if query.to.is_none() {
        compare_counters(&call.scope(), &control.counters, organization, &mut verification).await?;
    }
    Ok(Json(verification))
}
