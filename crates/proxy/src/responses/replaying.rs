//! A response that was made, told as a stream: whoever asks so gets the events that could have brought it, also of a
//! response that its provider has only as a whole.

use bytes::Bytes;
use gatewright_llm::BadRequest;
use gatewright_llm::dialect::openai_responses::replay::{Replay, replay};

use super::listing::Query;
use super::managing::Action;
use crate::call::{failure_of, refused};
use crate::refusal::Refusal;
use gatewright_llm::FailureKind;

/// What is wanted of the stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Replaying {
    /// The number of the last event that the caller has.
    after: Option<u64>,
}

impl Replaying {
    /// `None` when it is to be told in one piece.
    pub(super) fn of(action: Action, query: &str) -> Result<Option<Self>, Refusal> {
        let query = Query::parse(query, &["stream", "starting_after"]);
        if action != Action::Retrieve || query.get("stream") != Some("true") {
            return Ok(None);
        }
        let after = query.get("starting_after").map(str::parse).transpose();
        let after = after.map_err(|_| refuse("starting_after", "'starting_after' must be the number of an event"))?;
        Ok(Some(Self { after }))
    }

    pub(super) fn replay(self, response: &[u8]) -> Result<Bytes, Refusal> {
        match replay(response, self.after) {
            Replay::Whole(events) => Ok(events.into()),
            Replay::Running(status) => Err(refuse(
                "stream",
                format!(
                    "the response is still '{status}', and it can only be streamed once it is over; ask for it without \
                     'stream' until then"
                ),
            )),
            Replay::Unreadable => {
                let message = "the provider's answer is no response".to_owned();
                Err(refused(failure_of(FailureKind::Malformed, message)))
            }
        }
    }
}

fn refuse(param: &'static str, message: impl Into<String>) -> Refusal {
    Refusal::BadRequest(BadRequest::at(param, message))
}
