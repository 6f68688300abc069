//! The cheapest real call to a provider, to tell whether a credential works.

use std::time::Duration;

use chrono::Utc;
use gatewright_contract::{BaseUrl, Secret};
use gatewright_llm::{FailureKind, classify};
use gatewright_types::CredentialId;
use gatewright_types::api::{ProviderKind, SelfTest, SelfTestOutcome};
use http::header::USER_AGENT;
use tokio::time::Instant;

use super::{AGENT, Upstream, credentials, failure, read_body};

const DEADLINE: Duration = Duration::from_secs(10);
const LARGEST_ANSWER_BYTES: usize = 8 << 20;

impl Upstream {
    /// Lists the provider's models with the credential.
    pub async fn self_test(
        &self,
        kind: ProviderKind,
        credential: Option<CredentialId>,
        base_url: &BaseUrl,
        secret: Option<&Secret>,
    ) -> SelfTest {
        let started = Instant::now();
        let finding = tokio::time::timeout(DEADLINE, self.list_models(kind, base_url, secret))
            .await
            .unwrap_or_else(|_| Finding {
                outcome: SelfTestOutcome::Unreachable,
                status: None,
                message: format!("no answer within {} seconds", DEADLINE.as_secs()),
            });
        let duration_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
        let Finding {
            outcome,
            status,
            message,
        } = finding;
        SelfTest {
            credential,
            outcome,
            status,
            message,
            duration_ms,
        }
    }

    async fn list_models(&self, kind: ProviderKind, base_url: &BaseUrl, secret: Option<&Secret>) -> Finding {
        let unreachable = |message: String| Finding {
            outcome: SelfTestOutcome::Unreachable,
            status: None,
            message,
        };
        if let Err(error) = base_url.check(self.shared.policy) {
            return unreachable(format!("the address {error}"));
        }
        let client = match self.client(Duration::from_secs(5)) {
            Ok(client) => client,
            Err(error) => return unreachable(error.message),
        };
        let mut request = client.get(list_of_models(kind, base_url)).header(USER_AGENT, AGENT);
        if kind == ProviderKind::Anthropic {
            request = request.header("anthropic-version", "2023-06-01");
        }
        if let Some(secret) = secret {
            match credentials::shown(kind, secret.expose()) {
                Ok((name, value)) => request = request.header(name, value),
                Err(error) => return unreachable(error.to_string()),
            }
        }
        let response = match request.send().await {
            Ok(response) => response,
            Err(error) => return unreachable(failure(&error).message),
        };
        let status = response.status().as_u16();
        let headers = response.headers().clone();
        match read_body(response, LARGEST_ANSWER_BYTES).await {
            Ok(body) if status == 200 => judge_models(&body),
            Ok(body) => {
                let told = classify(status, &headers, &body, Utc::now());
                let outcome = match told.kind {
                    FailureKind::Credential => SelfTestOutcome::Refused,
                    FailureKind::RateLimited
                    | FailureKind::BadRequest
                    | FailureKind::NotFound
                    | FailureKind::Overloaded
                    | FailureKind::Server
                    | FailureKind::Timeout
                    | FailureKind::Connection
                    | FailureKind::Malformed
                    | FailureKind::ErrorEvent => SelfTestOutcome::Unexpected,
                };
                Finding {
                    outcome,
                    status: Some(status),
                    message: told.message,
                }
            }
            Err(error) => Finding {
                outcome: SelfTestOutcome::Unexpected,
                status: Some(status),
                message: error.message,
            },
        }
    }
}

struct Finding {
    outcome: SelfTestOutcome,
    status: Option<u16>,
    message: String,
}

/// Cohere lists its models where its first interface was.
fn list_of_models(kind: ProviderKind, base_url: &BaseUrl) -> String {
    match (kind, base_url.as_str().strip_suffix("/v2")) {
        (ProviderKind::Cohere, Some(host)) => format!("{host}/v1/models"),
        _ => base_url.join("models"),
    }
}

fn judge_models(body: &[u8]) -> Finding {
    #[derive(serde::Deserialize)]
    struct Listed {
        #[serde(alias = "models")]
        data: Vec<serde::de::IgnoredAny>,
    }
    match serde_json::from_slice::<Listed>(body) {
        Ok(listed) => Finding {
            outcome: SelfTestOutcome::Works,
            status: Some(200),
            message: format!("the provider lists {} models", listed.data.len()),
        },
        Err(_) => Finding {
            outcome: SelfTestOutcome::Unexpected,
            status: Some(200),
            message: "the answer is no list of models: does the address end in /v1?".to_owned(),
        },
    }
}
