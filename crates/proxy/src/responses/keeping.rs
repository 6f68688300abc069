//! Keeps what an answer leaves behind, before the caller has seen the end of it: whoever knows a response's identifier
//! may refer to it on any node.

use std::sync::Arc;

use bytes::Bytes;
use gatewright_coord::ResponseId;
use gatewright_llm::chat::Json;
use gatewright_llm::dialect::openai_responses::stored::id_of;
use gatewright_types::{OrganizationId, RequestId};

use super::entry::{AtProvider, Entry, Transcript};
use super::memory::ResponseMemory;
use crate::gateway::Gateway;
use crate::limits::Purse;
use crate::opening::Opening;
use crate::record::Record;
use crate::route::Plan;

/// What is to be kept of the answer to a request.
#[derive(Debug, Clone)]
pub(crate) struct Keep {
    pub(super) organization: OrganizationId,
    pub(super) what: What,
}

#[derive(Debug, Clone)]
pub(super) enum What {
    /// Who made it.
    Note { background: bool },
    /// All of it, behind these responses and this input.
    Transcript {
        earlier: Arc<[ResponseId]>,
        input: Arc<[Json]>,
    },
}

/// Ready to keep the answer to a call.
#[derive(Debug)]
pub(crate) struct Keeper {
    memory: ResponseMemory,
    organization: OrganizationId,
    draft: Draft,
    /// What is reserved for what is billed later.
    purse: Option<Purse>,
}

#[derive(Debug)]
enum Draft {
    AtProvider(AtProvider),
    Here {
        earlier: Arc<[ResponseId]>,
        input: Arc<[Json]>,
    },
}

/// What became of an answer that should be kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kept {
    /// Or it was not to be kept.
    AsWished,
    Lost,
}

impl Keeper {
    pub(crate) fn of(gateway: &Gateway, plan: &Plan, opening: &Opening, record: &Record) -> Option<Self> {
        let keep = plan.keep.as_ref()?;
        let target = &opening.target;
        let draft = match &keep.what {
            What::Note { background } => Draft::AtProvider(AtProvider {
                model: plan.routed.model.id,
                provider: target.provider.id,
                upstream_model: target.model.clone(),
                credential: opening.credential.as_ref().map(|chosen| chosen.id),
                unbilled: background.then(|| record.draft(RequestId::mint())),
            }),
            What::Transcript { earlier, input } => Draft::Here {
                earlier: earlier.clone(),
                input: input.clone(),
            },
        };
        Some(Self {
            memory: gateway.parts.responses.clone(),
            organization: keep.organization,
            draft,
            purse: None,
        })
    }

    /// Whether the provider keeps the response and only its identifier matters.
    pub(super) const fn notes_only(&self) -> bool {
        matches!(self.draft, Draft::AtProvider(_))
    }

    /// Whether what the response uses is billed later, when it is there.
    pub(crate) const fn bills_later(&self) -> bool {
        matches!(&self.draft, Draft::AtProvider(made) if made.unbilled.is_some())
    }

    /// The provider told already what the response used.
    pub(crate) fn billed(&mut self) {
        if let Draft::AtProvider(made) = &mut self.draft {
            made.unbilled = None;
        }
    }

    /// What it uses is paid from this when it is billed.
    pub(crate) fn pay_from(&mut self, purse: Purse) {
        self.purse = Some(purse);
    }

    /// Of a response object.
    pub(crate) async fn whole(self, response: &Bytes) -> Kept {
        let id = id_of(response);
        self.keep(id.as_deref(), response).await
    }

    /// `response` is only looked at when all of it is to be kept.
    pub(super) async fn keep(self, id: Option<&str>, response: &[u8]) -> Kept {
        let Some(id) = id.and_then(|id| id.parse().ok()) else {
            return Kept::Lost;
        };
        let entry = match self.draft {
            Draft::AtProvider(made) => Entry::AtProvider(made),
            Draft::Here { earlier, input } => {
                let Some(response) = std::str::from_utf8(response).ok().and_then(Json::parse) else {
                    return Kept::Lost;
                };
                Entry::Here(Transcript {
                    earlier: earlier.to_vec(),
                    input: input.to_vec(),
                    response,
                })
            }
        };
        let kept = match self.memory.keep(self.organization, &id, &entry).await {
            true => Kept::AsWished,
            false => Kept::Lost,
        };
        if let Entry::AtProvider(made) = entry
            && made.unbilled.is_some()
        {
            let pending = self.memory.pending();
            pending.add(self.organization, id, made, kept, self.purse).await;
        }
        kept
    }
}
