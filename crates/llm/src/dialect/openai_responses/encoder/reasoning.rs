//! A stretch of thinking in a stream: a reasoning item whose summary has one part, or none when all of it is sealed.

use serde::Serialize;

use super::progress::Output;
use crate::chat::Signature;
use crate::dialect::openai_responses::events::{Delta, OfSummary, OneSummary, WholeText};
use crate::dialect::openai_responses::items::{Item, Summary};

pub(super) struct Reasoning {
    id: String,
    text: String,
    signature: Option<Signature>,
}

impl Reasoning {
    pub(super) fn begin(output: &mut Output, out: &mut Vec<u8>) -> Self {
        let item = Item::reasoning(&output.response_id, output.index(), String::new(), None);
        output.added(&item, out);
        Self {
            id: item.id().to_owned(),
            text: String::new(),
            signature: None,
        }
    }

    pub(super) fn add(&mut self, delta: &str, output: &mut Output, out: &mut Vec<u8>) {
        if self.text.is_empty() {
            let part = Summary::new(String::new());
            self.tell(
                "response.reasoning_summary_part.added",
                OneSummary { part },
                output,
                out,
            );
        }
        self.text.push_str(delta);
        self.tell("response.reasoning_summary_text.delta", Delta { delta }, output, out);
    }

    pub(super) fn sign(&mut self, signature: &Signature) {
        self.signature = Some(signature.clone());
    }

    pub(super) fn finish(self, output: &mut Output, out: &mut Vec<u8>) {
        if !self.text.is_empty() {
            let text = &self.text;
            self.tell("response.reasoning_summary_text.done", WholeText { text }, output, out);
            let part = Summary::new(text.clone());
            self.tell("response.reasoning_summary_part.done", OneSummary { part }, output, out);
        }
        let signature = self.signature.as_ref();
        let item = Item::reasoning(&output.response_id, output.index(), self.text, signature);
        output.done(item, out);
    }

    fn tell(&self, kind: &str, body: impl Serialize, output: &mut Output, out: &mut Vec<u8>) {
        let event = OfSummary {
            item_id: &self.id,
            output_index: output.index(),
            summary_index: 0,
            body,
        };
        output.feed.write(kind, event, out);
    }
}

/// The signature of a call, which has no place in the call's own item: a reasoning item beside it.
pub(super) fn write_signature(signature: &Signature, output: &mut Output, out: &mut Vec<u8>) {
    let item = Item::reasoning(&output.response_id, output.index(), String::new(), Some(signature));
    output.added(&item, out);
    output.done(item, out);
}
