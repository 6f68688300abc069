//! What is called for a request: which target, by which credential, and where that counts.

use std::sync::Arc;
use std::time::Duration;

use gatewright_contract::{Upstream, UpstreamTarget};
use gatewright_llm::Named;
use gatewright_routing::Vitals;
use gatewright_types::CredentialId;

use super::Record;
use super::natively::Natively;
use crate::native::Sighted;

impl Record {
    pub(crate) fn sighted(&mut self, sighted: &Sighted) {
        let open = self.get_mut();
        if let Named::Once(name) = &sighted.native.named {
            open.usage.model = Some(name.clone());
        }
        open.usage.stream = sighted.native.stream;
        open.sighted = Some(Box::new(sighted.clone()));
    }

    /// So much of a body went on behind what was seen of it.
    pub(crate) fn flowed(&mut self, bytes: usize) {
        if let Some(sighted) = &mut self.get_mut().sighted {
            sighted.unseen_bytes = bytes;
        }
    }

    /// A call to a provider's own address begins.
    pub(crate) fn attempt_natively(&mut self, sighted: &Sighted, credential: Option<CredentialId>, lease: Duration) {
        let natively = Natively::begin(&self.gateway, sighted, credential, lease);
        let open = self.get_mut();
        open.natively = natively;
        if let Some(target) = &sighted.target {
            open.notes.call_begins(target.name(), credential);
        }
        let usage = &mut open.usage;
        usage.attempts += 1;
        usage.upstream = Some(Upstream {
            provider: sighted.provider.id,
            name: sighted.provider.name.clone(),
            model: sighted.target.as_ref().map(|target| target.model.clone()),
            credential,
        });
    }

    /// A call to the provider begins.
    pub(crate) fn attempt(&mut self, target: &Arc<UpstreamTarget>, credential: Option<CredentialId>) {
        self.gateway.parts.metrics.attempted();
        let open = self.get_mut();
        open.target = Some(target.clone());
        open.notes.call_begins(target.name(), credential);
        open.usage.attempts += 1;
        open.usage.upstream = Some(Upstream {
            provider: target.provider.id,
            name: target.provider.name.clone(),
            model: Some(target.model.clone()),
            credential,
        });
    }

    /// Where what is used counts.
    pub(crate) fn flies(&mut self, vitals: Arc<Vitals>) {
        self.get_mut().vitals = Some(vitals);
    }
}
