//! The schedule by which the installation fetches newer catalogues by itself.

use std::time::Duration;

use gatewright_contract::{AddressPolicy, BaseUrl, DestinationError};
use gatewright_types::api::{CatalogSchedule, NewCatalogSchedule};
use serde_json::json;
use url::Url;

use crate::access::Call;
use crate::control::ControlSettings;
use crate::endpoint::{Json, NoContent};
use crate::error::{ApiError, Fields};

const TARGET: &str = "catalogue";
const SHORTEST: Duration = Duration::from_secs(5 * 60);
const LONGEST: Duration = Duration::from_secs(30 * 24 * 60 * 60);

pub(crate) async fn read(call: Call) -> Result<Json<CatalogSchedule>, ApiError> {
    Ok(Json(call.control.db.system().catalog_schedule().await?))
}

/// Replaces the one there is. A try is made at once, also when nothing is different.
pub(crate) async fn set(call: Call, Json(new): Json<NewCatalogSchedule>) -> Result<Json<CatalogSchedule>, ApiError> {
    check(&new, &call.control.settings)?;
    let audited = call.change("catalog.schedule", TARGET, json!(new));
    let set = call
        .write(audited, async |tx| tx.set_catalog_schedule(&new).await)
        .await?;
    Ok(Json(set))
}

pub(crate) async fn remove(call: Call) -> Result<NoContent, ApiError> {
    let audited = call.change("catalog.unschedule", TARGET, json!({}));
    call.write(audited, async |tx| tx.remove_catalog_schedule().await)
        .await?;
    Ok(NoContent)
}

/// What can be known before the first try; the fetch checks addresses again.
fn check(new: &NewCatalogSchedule, settings: &ControlSettings) -> Result<(), ApiError> {
    let mut fields = Fields::new();
    if let Err(problem) = check_address(&new.url, settings.egress.addresses) {
        fields.insert("url".to_owned(), problem);
    } else if settings.catalog_keys.is_empty() {
        let problem = "could not be believed: the installation has no key for catalogues (GATEWRIGHT_CATALOG_KEY)";
        fields.insert("url".to_owned(), problem.to_owned());
    }
    if !(SHORTEST..=LONGEST).contains(&new.every.get()) {
        fields.insert("every".to_owned(), "must be from 5m to 30d".to_owned());
    }
    if fields.is_empty() {
        Ok(())
    } else {
        Err(ApiError::Invalid(fields))
    }
}

fn check_address(text: &str, policy: AddressPolicy) -> Result<(), String> {
    let mut place = Url::parse(text).map_err(|_| "must be an absolute https URL".to_owned())?;
    place.set_query(None);
    let place: BaseUrl = place
        .as_str()
        .parse()
        .map_err(|error: DestinationError| error.to_string())?;
    place.check(policy).map_err(|error| error.to_string())
}
