//! A provider that failed, and how that is told to the caller.

use gatewright_llm::{Failure, FailureKind};

/// The provider failed, and how to tell the caller.
#[derive(Debug, Clone)]
pub(crate) struct UpstreamRefusal {
    pub(crate) failure: Failure,
    /// The provider's own error body, passed on unchanged when the fault is the caller's and the dialects are the same.
    pub(crate) body: Option<bytes::Bytes>,
}

impl From<Failure> for UpstreamRefusal {
    fn from(failure: Failure) -> Self {
        Self { failure, body: None }
    }
}

impl UpstreamRefusal {
    pub(super) fn code(&self) -> &'static str {
        match self.failure.kind {
            FailureKind::Credential => "upstream_auth",
            FailureKind::RateLimited => "rate_limit_exceeded",
            FailureKind::BadRequest if self.failure.code.as_deref() == Some("context_length_exceeded") => {
                "context_length_exceeded"
            }
            FailureKind::NotFound => "model_not_found",
            FailureKind::Overloaded => "overloaded",
            FailureKind::Timeout => "upstream_timeout",
            FailureKind::BadRequest
            | FailureKind::Server
            | FailureKind::Connection
            | FailureKind::Malformed
            | FailureKind::ErrorEvent => "upstream_error",
        }
    }

    pub(super) fn status(&self) -> u16 {
        match self.failure.kind {
            FailureKind::RateLimited => 429,
            FailureKind::BadRequest => self
                .failure
                .status
                .filter(|status| (400..500).contains(status))
                .unwrap_or(400),
            FailureKind::NotFound => 404,
            FailureKind::Overloaded => 503,
            FailureKind::Timeout => 504,
            FailureKind::Credential
            | FailureKind::Server
            | FailureKind::Connection
            | FailureKind::Malformed
            | FailureKind::ErrorEvent => 502,
        }
    }

    /// Says whose fault it is without telling how the provider is reached.
    pub(super) fn message(&self) -> String {
        let told = self.failure.message.as_str();
        match self.failure.kind {
            FailureKind::Credential => {
                "The provider refused this gateway's credential. An administrator has to replace it.".to_owned()
            }
            FailureKind::RateLimited => format!("The provider is limiting requests: {told}"),
            FailureKind::BadRequest => told.to_owned(),
            FailureKind::NotFound => format!("The provider does not know the model this name leads to: {told}"),
            FailureKind::Overloaded => format!("The provider is overloaded: {told}"),
            FailureKind::Timeout => format!("The provider did not answer in time: {told}"),
            FailureKind::Connection => "The provider could not be reached.".to_owned(),
            FailureKind::Server => format!("The provider failed: {told}"),
            FailureKind::Malformed => "The provider's answer could not be read.".to_owned(),
            FailureKind::ErrorEvent => format!("The provider reported an error: {told}"),
        }
    }
}
