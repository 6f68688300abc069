//! What rules want to know of a request: read when the first of them asks, and kept for the others.

use std::borrow::Cow;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::OnceLock;

use gatewright_llm::Needs;
use gatewright_types::api::Affinity;

use crate::Situation;

const SESSION: &str = "x-gw-session";
const USER: &str = "x-gw-user";
const TASK: &str = "x-gw-task";
/// The header that binds a request to a region or an area.
pub const REGION: &str = "x-gw-region";

#[derive(Debug)]
pub(crate) struct Facts<'a> {
    pub(crate) situation: &'a Situation<'a>,
    /// Outside of which nothing of the request may get.
    pub(crate) region: Option<Box<str>>,
    needs: OnceLock<Option<Needs>>,
    beginning: OnceLock<Option<u64>>,
}

impl<'a> Facts<'a> {
    pub(crate) fn of(situation: &'a Situation<'a>) -> Self {
        let mut facts = Self {
            situation,
            region: None,
            needs: OnceLock::new(),
            beginning: OnceLock::new(),
        };
        let region = facts.said(REGION, "region");
        facts.region = region.map(|region| region.trim().to_ascii_lowercase().into());
        facts
    }

    pub(crate) fn needs(&self) -> Option<&Needs> {
        let read = || Some(self.situation.asked.request?.needs());
        self.needs.get_or_init(read).as_ref()
    }

    pub(crate) fn session(&self) -> Option<Cow<'a, str>> {
        let in_body = || self.situation.asked.request?.session();
        self.header(SESSION).map(Cow::Borrowed).or_else(in_body)
    }

    pub(crate) fn user(&self) -> Option<Cow<'a, str>> {
        let in_body = || self.situation.asked.request?.end_user();
        self.header(USER).map(Cow::Borrowed).or_else(in_body)
    }

    pub(crate) fn task(&self) -> Option<Cow<'a, str>> {
        self.said(TASK, "task")
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
        by.iter().find_map(|affinity| {
            let mut hash = DefaultHasher::new();
            (*affinity as u8).hash(&mut hash);
            match affinity {
                Affinity::Session => self.session()?.hash(&mut hash),
                Affinity::User => self.user()?.hash(&mut hash),
                Affinity::Prefix => self.beginning()?.hash(&mut hash),
                Affinity::Key => self.situation.caller.key.id.hash(&mut hash),
            }
            Some((*affinity, hash.finish()))
        })
    }

    /// In a header, or in a label of the body.
    fn said(&self, header: &str, label: &str) -> Option<Cow<'a, str>> {
        let in_body = || self.situation.asked.request?.metadata(label);
        self.header(header).map(Cow::Borrowed).or_else(in_body)
    }

    fn header(&self, name: &str) -> Option<&'a str> {
        self.situation.asked.headers.get(name).filter(|value| !value.is_empty())
    }
}
