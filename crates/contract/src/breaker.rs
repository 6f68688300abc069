//! That a breaker opened or closed, as nodes and the control plane tell it to each other.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use gatewright_types::{CredentialId, NodeId, ProviderId, UpstreamModel};
use serde::{Deserialize, Serialize};

use crate::Credential;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BreakerChange {
    /// The node that found out; absent where a person decided.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<NodeId>,
    pub subject: BreakerSubject,
    /// In milliseconds since 1970; absent when it closed.
    pub until_ms: Option<u64>,
    /// How often in a row it opened, less one.
    pub times: u8,
}

/// What a breaker is of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BreakerSubject {
    Deployment {
        provider: ProviderId,
        model: UpstreamModel,
    },
    Credential {
        credential: CredentialId,
        /// Of a secret that may be replaced meanwhile; absent where it does not matter which.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        mark: Option<Mark>,
    },
}

/// Tells a credential's secret from the one that it is replaced by, on all nodes alike. It is made of what is sealed, and
/// says nothing of the secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Mark(u64);

impl BreakerChange {
    /// Decided by a person.
    pub fn closed(subject: BreakerSubject) -> Self {
        Self {
            from: None,
            subject,
            until_ms: None,
            times: 0,
        }
    }
}

impl BreakerSubject {
    /// A name of it that is its own.
    pub fn name(&self) -> String {
        match self {
            Self::Deployment { provider, model } => format!("{provider}/{model}"),
            Self::Credential { credential, .. } => credential.to_string(),
        }
    }
}

impl Mark {
    pub fn of(credential: &Credential) -> Self {
        let mut hasher = DefaultHasher::new();
        credential.sealed.hash(&mut hasher);
        Self(hasher.finish())
    }
}
