//! Every way a request can end without an answer, with what each means to the caller. The dialect renders it.

mod file;
mod upstream;

use std::borrow::Cow;
use std::net::IpAddr;
use std::time::Duration;

pub(crate) use file::{FileProblem, FileRefusal};
use gatewright_contract::Barred;
use gatewright_llm::dialect::ErrorFacts;
use gatewright_llm::{BadRequest, Tokens};
use gatewright_routing::Unroutable;
use gatewright_types::RequestId;
use gatewright_types::api::{DisabledReason, KeyEndpoint, Outcome};
pub(crate) use upstream::UpstreamRefusal;

use crate::limits::Over;

/// Why there is no answer.
#[derive(Debug, Clone)]
pub(crate) enum Refusal {
    MissingCredential,
    InvalidApiKey,
    KeyExpired,
    /// The secret is from before a rotation, and its time is over.
    KeyRotated,
    KeyDisabled {
        reason: DisabledReason,
    },
    AddressNotAllowed {
        /// Absent when it could not be told.
        address: Option<IpAddr>,
    },
    EndpointNotAllowed {
        endpoint: KeyEndpoint,
    },
    ToolNotAllowed {
        tool: String,
    },
    /// A key for some tools only, and a request of which it cannot be told which tools it declares.
    ToolsNotTold,
    /// A provider's own address that the key may not reach.
    NotForKey {
        barred: Barred,
    },
    /// This node has no configuration yet, or cannot find out whether the key exists.
    NotReady,
    /// The journal or the node itself is full.
    Overloaded,
    Draining,
    BodyTooLarge {
        limit_bytes: usize,
    },
    BodyTooSlow,
    BodyBroken,
    BadRequest(BadRequest),
    ModelNotFound {
        model: String,
    },
    ModelNotAllowed {
        model: String,
    },
    /// Nothing is at this address.
    NotServed {
        method: String,
        path: String,
    },
    /// Something is at this address, for another method.
    MethodNotServed {
        method: String,
        path: String,
    },
    /// Never made, forgotten, or somebody else's.
    PreviousResponseNotFound {
        id: String,
    },
    ResponseNotFound {
        id: String,
    },
    /// What was made before cannot be looked up.
    MemoryAway,
    /// A key for some models only, and a request of which it cannot be told which model it is for.
    ModelNotNamed,
    ProviderNotFound,
    /// The request is bound to a region, and what it was sent to is not known to be there.
    ProviderElsewhere {
        region: String,
    },
    /// A failure is to be made on purpose, and the key was not made for that.
    FaultNotAllowed,
    /// The caller takes only an answer that is kept.
    NotCached,
    /// The provider wants a file that the caller named, and it cannot be had.
    File(FileRefusal),
    /// A budget or a limit does not let it through.
    Over(Box<Over>),
    /// No target of the model can take it.
    Unroutable(Unroutable),
    Upstream(UpstreamRefusal),
}

impl From<Over> for Refusal {
    fn from(over: Over) -> Self {
        Self::Over(Box::new(over))
    }
}

