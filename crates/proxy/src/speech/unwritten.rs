//! A request that is read, and is yet to be written in its provider's words: before that, the files are put in which the
//! provider wants and the caller only named.

use bytes::Bytes;
use gatewright_contract::UpstreamTarget;
use gatewright_llm::chat::Chat;
use gatewright_llm::dialect::anthropic::betas;
use gatewright_llm::dialect::gemini::Framing;
use gatewright_llm::dialect::{Dropped, Outbound, TargetFacts, Unsupported};
use gatewright_llm::{BadRequest, CachedBy, Catalog, Endpoint, UsageChunk, Wanted, with_key};
use gatewright_types::api::Dialect;

use super::{Marks, Speech, Telling, Translation, Way, Wishes};
use crate::prompt_cache::Caching;
use crate::refusal::{FileProblem, FileRefusal, Refusal};

#[derive(Debug)]
pub(crate) struct Unwritten {
    pub(super) endpoint: Endpoint,
    pub(super) dialect: Dialect,
    pub(super) usage: UsageChunk,
    pub(super) outbound: &'static dyn Outbound,
    pub(super) chat: Chat,
    /// Those of Anthropic's beta features that are asked for, and those that are not.
    pub(super) betas: Vec<&'static str>,
    pub(super) dropped: Dropped,
    pub(super) usage_wanted: bool,
    pub(super) framing: Framing,
    /// Files are put into the request at all.
    pub(super) fetches: bool,
    /// By which the provider finds what it kept of requests that begin alike.
    pub(super) caching: Option<Caching>,
}

impl Unwritten {
    pub(crate) fn wanted_files(&mut self) -> Result<Vec<Wanted>, Refusal> {
        if !self.fetches {
            return Ok(Vec::new());
        }
        self.chat.wanted_files(self.outbound).map_err(unsupported)
    }

    pub(crate) fn put_files<'f>(&mut self, find: impl Fn(&str) -> Option<&'f [u8]>) -> Result<(), Refusal> {
        self.chat.put_files(self.outbound, find).map_err(|wrong| {
            let problem = FileProblem::Wrong(wrong.to_string());
            Refusal::File(FileRefusal::new(&wrong.address, problem))
        })
    }

    /// Has the provider keep the beginning of the prompt.
    pub(crate) fn cache(&mut self, caching: Option<Caching>) {
        self.caching = caching;
        if caching.is_some_and(|caching| caching.by == CachedBy::Marks) {
            self.chat.mark_for_cache();
        }
    }

    pub(crate) fn write(
        mut self,
        target: &UpstreamTarget,
        catalog: &Catalog,
        wishes: Wishes,
        marks: Marks,
    ) -> Result<Speech, Refusal> {
        let known_as = target.model.as_str();
        let facts = TargetFacts {
            model: target.written_for(),
            output_limit: target.max_output(catalog, marks.now).map(u64::from),
        };
        let written = self.outbound.write_request(&self.chat, facts).map_err(unsupported)?;
        let mut dropped = written.dropped;
        self.dropped.iter().for_each(|name| dropped.add(name));
        wishes.allow(&dropped)?;
        let mut body = match self.caching {
            Some(caching) if caching.by == CachedBy::Key => {
                let key = self.chat.cache_key(&caching.organization.to_string(), known_as);
                with_key(&written.body, &key)
            }
            Some(_) | None => match self.outbound.envelope() {
                Some(envelope) => betas::named_in(written.body, envelope, &self.betas),
                None => written.body,
            },
        };
        // It is there for as long as the provider takes to read it.
        body.shrink_to_fit();
        // No answer repeats what was said, and it may be large.
        self.chat.turns = Vec::new();
        let translation = Translation {
            outbound: self.outbound,
            chat: self.chat,
            usage_wanted: self.usage_wanted,
            framing: self.framing,
            betas: self.betas,
            dropped,
            request_id: marks.request_id.to_string(),
            upstream_model: known_as.to_owned(),
            created: marks.now.timestamp(),
        };
        Ok(Speech {
            endpoint: self.endpoint,
            body: Bytes::from(body).into(),
            telling: Telling {
                dialect: self.dialect,
                usage: self.usage,
                way: Way::Translated(Box::new(translation)),
                naming: None,
            },
        })
    }
}

fn unsupported(unsupported: Unsupported) -> Refusal {
    Refusal::BadRequest(BadRequest::at(unsupported.param, unsupported.message))
}
