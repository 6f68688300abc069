//! The cheapest real call to a provider, to tell whether a credential works.

use std::sync::Arc;
use std::time::Duration;

use chrono::Utc;
use gatewright_contract::{BaseUrl, NetworkUnit, Secret};
use gatewright_llm::{FailureKind, classify};
use gatewright_types::api::{ProviderKind, SelfTest, SelfTestOutcome};
use gatewright_types::{CredentialId, ProviderId};
use http::header::USER_AGENT;
use tokio::time::Instant;

use super::sending::send;
use super::ways::Whose;
use super::{AGENT, Upstream, credentials, failure, read_body};

const CONNECT: Duration = Duration::from_secs(5);
const DEADLINE: Duration = Duration::from_secs(10);
const LARGEST_ANSWER_BYTES: usize = 8 << 20;

/// What is to be tried out.
#[derive(Debug)]
pub struct Trial<'a> {
    pub provider: ProviderId,
    pub kind: ProviderKind,
    pub base_url: &'a BaseUrl,
    /// Absent where the provider is called straight.
    pub network: Option<&'a Arc<NetworkUnit>>,
    pub credential: Option<(CredentialId, &'a Secret)>,
}

impl Upstream {
    /// Lists the provider's models with the credential.
    pub async fn self_test(&self, trial: Trial<'_>) -> SelfTest {
        let started = Instant::now();
        let finding = tokio::time::timeout(DEADLINE, self.list_models(&trial))
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
            credential: trial.credential.map(|(id, _)| id),
            outcome,
            status,
            message,
            duration_ms,
        }
    }

    async fn list_models(&self, trial: &Trial<'_>) -> Finding {
        let Trial { kind, base_url, .. } = *trial;
        let unreachable = |message: String| Finding {
            outcome: SelfTestOutcome::Unreachable,
            status: None,
            message,
        };
        let ways = &self.shared.ways;
        if let Err(error) = ways.egress().check(base_url) {
            return unreachable(format!("the address {error}"));
        }
        let address = list_of_models(kind, base_url);
        let whose = trial.network.map(|network| Whose {
            provider: trial.provider,
            network,
        });
        let way = match ways.way(whose, CONNECT) {
            Ok(way) => way,
            Err(error) => return unreachable(error.message),
        };
        if let Ok(url) = address.parse()
            && let Err(error) = way.check(ways.egress(), &url).await
        {
            return unreachable(error.message);
        }
        let mut request = way.client.get(address).header(USER_AGENT, AGENT);
        if kind == ProviderKind::Anthropic {
            request = request.header("anthropic-version", "2023-06-01");
        }
        if let Some((_, secret)) = trial.credential {
            match credentials::shown(kind, secret.expose()) {
                Ok((name, value)) => request = request.header(name, value),
                Err(error) => return unreachable(error.to_string()),
            }
        }
        let response = match send(request).await {
            Ok(response) => response,
            Err(error) => return unreachable(failure(&error).message),
        };
        let status = response.status().as_u16();
        if let Some(refused) = way.refused_by_proxy(status) {
            return unreachable(refused.message);
        }
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
pub(super) fn list_of_models(kind: ProviderKind, base_url: &BaseUrl) -> String {
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
