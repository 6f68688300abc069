//! A request that is read, and is yet to be written in its provider's words: before that, the files are put in which the
//! provider wants and the caller only named.

use bytes::Bytes;
use gatewright_contract::UpstreamTarget;
use gatewright_llm::chat::Chat;
use gatewright_llm::dialect::gemini::Framing;
use gatewright_llm::dialect::{Outbound, TargetFacts, Unsupported};
use gatewright_llm::{BadRequest, Catalog, Endpoint, UsageChunk, Wanted};
use gatewright_types::api::Dialect;

use super::{Marks, Speech, Telling, Translation, Way, Wishes};
use crate::refusal::{FileProblem, FileRefusal, Refusal};

#[derive(Debug)]
pub(crate) struct Unwritten {
    pub(super) endpoint: Endpoint,
    pub(super) dialect: Dialect,
    pub(super) usage: UsageChunk,
    pub(super) outbound: &'static dyn Outbound,
    pub(super) chat: Chat,
    pub(super) usage_wanted: bool,
    pub(super) framing: Framing,
    /// Files are put into the request at all.
    pub(super) fetches: bool,
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

    pub(crate) fn write(
        mut self,
        target: &UpstreamTarget,
        catalog: &Catalog,
        wishes: Wishes,
        marks: Marks,
    ) -> Result<Speech, Refusal> {
        let known_as = target.model.as_str();
        let facts = TargetFacts {
            model: target.provider.deployment(known_as),
            output_limit: target.max_output(catalog, marks.now).map(u64::from),
        };
        let written = self.outbound.write_request(&self.chat, facts).map_err(unsupported)?;
        wishes.allow(&written.dropped)?;
        // No answer repeats what was said, and it may be large.
        self.chat.turns = Vec::new();
        let translation = Translation {
            outbound: self.outbound,
            chat: self.chat,
            usage_wanted: self.usage_wanted,
            framing: self.framing,
            dropped: written.dropped,
            request_id: marks.request_id.to_string(),
            upstream_model: known_as.to_owned(),
            created: marks.now.timestamp(),
        };
        Ok(Speech {
            endpoint: self.endpoint,
            body: Bytes::from(written.body).into(),
            telling: Telling {
                dialect: self.dialect,
                usage: self.usage,
                way: Way::Translated(Box::new(translation)),
            },
        })
    }
}

fn unsupported(unsupported: Unsupported) -> Refusal {
    Refusal::BadRequest(BadRequest::at(unsupported.param, unsupported.message))
}
