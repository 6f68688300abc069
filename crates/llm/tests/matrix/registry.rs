//! The matrix leaves nothing out: whatever the registry of providers speaks is one of its columns.

use gatewright_llm::{Endpoint, spoken};
use gatewright_types::api::{BedrockApi, ProviderKind};

use crate::callers::Caller;
use crate::enveloped::{CALLER, Cloud};
use crate::providers::Provider;

/// The column that stands for an address; none for those that only take their own dialect's requests as they are.
fn column(endpoint: Endpoint) -> Option<Provider> {
    match endpoint {
        Endpoint::ChatCompletions => Some(Provider::Openai),
        Endpoint::Responses => Some(Provider::Responses),
        Endpoint::Messages | Endpoint::RawPredict => Some(Provider::Anthropic),
        Endpoint::GenerateContent => Some(Provider::Gemini),
        Endpoint::CohereChat => Some(Provider::Cohere),
        Endpoint::Converse => Some(Provider::Bedrock),
        Endpoint::InvokeModel => Some(Provider::Invoke),
        Endpoint::Completions
        | Endpoint::Embeddings
        | Endpoint::EmbedContent
        | Endpoint::BatchEmbedContents
        | Endpoint::Predict
        | Endpoint::CohereEmbed
        | Endpoint::CountMessages
        | Endpoint::CountRawPredict
        | Endpoint::CountTokens => None,
    }
}

#[test]
fn every_kind_of_provider_speaks_a_dialect_of_the_matrix() {
    for kind in ProviderKind::ALL {
        for caller in Caller::all() {
            let models = [Provider::Bedrock, Provider::Anthropic].map(Provider::model);
            let ways = [BedrockApi::Converse, BedrockApi::Invoke].map(|api| models.map(|model| (api, model)));
            for (api, model) in ways.into_iter().flatten() {
                let spoken = spoken(kind, api, caller.0, model).expect("an answer to every conversation");
                assert!(
                    spoken.outbound.is_none() || column(spoken.endpoint).is_some(),
                    "{kind:?} {caller:?} goes to {:?}, which no column stands for",
                    spoken.endpoint
                );
                let Some(enveloped) = spoken.enveloped else { continue };
                assert!(
                    caller == CALLER && Cloud::of(enveloped.envelope).is_some(),
                    "{kind:?} {caller:?} goes to {:?}, which no column stands for",
                    enveloped.endpoint
                );
            }
        }
    }
}
