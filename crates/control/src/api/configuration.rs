//! The configuration file by API: export, plan, apply. What it means is in the configuration module.

use gatewright_types::api::{ApplyReport, Document};

use crate::access::Call;
use crate::configuration;
use crate::endpoint::Json;
use crate::error::ApiError;

pub(crate) async fn export(call: Call) -> Result<Json<Document>, ApiError> {
    let keyring = &call.control.keyring;
    configuration::export(&call.scope(), &call.organization, keyring)
        .await
        .map(Json)
}

pub(crate) async fn plan(call: Call, Json(document): Json<Document>) -> Result<Json<ApplyReport>, ApiError> {
    configuration::plan(&call, &document).await.map(Json)
}

pub(crate) async fn apply(call: Call, Json(document): Json<Document>) -> Result<Json<ApplyReport>, ApiError> {
    configuration::apply(&call, &document).await.map(Json)
}
