//! Writes a stream: every item and every part of it is added, filled and done, in this order and under the same
//! identifier, and the last event repeats the whole response. OpenAI's clients fail on anything else.

mod call;
mod message;
mod progress;
mod reasoning;

use self::call::Call;
use self::message::Message;
use self::progress::Output;
use self::reasoning::Reasoning;
use super::events::{Error, Lifecycle};
use super::items::{Called, Content, Status};
use super::response::{Head, Progress, Response};
use crate::Tokens;
use crate::chat::Chat;
use crate::dialect::{Encoder, ErrorFacts, ReplyFacts};
use crate::event::{Event, Opening, Stop};

pub(super) struct ResponsesEncoder {
    head: Head,
    /// The request without its turns, which no answer repeats.
    asked: Chat,
    output: Output,
    /// The item that is not done: whether it is complete is only known by what comes after it.
    open: Option<Open>,
    started: bool,
    has_refusal: bool,
    usage: Option<Tokens>,
    stop: Stop,
}

enum Open {
    Message(Message),
    Reasoning(Reasoning),
    Call(Call),
}

impl ResponsesEncoder {
    pub(super) fn new(reply: &ReplyFacts<'_>) -> Self {
        let head = Head::new(reply, None);
        let chat = reply.chat;
        Self {
            output: Output::new(&head.id),
            head,
            asked: Chat {
                instructions: chat.instructions.clone(),
                tools: chat.tools.clone(),
                namespaced: chat.namespaced.clone(),
                freeform: chat.freeform.clone(),
                tool_choice: chat.tool_choice.clone(),
                parallel_tools: chat.parallel_tools,
                format: chat.format.clone(),
                reasoning: chat.reasoning.clone(),
                sampling: chat.sampling.clone(),
                user: chat.user.clone(),
                continues: chat.continues.clone(),
                ..Chat::default()
            },
            open: None,
            started: false,
            has_refusal: false,
            usage: None,
            stop: Stop::default(),
        }
    }

    fn start(&mut self, model: Option<&str>, out: &mut Vec<u8>) {
        if self.started {
            return;
        }
        self.started = true;
        if let Some(model) = model {
            self.head.model = model.into();
        }
        self.lifecycle("response.created", Progress::Running, out);
        self.lifecycle("response.in_progress", Progress::Running, out);
    }

    fn lifecycle(&mut self, kind: &str, progress: Progress<'_>, out: &mut Vec<u8>) {
        let Output { items, feed, .. } = &mut self.output;
        let response = Response::new(&self.head, &self.asked, progress, items, self.usage.as_ref());
        feed.write(kind, Lifecycle { response }, out);
    }

    fn open(&mut self, opening: &Opening, out: &mut Vec<u8>) {
        match opening {
            Opening::Text => self.open_content(Content::text(String::new()), out),
            Opening::Refusal => {
                self.has_refusal = true;
                let refusal = String::new();
                self.open_content(Content::Refusal { refusal }, out);
            }
            Opening::Thinking => {
                self.finish_item(Status::Completed, out);
                self.open = Some(Open::Reasoning(Reasoning::begin(&mut self.output, out)));
            }
            Opening::ToolCall { id, name } => {
                self.finish_item(Status::Completed, out);
                self.open = Some(Open::Call(Call::new(Called::of(id, name, &self.asked))));
            }
        }
    }

    /// Texts and refusals in a row are one message.
    fn open_content(&mut self, content: Content, out: &mut Vec<u8>) {
        if !matches!(self.open, Some(Open::Message(_))) {
            self.finish_item(Status::Completed, out);
        }
        let open = self
            .open
            .get_or_insert_with(|| Open::Message(Message::begin(&mut self.output, out)));
        if let Open::Message(message) = open {
            message.open(content, &mut self.output, out);
        }
    }

    fn finish_item(&mut self, status: Status, out: &mut Vec<u8>) {
        match self.open.take() {
            Some(Open::Message(message)) => message.finish(status, &mut self.output, out),
            Some(Open::Reasoning(reasoning)) => reasoning.finish(&mut self.output, out),
            Some(Open::Call(call)) => call.finish(status, &mut self.output, out),
            None => {}
        }
    }
}

impl Encoder for ResponsesEncoder {
    fn write(&mut self, event: &Event, out: &mut Vec<u8>) {
        match (event, &mut self.open) {
            (Event::Start { model, .. }, _) => self.start(model.as_deref(), out),
            (Event::Open(opening), _) => self.open(opening, out),
            (Event::Add(text), Some(Open::Message(message))) => message.add(text, &mut self.output, out),
            (Event::Add(text), Some(Open::Reasoning(reasoning))) => reasoning.add(text, &mut self.output, out),
            (Event::Add(text), Some(Open::Call(call))) => call.add(text, &mut self.output, out),
            (Event::Sign(signature), Some(Open::Reasoning(reasoning))) => reasoning.sign(signature),
            (Event::Sign(signature), Some(Open::Call(call))) => call.sign(signature),
            (Event::Close, Some(Open::Message(message))) => message.close(&mut self.output, out),
            (Event::Close, Some(Open::Reasoning(_))) => self.finish_item(Status::Completed, out),
            (Event::Close, Some(Open::Call(call))) => call.close(&mut self.output, out),
            (Event::Usage(usage), _) => self.usage = Some(*usage),
            (Event::Stop(stop), _) => {
                let progress = Progress::of(stop, self.has_refusal);
                self.finish_item(progress.last_item(), out);
                self.stop = stop.clone();
            }
            // Texts have no place for a signature; failures are told by `fail`.
            (Event::Sign(_), Some(Open::Message(_)) | None)
            | (Event::Add(_) | Event::Close, None)
            | (Event::Failed(_), _) => {}
        }
    }

    fn end(&mut self, out: &mut Vec<u8>) {
        let progress = Progress::of(&self.stop, self.has_refusal);
        let kind = match progress {
            Progress::Incomplete(_) => "response.incomplete",
            Progress::Running | Progress::Completed | Progress::Failed(_) => "response.completed",
        };
        self.lifecycle(kind, progress, out);
    }

    fn fail(&mut self, error: &ErrorFacts<'_>, out: &mut Vec<u8>) {
        // Before anything else clients insist on a beginning.
        self.start(None, out);
        let told = Error {
            code: error.code,
            message: error.message,
            param: error.param,
        };
        self.output.feed.write("error", told, out);
        self.lifecycle("response.failed", Progress::Failed(error), out);
    }
}
