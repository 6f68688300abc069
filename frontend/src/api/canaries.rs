//! How far the canaries of a model are.

use gatewright_types::api::{CanaryPlace, CanaryProgress};
use gatewright_types::{ModelId, Page};

use super::{Method, Pending, body};
use crate::session::Workspace;

/// What a person can do about a canary.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CanaryMove {
    Promote,
    Rollback,
    Restart,
}

impl Workspace {
    pub(crate) fn canaries(self, model: ModelId) -> Pending<Page<CanaryProgress>> {
        self.api.get(self.path(&format!("models/{model}/canary")))
    }

    pub(crate) fn move_canary(self, model: ModelId, step: CanaryMove, place: &CanaryPlace) -> Pending<()> {
        let step = match step {
            CanaryMove::Promote => "promote",
            CanaryMove::Rollback => "rollback",
            CanaryMove::Restart => "restart",
        };
        let path = self.path(&format!("models/{model}/canary/{step}"));
        self.api.order(Method::POST, path, Some(body(place)))
    }
}
