//! Whom and what a request is about, besides its key.

use gatewright_contract::Caller;
use gatewright_routing::Asked;
use gatewright_types::DisplayName;

use super::end_user::end_user;
use super::tags::{Sources, Tags};
use crate::refusal::Refusal;

#[derive(Debug, Clone, Default)]
pub(crate) struct Who {
    /// Whom the caller answers.
    pub(crate) end_user: Option<DisplayName>,
    pub(crate) tags: Tags,
}

/// What a request wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Errand {
    /// A model's answer, which costs.
    Answer,
    /// Something about one, for which nobody has to pay.
    Aside,
}

impl Who {
    /// Only of what costs are tags required.
    pub(super) fn of(caller: &Caller, asked: Asked<'_>, errand: Errand) -> Result<Self, Refusal> {
        let sources = Sources {
            rules: &caller.tenant.tags,
            of_key: caller.key.tags.as_deref(),
            headers: asked.headers,
            request: asked.request,
        };
        Ok(Self {
            end_user: asked.user().and_then(|named| end_user(&named)),
            tags: match errand {
                Errand::Answer => sources.all()?,
                Errand::Aside => sources.told()?,
            },
        })
    }
}
