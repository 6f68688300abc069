//! What is kept of one response, in the form in which it is sealed.

use gatewright_contract::UsageRecord;
use gatewright_coord::ResponseId;
use gatewright_llm::chat::Json;
use gatewright_llm::dialect::openai_responses::stored::output_items;
use gatewright_types::{CredentialId, ModelId, ProviderId, UpstreamModel};
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Entry {
    AtProvider(AtProvider),
    Here(Transcript),
}

/// Who made a response and keeps it, under the same identifier.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct AtProvider {
    /// What the caller asked for.
    pub(crate) model: ModelId,
    pub(crate) provider: ProviderId,
    pub(crate) upstream_model: UpstreamModel,
    pub(crate) credential: Option<CredentialId>,
    /// The record of what it uses, of a response that was not there yet when it was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) unbilled: Option<Box<UsageRecord>>,
}

/// One request and its response, of a provider that keeps none.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Transcript {
    /// The responses before this one, the first one first.
    pub(crate) earlier: Vec<ResponseId>,
    pub(crate) input: Vec<Json>,
    /// As the caller got it.
    pub(crate) response: Json,
}

impl Transcript {
    /// What a later request is told of it.
    pub(crate) fn items(self) -> impl Iterator<Item = Json> {
        let output = output_items(self.response.text().as_bytes());
        self.input.into_iter().chain(output)
    }
}
