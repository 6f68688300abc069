//! A tool call in a stream. Its signature stands before it or, when it is told too late for that, after it. What a tool
//! that takes a text is called with is taken out of the arguments on the way.

use serde::Serialize;

use super::progress::Output;
use super::reasoning::write_signature;
use crate::chat::Signature;
use crate::dialect::freeform::Unwrapping;
use crate::dialect::openai_responses::events::{Delta, OfCall, WholeArguments, WholeInput};
use crate::dialect::openai_responses::items::{Called, Item, Status};

pub(super) struct Call {
    called: Called,
    /// What it is called with, as far as it was told.
    given: String,
    /// Of a tool that takes a text.
    unwrapping: Option<Unwrapping>,
    /// One that was not written yet.
    signature: Option<Signature>,
    /// The item's identifier, once the caller was told of it.
    announced: Option<String>,
}

impl Call {
    pub(super) fn new(called: Called) -> Self {
        Self {
            unwrapping: called.is_freeform.then(Unwrapping::default),
            called,
            given: String::new(),
            signature: None,
            announced: None,
        }
    }

    pub(super) fn add(&mut self, delta: &str, output: &mut Output, out: &mut Vec<u8>) {
        match &mut self.unwrapping {
            None => self.give(delta, output, out),
            Some(unwrapping) => {
                let text = unwrapping.push(delta);
                self.give(&text, output, out);
            }
        }
    }

    fn give(&mut self, delta: &str, output: &mut Output, out: &mut Vec<u8>) {
        self.announce(output, out);
        if delta.is_empty() {
            return;
        }
        self.given.push_str(delta);
        let kind = match self.called.is_freeform {
            true => "response.custom_tool_call_input.delta",
            false => "response.function_call_arguments.delta",
        };
        self.tell(kind, Delta { delta }, output, out);
    }

    pub(super) fn sign(&mut self, signature: &Signature) {
        self.signature = Some(signature.clone());
    }

    pub(super) fn close(&mut self, output: &mut Output, out: &mut Vec<u8>) {
        if let Some(unwrapping) = self.unwrapping.take() {
            self.give(&unwrapping.finish(), output, out);
            let body = WholeInput { input: &self.given };
            return self.tell("response.custom_tool_call_input.done", body, output, out);
        }
        if self.given.is_empty() {
            // Callers parse what they get.
            self.add("{}", output, out);
        }
        let body = WholeArguments {
            name: &self.called.name,
            arguments: &self.given,
        };
        self.tell("response.function_call_arguments.done", body, output, out);
    }

    pub(super) fn finish(mut self, status: Status, output: &mut Output, out: &mut Vec<u8>) {
        self.announce(output, out);
        let item = Item::call(&output.response_id, output.index(), status, self.called, self.given);
        output.done(item, out);
        if let Some(signature) = self.signature {
            write_signature(&signature, output, out);
        }
    }

    fn announce(&mut self, output: &mut Output, out: &mut Vec<u8>) {
        if self.announced.is_some() {
            return;
        }
        if let Some(signature) = self.signature.take() {
            write_signature(&signature, output, out);
        }
        let called = self.called.clone();
        let index = output.index();
        let item = Item::call(&output.response_id, index, Status::InProgress, called, String::new());
        output.added(&item, out);
        self.announced = Some(item.id().to_owned());
    }

    fn tell(&self, kind: &str, body: impl Serialize, output: &mut Output, out: &mut Vec<u8>) {
        let event = OfCall {
            item_id: self.announced.as_deref().unwrap_or_default(),
            output_index: output.index(),
            body,
        };
        output.feed.write(kind, event, out);
    }
}
