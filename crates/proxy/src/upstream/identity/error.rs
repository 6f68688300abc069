//! Why there are no keys or no token, and what that means for the call that needed them.

use gatewright_contract::DestinationError;
use gatewright_llm::{Failure, FailureKind};

use crate::call::failure_of;

/// Calls that waited together get the same one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum IdentityError {
    #[error("the address that gives out tokens cannot be used")]
    Address(#[from] DestinationError),
    #[error("whoever gives out tokens cannot be reached: {0}")]
    Unreachable(String),
    #[error("whoever gives out tokens did not answer in time")]
    Late,
    /// With the endpoint's own word for it.
    #[error("the credential was refused with status {status}: {code}")]
    Refused { status: u16, code: String },
    #[error("whoever gives out tokens answered with status {0}")]
    Unavailable(u16),
    #[error("whoever gives out tokens answered something that is none")]
    Malformed,
    #[error("the service account's private key is no RSA key in PEM")]
    PrivateKey,
}

impl IdentityError {
    pub(crate) fn failure(&self) -> Failure {
        let kind = match self {
            Self::Address(_) | Self::Refused { .. } | Self::PrivateKey => FailureKind::Credential,
            Self::Unreachable(_) => FailureKind::Connection,
            Self::Late => FailureKind::Timeout,
            Self::Unavailable(429) => FailureKind::RateLimited,
            Self::Unavailable(_) => FailureKind::Server,
            Self::Malformed => FailureKind::Malformed,
        };
        failure_of(kind, self.to_string())
    }
}
