//! Has a provider keep what a prompt begins with, for a caller who did not ask for it, where the model says so.

use gatewright_contract::{Model, UpstreamTarget};
use gatewright_llm::{CachedBy, Request};
use gatewright_types::OrganizationId;
use gatewright_types::api::PromptCache;

/// How the provider is told, and for whom.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Caching {
    pub(crate) by: CachedBy,
    pub(crate) organization: OrganizationId,
}

impl Caching {
    pub(crate) fn of(model: &Model, target: &UpstreamTarget, organization: OrganizationId) -> Option<Self> {
        match model.settings.prompt_cache {
            PromptCache::Off => None,
            PromptCache::Auto => {
                let by = CachedBy::of(target.provider.kind, target.model.as_str())?;
                Some(Self { by, organization })
            }
        }
    }

    /// The request that asks for it in its own dialect; absent where it is to be translated first, or asks already.
    pub(crate) fn ask(self, request: &Request, target: &UpstreamTarget) -> Option<Request> {
        request.cached(self.by, &self.organization.to_string(), target.model.as_str())
    }
}