impl Refusal {
    /// The machine-readable reason: in the body, the log and the metrics alike.
    pub(crate) fn code(&self) -> &'static str {
        match self {
            Self::MissingCredential
            | Self::InvalidApiKey
            | Self::KeyExpired
            | Self::KeyRotated
            | Self::KeyDisabled { .. } => "invalid_api_key",
            Self::AddressNotAllowed { .. } => "ip_not_allowed",
            Self::EndpointNotAllowed { .. } => "endpoint_not_allowed",
            Self::ToolNotAllowed { .. } | Self::ToolsNotTold => "tool_not_allowed",
            Self::NotReady | Self::Draining | Self::MemoryAway => "not_ready",
            Self::Overloaded => "overloaded",
            Self::BodyTooLarge { .. } => "request_too_large",
            Self::BodyTooSlow => "request_timeout",
            Self::BodyBroken | Self::BadRequest(_) => "invalid_request",
            Self::ModelNotFound { .. } => "model_not_found",
            Self::NotServed { .. } => "not_found",
            Self::MethodNotServed { .. } => "method_not_allowed",
            Self::PreviousResponseNotFound { .. } => "previous_response_not_found",
            Self::ResponseNotFound { .. } => "response_not_found",
            Self::ModelNotAllowed { .. } | Self::ModelNotNamed | Self::NotForKey { .. } => "model_not_allowed",
            Self::ProviderNotFound => "provider_not_found",
            Self::ProviderElsewhere { .. } => "residency_unsatisfied",
            Self::Unroutable(unroutable) => unroutable.code(),
            Self::FaultNotAllowed => "fault_not_allowed",
            Self::NotCached => "not_cached",
            Self::File(file) => file.code(),
            Self::Over(over) => over.code(),
            Self::Upstream(upstream) => upstream.code(),
        }
    }

    pub(crate) fn status(&self) -> u16 {
        match self {
            Self::MissingCredential
            | Self::InvalidApiKey
            | Self::KeyExpired
            | Self::KeyRotated
            | Self::KeyDisabled { .. } => 401,
            Self::NotReady | Self::Draining | Self::Overloaded | Self::MemoryAway => 503,
            Self::BodyTooLarge { .. } => 413,
            Self::BodyTooSlow => 408,
            Self::BodyBroken
            | Self::BadRequest(_)
            | Self::PreviousResponseNotFound { .. }
            | Self::Unroutable(Unroutable::NoRule { .. } | Unroutable::NoTarget { .. }) => 400,
            Self::ModelNotFound { .. }
            | Self::ProviderNotFound
            | Self::ResponseNotFound { .. }
            | Self::NotServed { .. } => 404,
            Self::ModelNotAllowed { .. }
            | Self::ModelNotNamed
            | Self::ProviderElsewhere { .. }
            | Self::FaultNotAllowed
            | Self::AddressNotAllowed { .. }
            | Self::EndpointNotAllowed { .. }
            | Self::ToolNotAllowed { .. }
            | Self::ToolsNotTold
            | Self::NotForKey { .. }
            | Self::Unroutable(Unroutable::NotInRegion { .. } | Unroutable::NotForKey { .. }) => 403,
            Self::MethodNotServed { .. } => 405,
            Self::NotCached => 504,
            Self::File(file) => file.status(),
            Self::Over(over) => over.status(),
            Self::Upstream(upstream) => upstream.status(),
        }
    }

    /// What a provider that failed said of the tokens, unless it is known already.
    pub(crate) fn having_used(self, used: Option<Tokens>) -> Self {
        match self {
            Self::Upstream(UpstreamRefusal { failure, body }) if failure.used.is_none() => {
                let failure = failure.having_used(used);
                Self::Upstream(UpstreamRefusal { failure, body })
            }
            other => other,
        }
    }

    /// Hands what a dialect needs to tell it to whoever writes that dialect.
    pub(crate) fn tell<T>(&self, id: RequestId, write: impl FnOnce(&ErrorFacts<'_>) -> T) -> T {
        write(&ErrorFacts {
            status: self.status(),
            message: &self.message(),
            code: self.code(),
            param: self.param(),
            request_id: &id.to_string(),
        })
    }

    pub(crate) fn param(&self) -> Option<&str> {
        match self {
            Self::BadRequest(bad) => bad.param.as_deref(),
            Self::ModelNotFound { .. } | Self::ModelNotAllowed { .. } | Self::Unroutable(_) => Some("model"),
            Self::PreviousResponseNotFound { .. } => Some("previous_response_id"),
            Self::ToolNotAllowed { .. } => Some("tools"),
            Self::File(_) => Some("messages"),
            Self::MissingCredential
            | Self::InvalidApiKey
            | Self::KeyExpired
            | Self::KeyRotated
            | Self::KeyDisabled { .. }
            | Self::AddressNotAllowed { .. }
            | Self::EndpointNotAllowed { .. }
            | Self::ToolsNotTold
            | Self::NotForKey { .. }
            | Self::NotReady
            | Self::Draining
            | Self::Overloaded
            | Self::BodyTooLarge { .. }
            | Self::BodyTooSlow
            | Self::BodyBroken
            | Self::NotServed { .. }
            | Self::MethodNotServed { .. }
            | Self::ResponseNotFound { .. }
            | Self::MemoryAway
            | Self::ModelNotNamed
            | Self::ProviderNotFound
            | Self::ProviderElsewhere { .. }
            | Self::FaultNotAllowed
            | Self::NotCached
            | Self::Over(_)
            | Self::Upstream(_) => None,
        }
    }

    pub(crate) fn message(&self) -> Cow<'static, str> {
        match self {
            Self::MissingCredential => {
                "No API key was sent. Send it as `Authorization: Bearer gw-…`; keys are made in the dashboard.".into()
            }
            Self::InvalidApiKey => {
                "The API key is unknown or was revoked. Check it, or make a new one in the dashboard.".into()
            }
            Self::KeyExpired => "The API key has expired. Make a new one in the dashboard.".into(),
            Self::KeyRotated => {
                "The API key was rotated, and the time in which the secret from before still works is over. Use the new \
                 secret, or rotate the key again to get one."
                    .into()
            }
            Self::KeyDisabled { reason } => disabled(*reason).into(),
            Self::AddressNotAllowed { address: Some(address) } => {
                format!("This API key may not be used from {address}. Its address ranges, and its team's, are in the dashboard.").into()
            }
            Self::AddressNotAllowed { address: None } => {
                "This API key may only be used from some addresses, and it cannot be told which one this request is from.".into()
            }
            Self::EndpointNotAllowed { endpoint } => {
                format!("This API key may not call this address: `{}` is not among its endpoints.", endpoint.as_str()).into()
            }
            Self::ToolNotAllowed { tool } if tool.is_empty() => {
                "This API key may only declare some tools, and the request has one without a name.".into()
            }
            Self::ToolNotAllowed { tool } => format!("This API key may not declare the tool `{tool}`.").into(),
            Self::ToolsNotTold => {
                "This API key may only declare some tools, and it cannot be told which ones this request has.".into()
            }
            Self::NotForKey { barred } => format!("This API key may not reach this: what is asked for {barred}.").into(),
            Self::NotReady => "This node cannot check API keys at the moment. Try again shortly.".into(),
            Self::Draining => "This node is shutting down. Try again; another one will answer.".into(),
            Self::Overloaded => "The gateway is at its limit. Try again shortly.".into(),
            Self::BodyTooLarge { limit_bytes } => {
                format!("The request body is larger than the limit of {limit_bytes} bytes.").into()
            }
            Self::BodyTooSlow => "The request body did not arrive in time.".into(),
            Self::BodyBroken => "The request body broke off before its end.".into(),
            Self::BadRequest(bad) => bad.message.clone().into(),
            Self::ModelNotFound { model } => {
                format!("There is no model named `{model}`. `GET /v1/models` lists the ones this key may call.").into()
            }
            Self::ModelNotAllowed { model } => {
                format!("This API key may not call the model `{model}`. `GET /v1/models` lists the ones it may.").into()
            }
            Self::NotServed { method, path } => format!(
                "Nothing is served at {method} {path}. This gateway answers POST /v1/chat/completions, /v1/responses, \
                 /v1/completions, /v1/embeddings, /v1/messages, /v1beta/models/{{model}}:generateContent, GET /v1/models, \
                 and anything below /native/{{provider}}/."
            )
            .into(),
            Self::MethodNotServed { method, path } => format!("{path} is not served with {method}.").into(),
            Self::PreviousResponseNotFound { id } => format!(
                "Previous response with id '{id}' not found. It was never stored, was deleted, or is older than responses \
                 are kept here; send the whole conversation in 'input'."
            )
            .into(),
            Self::ResponseNotFound { id } => format!("Response with id '{id}' not found.").into(),
            Self::MemoryAway => "Responses made before cannot be looked up at the moment. Try again shortly.".into(),
            Self::ModelNotNamed => {
                "This API key may only call some models, and it cannot be told which one this request is for.".into()
            }
            Self::ProviderNotFound => {
                "There is no provider of this name. The address is `/native/{provider}/…`.".into()
            }
            Self::ProviderElsewhere { region } => {
                format!("This request may only go to `{region}`, and the provider is not known to be there.").into()
            }
            Self::Unroutable(unroutable) => unroutable.to_string().into(),
            Self::FaultNotAllowed => {
                "This API key may not ask for failures with `x-gw-fault`. Make a key with `faults` for that.".into()
            }
            Self::NotCached => {
                "Nothing is kept for this request, and `x-gw-cache-control: only-if-cached` forbids to ask a provider.".into()
            }
            Self::File(file) => file.message().into(),
            Self::Over(over) => over.message().to_owned().into(),
            Self::Upstream(upstream) => upstream.message().into(),
        }
    }

    pub(crate) fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::NotReady | Self::Draining | Self::Overloaded | Self::MemoryAway => Some(Duration::from_secs(1)),
            Self::File(file) => file.retry_after(),
            Self::Over(over) => over.retry_after(),
            Self::Upstream(upstream) => upstream.failure.retry_after,
            Self::MissingCredential
            | Self::InvalidApiKey
            | Self::KeyExpired
            | Self::KeyRotated
            | Self::KeyDisabled { .. }
            | Self::AddressNotAllowed { .. }
            | Self::EndpointNotAllowed { .. }
            | Self::ToolNotAllowed { .. }
            | Self::ToolsNotTold
            | Self::NotForKey { .. }
            | Self::BodyTooLarge { .. }
            | Self::BodyTooSlow
            | Self::BodyBroken
            | Self::BadRequest(_)
            | Self::ModelNotFound { .. }
            | Self::ModelNotAllowed { .. }
            | Self::NotServed { .. }
            | Self::MethodNotServed { .. }
            | Self::PreviousResponseNotFound { .. }
            | Self::ResponseNotFound { .. }
            | Self::ModelNotNamed
            | Self::ProviderElsewhere { .. }
            | Self::Unroutable(_)
            | Self::FaultNotAllowed
            | Self::NotCached
            | Self::ProviderNotFound => None,
        }
    }

    /// Whether a client that asks again by itself would only be refused again.
    pub(crate) fn is_not_to_be_retried(&self) -> bool {
        matches!(self, Self::Over(over) if over.is_budget())
    }

    pub(crate) fn outcome(&self) -> Outcome {
        match self {
            Self::Upstream(_) => Outcome::Failed,
            Self::MissingCredential
            | Self::InvalidApiKey
            | Self::KeyExpired
            | Self::KeyRotated
            | Self::KeyDisabled { .. }
            | Self::AddressNotAllowed { .. }
            | Self::EndpointNotAllowed { .. }
            | Self::ToolNotAllowed { .. }
            | Self::ToolsNotTold
            | Self::NotForKey { .. }
            | Self::NotReady
            | Self::Draining
            | Self::Overloaded
            | Self::BodyTooLarge { .. }
            | Self::BodyTooSlow
            | Self::BodyBroken
            | Self::BadRequest(_)
            | Self::ModelNotFound { .. }
            | Self::ModelNotAllowed { .. }
            | Self::NotServed { .. }
            | Self::MethodNotServed { .. }
            | Self::PreviousResponseNotFound { .. }
            | Self::ResponseNotFound { .. }
            | Self::MemoryAway
            | Self::ModelNotNamed
            | Self::File(_)
            | Self::Over(_)
            | Self::ProviderElsewhere { .. }
            | Self::Unroutable(_)
            | Self::FaultNotAllowed
            | Self::NotCached
            | Self::ProviderNotFound => Outcome::Refused,
        }
    }
}

const fn disabled(reason: DisabledReason) -> &'static str {
    match reason {
        DisabledReason::ByHand => {
            "The API key is disabled. Somebody who may change keys can enable it again in the dashboard, or with \
             `DELETE /api/v1/organizations/{organization}/keys/{key}/disabling`."
        }
        DisabledReason::Idle => {
            "The API key is disabled because nobody used it for a long time. Somebody who may change keys can enable it \
             again in the dashboard, or with `DELETE /api/v1/organizations/{organization}/keys/{key}/disabling`."
        }
        DisabledReason::RotationOverdue => {
            "The API key is disabled because its secret was not rotated in time. Rotate the key in the dashboard, or with \
             `POST /api/v1/organizations/{organization}/keys/{key}/rotation`, and use the new secret."
        }
    }
}
