//! Where an endpoint is at a provider. Below its base for most; Azure and Vertex have rules of their own.

use gatewright_contract::{BaseUrl, Provider};
use gatewright_llm::{Endpoint, Failure, FailureKind, path_segment};
use gatewright_types::api::ProviderKind;
use url::Url;

use crate::call::failure_of;

/// The address of a call; `model` is its name at the provider.
pub(crate) fn address(
    provider: &Provider,
    base_url: &BaseUrl,
    endpoint: Endpoint,
    model: &str,
    stream: bool,
) -> Result<Url, Failure> {
    let path = || endpoint.path(model, stream);
    let path = match provider.kind {
        ProviderKind::Azure => at_azure(provider, base_url, endpoint, model, &path()),
        ProviderKind::Vertex => at_vertex(provider, endpoint, &path()),
        // Ready made, for what is asked for most.
        _ if endpoint == Endpoint::ChatCompletions => return Ok(base_url.chat_completions().clone()),
        _ => path(),
    };
    Url::parse(&base_url.join(&path))
        .map_err(|error| failure_of(FailureKind::NotFound, format!("its address is none: {error}")))
}

/// With an API version the classic addresses, which name the deployment; without one those of version 1.
fn at_azure(provider: &Provider, base_url: &BaseUrl, endpoint: Endpoint, deployment: &str, path: &str) -> String {
    let Some(version) = &provider.settings.api_version else {
        let there = base_url.as_str().ends_with("/openai/v1");
        return if there {
            path.to_owned()
        } else {
            format!("openai/v1/{path}")
        };
    };
    match endpoint {
        Endpoint::ChatCompletions | Endpoint::Completions | Endpoint::Embeddings => {
            let deployment = path_segment(deployment);
            format!("openai/deployments/{deployment}/{path}?api-version={version}")
        }
        Endpoint::Responses
        | Endpoint::Messages
        | Endpoint::GenerateContent
        | Endpoint::RawPredict
        | Endpoint::CohereChat
        | Endpoint::Converse
        | Endpoint::EmbedContent
        | Endpoint::BatchEmbedContents
        | Endpoint::Predict
        | Endpoint::CohereEmbed
        | Endpoint::InvokeModel
        | Endpoint::CountMessages
        | Endpoint::CountRawPredict
        | Endpoint::CountTokens => format!("openai/{path}?api-version={version}"),
    }
}

fn at_vertex(provider: &Provider, endpoint: Endpoint, path: &str) -> String {
    let publisher = match endpoint {
        Endpoint::RawPredict | Endpoint::CountRawPredict => "anthropic",
        Endpoint::ChatCompletions
        | Endpoint::Responses
        | Endpoint::Completions
        | Endpoint::Embeddings
        | Endpoint::Messages
        | Endpoint::GenerateContent
        | Endpoint::CohereChat
        | Endpoint::Converse
        | Endpoint::EmbedContent
        | Endpoint::BatchEmbedContents
        | Endpoint::Predict
        | Endpoint::CohereEmbed
        | Endpoint::InvokeModel
        | Endpoint::CountMessages
        | Endpoint::CountTokens => "google",
    };
    match (&provider.settings.project, &provider.settings.region) {
        (Some(project), Some(region)) => {
            format!("v1/projects/{project}/locations/{region}/publishers/{publisher}/{path}")
        }
        // With an API key alone.
        _ => format!("v1/publishers/{publisher}/{path}"),
    }
}

#[cfg(test)]
mod tests {
    use gatewright_types::ProviderId;
    use gatewright_types::api::ProviderSettings;

    use super::*;

    fn check(kind: ProviderKind, base: &str, settings: &str, endpoint: Endpoint, expected: &str) {
        assert_eq!(called(kind, base, settings, endpoint, "m/1").as_str(), expected);
    }

