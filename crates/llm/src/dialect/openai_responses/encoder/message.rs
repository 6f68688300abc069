//! A message in a stream: its parts are texts and refusals.

use serde::Serialize;

use super::progress::Output;
use crate::dialect::openai_responses::events::{
    Delta, OfContent, OneContent, TextDelta, WholeOutputText, WholeRefusal,
};
use crate::dialect::openai_responses::items::{Content, Item, Status};

pub(super) struct Message {
    id: String,
    /// The last one may be growing.
    contents: Vec<Content>,
}

impl Message {
    pub(super) fn begin(output: &mut Output, out: &mut Vec<u8>) -> Self {
        let item = Item::message(&output.response_id, output.index(), Status::InProgress, Vec::new());
        output.added(&item, out);
        Self {
            id: item.id().to_owned(),
            contents: Vec::new(),
        }
    }

    pub(super) fn open(&mut self, content: Content, output: &mut Output, out: &mut Vec<u8>) {
        self.contents.push(content);
        if let Some(part) = self.contents.last() {
            self.tell("response.content_part.added", OneContent { part }, output, out);
        }
    }

    pub(super) fn add(&mut self, delta: &str, output: &mut Output, out: &mut Vec<u8>) {
        match self.contents.last_mut() {
            Some(Content::OutputText { text, .. }) => {
                text.push_str(delta);
                let body = TextDelta { delta, logprobs: [] };
                self.tell("response.output_text.delta", body, output, out);
            }
            Some(Content::Refusal { refusal }) => {
                refusal.push_str(delta);
                self.tell("response.refusal.delta", Delta { delta }, output, out);
            }
            None => {}
        }
    }

    pub(super) fn close(&self, output: &mut Output, out: &mut Vec<u8>) {
        let Some(part) = self.contents.last() else {
            return;
        };
        match part {
            Content::OutputText { text, .. } => {
                let body = WholeOutputText { text, logprobs: [] };
                self.tell("response.output_text.done", body, output, out);
            }
            Content::Refusal { refusal } => {
                self.tell("response.refusal.done", WholeRefusal { refusal }, output, out);
            }
        }
        self.tell("response.content_part.done", OneContent { part }, output, out);
    }

    pub(super) fn finish(self, status: Status, output: &mut Output, out: &mut Vec<u8>) {
        let item = Item::message(&output.response_id, output.index(), status, self.contents);
        output.done(item, out);
    }

    fn tell(&self, kind: &str, body: impl Serialize, output: &mut Output, out: &mut Vec<u8>) {
        let event = OfContent {
            item_id: &self.id,
            output_index: output.index(),
            content_index: self.contents.len().saturating_sub(1),
            body,
        };
        output.feed.write(kind, event, out);
    }
}
