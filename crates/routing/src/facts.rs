//! What rules want to know of a request: read when the first of them asks, and kept for the others.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::OnceLock;

use gatewright_llm::Needs;
use gatewright_types::api::Affinity;

use crate::Situation;
use crate::said::Said;

/// The header that binds a request to a region or an area.
pub const REGION: &str = "x-gw-region";

#[derive(Debug)]
pub(crate) struct Facts<'a> {
    pub(crate) situation: &'a Situation<'a>,
    /// Outside of which nothing of the request may get.
    pub(crate) region: Option<Box<str>>,
    pub(crate) said: Said<'a>,
    beginning: OnceLock<Option<u64>>,
}

impl<'a> Facts<'a> {
    pub(crate) fn of(situation: &'a Situation<'a>) -> Self {
        let mut facts = Self {
            situation,
            region: None,
            said: Said::of(situation.caller, situation.model.name.as_str(), situation.asked).needing(situation.needs),
            beginning: OnceLock::new(),
        };
        let region = situation.asked.in_header_or_label(REGION, "region");
        facts.region = region.map(|region| region.trim().to_ascii_lowercase().into());
        facts
    }

    pub(crate) fn needs(&self) -> Option<&Needs> {
        self.said.needs()
    }

    pub(crate) fn beginning(&self) -> Option<u64> {
        let read = || self.situation.asked.request?.beginning();
        *self.beginning.get_or_init(read)
    }

    /// Where somebody wanted to know.
    pub(crate) fn known_beginning(&self) -> Option<u64> {
        self.beginning.get().copied().flatten()
    }

    /// What the request has in common with those it should follow, by the first of these that it has.
    pub(crate) fn affinity(&self, by: &[Affinity]) -> Option<(Affinity, u64)> {
        let asked = &self.situation.asked;
        by.iter().find_map(|affinity| {
            let mut hash = DefaultHasher::new();
            (*affinity as u8).hash(&mut hash);
            match affinity {
                Affinity::Session => asked.session()?.hash(&mut hash),
                Affinity::User => asked.user()?.hash(&mut hash),
                Affinity::Prefix => self.beginning()?.hash(&mut hash),
                Affinity::Key => self.situation.caller.key.id.hash(&mut hash),
            }
            Some((*affinity, hash.finish()))
        })
    }
}