    fn called(kind: ProviderKind, base: &str, settings: &str, endpoint: Endpoint, model: &str) -> Url {
        let base_url: BaseUrl = base.parse().expect("an address");
        let settings: ProviderSettings = serde_json::from_str(settings).expect("settings");
        let provider = Provider {
            id: ProviderId::mint(),
            name: "p".parse().expect("a name"),
            kind,
            base_url: Some(base_url.clone()),
            settings,
            network: None,
            credentials: Vec::new(),
        };

        address(&provider, &base_url, endpoint, model, true).expect("an address")
    }

    #[test]
    fn whatever_a_model_is_called_it_is_one_segment_of_the_address() {
        let vertex = r#"{"project": "acme-prod", "region": "europe-west4"}"#;
        let azure = r#"{"api_version": "2024-10-21"}"#;
        let places = [
            (
                ProviderKind::Gemini,
                "https://g.example/v1beta",
                "{}",
                Endpoint::GenerateContent,
            ),
            (ProviderKind::Vertex, "https://v.example", vertex, Endpoint::RawPredict),
            (ProviderKind::Bedrock, "https://b.example", "{}", Endpoint::Converse),
            (
                ProviderKind::Azure,
                "https://a.example",
                azure,
                Endpoint::ChatCompletions,
            ),
        ];
        let names = [
            "..",
            ".",
            "../../admin",
            "a/../b",
            "%2e%2e",
            "%2E%2E%2Fadmin",
            "a%2Fb",
            "a b",
            "a?key=1",
            "a#b",
            "a\\..\\b",
            "//evil.example/x",
            "https://evil.example/",
            "a;b=c",
            "a\r\nhost: evil.example",
            "arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.m-v1:0",
        ];
        for (kind, base, settings, endpoint) in places {
            let plain = called(kind, base, settings, endpoint, "model");
            let around = |url: &Url| {
                let segments: Vec<_> = url.path_segments().expect("it has a path").map(str::to_owned).collect();
                let others: Vec<_> = segments
                    .iter()
                    .zip(plain.path_segments().expect("it has a path"))
                    .filter(|(_, plain)| !plain.contains("model") || *plain == "models")
                    .map(|(segment, _)| segment.clone())
                    .collect();
                (
                    segments.len(),
                    others,
                    url.host_str().map(str::to_owned),
                    url.query().map(str::to_owned),
                )
            };
            for name in names {
                let url = called(kind, base, settings, endpoint, name);
                assert_eq!(around(&url), around(&plain), "{kind:?} {name:?}: {url}");
                assert_eq!(url.fragment(), None, "{kind:?} {name:?}");
            }
        }
    }

    #[test]
    fn each_kind_has_its_addresses() {
        check(
            ProviderKind::Openai,
            "https://api.openai.com/v1",
            "{}",
            Endpoint::Responses,
            "https://api.openai.com/v1/responses",
        );
        check(
            ProviderKind::Azure,
            "https://r.openai.azure.com",
            r#"{"api_version": "2024-10-21"}"#,
            Endpoint::ChatCompletions,
            "https://r.openai.azure.com/openai/deployments/m%2F1/chat/completions?api-version=2024-10-21",
        );
        for base in ["https://r.openai.azure.com", "https://r.openai.azure.com/openai/v1"] {
            check(
                ProviderKind::Azure,
                base,
                "{}",
                Endpoint::ChatCompletions,
                "https://r.openai.azure.com/openai/v1/chat/completions",
            );
        }
        let there = r#"{"project": "acme-prod", "region": "europe-west4"}"#;
        let base = "https://europe-west4-aiplatform.googleapis.com";
        let at = "/v1/projects/acme-prod/locations/europe-west4/publishers";
        check(
            ProviderKind::Vertex,
            base,
            there,
            Endpoint::GenerateContent,
            &format!("{base}{at}/google/models/m%2F1:streamGenerateContent?alt=sse"),
        );
        check(
            ProviderKind::Vertex,
            base,
            there,
            Endpoint::RawPredict,
            &format!("{base}{at}/anthropic/models/m%2F1:streamRawPredict"),
        );
    }
}
