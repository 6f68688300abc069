//! Chargeback: months' reports, their charges as FOCUS, and the lock that keeps a month as it is.

use std::error::Error as _;

use bytes::Bytes;
use futures_util::stream;
use gatewright_types::api::{
    Chargeback, ChargebackBy, ChargebackLock, ChargebackMonth, ChargebackMonthQuery, ChargebackQuery, ChargebackUnlock,
};
use gatewright_types::{Month, Page, PageQuery};
use serde_json::json;

use super::reason::check_reason;
use crate::access::Call;
use crate::endpoint::{Created, Csv, Json, NoContent, Path, Query};
use crate::error::ApiError;
use crate::focus::{Focus, header};

pub(crate) async fn report(call: Call, Query(query): Query<ChargebackQuery>) -> Result<Json<Chargeback>, ApiError> {
    match (query.by, &query.tag) {
        (ChargebackBy::Tag, None) => return Err(ApiError::field("tag", &"is required with by=tag")),
        (ChargebackBy::Tag, Some(_)) | (_, None) => {}
        (_, Some(_)) => return Err(ApiError::field("tag", &"is for by=tag only")),
    }
    Ok(Json(call.scope().chargeback(&call.organization, &query).await?))
}

pub(crate) async fn months(
    call: Call,
    Query(query): Query<PageQuery>,
) -> Result<Json<Page<ChargebackMonth>>, ApiError> {
    Ok(Json(call.scope().chargeback_months(&query).await?))
}

/// Streamed: no more than a day is held at a time.
pub(crate) async fn focus(call: Call, Query(query): Query<ChargebackMonthQuery>) -> Result<Csv, ApiError> {
    let parts = call.scope().charge_parts(query.month).await?;
    let name = format!("focus-{}-{}.csv", call.organization.slug, query.month);
    let focus = Focus::of(call.control, call.organization, query.month, parts);
    let rows = stream::try_unfold(focus, |mut focus| async {
        match focus.next().await {
            Ok(text) => Ok(text.map(|text| (Bytes::from(text), focus))),
            Err(error) => {
                let cause = error.source().map(ToString::to_string);
                tracing::error!(error = %error, cause, "a month's charges could not be read to their end");
                Err(error)
            }
        }
    });
    Ok(Csv::new(name, header(), rows))
}

pub(crate) async fn lock(call: Call, Path(month): Path<Month>) -> Result<Created<ChargebackLock>, ApiError> {
    let organization = &call.organization;
    call.control.db.prepare_lock(organization.id, month).await?;
    let audited = call.change(
        "chargeback.lock",
        month,
        json!({"shared_cost": organization.shared_cost}),
    );
    let locked = call.write(audited, async |tx| tx.lock_month(organization, month).await);
    Ok(Created(locked.await?))
}

pub(crate) async fn unlock(
    call: Call,
    Path(month): Path<Month>,
    Query(unlock): Query<ChargebackUnlock>,
) -> Result<NoContent, ApiError> {
    let reason = unlock.reason.trim();
    check_reason(reason)?;
    let organization = call.organization.id;
    let audited = call.change("chargeback.unlock", month, json!({"reason": reason}));
    call.write(audited, async |tx| tx.unlock_month(organization, month).await)
        .await?;
    Ok(NoContent)
}
