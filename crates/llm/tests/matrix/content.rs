//! What an answer says, whoever told it: texts, thoughts and calls, in a form in which dialects can be compared.

use gatewright_llm::chat::Part;
use gatewright_llm::dialect::Outbound;
use gatewright_llm::event::{Answer, Event, Stop};
use serde_json::Value;

use crate::callers::Caller;

#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Content {
    /// Refusals count as text: not every dialect tells them apart.
    pub(crate) text: String,
    pub(crate) thoughts: String,
    pub(crate) calls: Vec<Call>,
    pub(crate) end: End,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Call {
    pub(crate) name: String,
    pub(crate) arguments: Value,
}

/// Why it ended, as far as all dialects tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum End {
    #[default]
    Done,
    Length,
    Calls,
    Refused,
}

impl Content {
    pub(crate) fn of(answer: &Answer) -> Self {
        let mut content = Self {
            end: match &answer.stop {
                Stop::End | Stop::Sequence(_) | Stop::Paused => End::Done,
                Stop::Length | Stop::Context => End::Length,
                Stop::ToolCalls => End::Calls,
                Stop::Refused | Stop::Blocked => End::Refused,
            },
            ..Self::default()
        };
        for part in &answer.parts {
            match part {
                Part::Text(text) => content.text += &text.text,
                Part::Refusal(text) => content.text += text,
                Part::Thinking(thinking) => content.thoughts += &thinking.text,
                Part::ToolCall(call) => content.calls.push(Call {
                    name: call.name.as_ref().into(),
                    arguments: serde_json::from_str(&call.arguments).expect("JSON"),
                }),
                Part::Media(_) | Part::ToolResult(_) => panic!("{part:?} in an answer"),
            }
        }
        content
    }

    /// What a caller of the dialect can be told of it.
    pub(crate) fn told_to(mut self, caller: Caller) -> Self {
        if caller.reader().is_none() {
            self.thoughts.clear();
            self.calls.clear();
            self.end = match self.end {
                End::Calls => End::Done,
                other => other,
            };
        }
        self
    }

    pub(crate) fn read_answer(caller: Caller, body: &[u8]) -> Result<Self, String> {
        let answer = match caller.reader() {
            Some(reader) => reader.read_answer(body).map_err(|failure| format!("{failure:?}"))?,
            None => return Ok(completion(&[serde_json::from_slice(body).expect("JSON")])),
        };
        Ok(Self::of(&answer))
    }

    pub(crate) fn read_stream(caller: Caller, stream: &[u8]) -> Result<Self, String> {
        match caller.reader() {
            Some(reader) => {
                let answer = Answer::gather(events(reader, stream)).map_err(|failure| format!("{failure:?}"))?;
                Ok(Self::of(&answer))
            }
            None => Ok(completion(&payloads(stream))),
        }
    }
}

fn events(reader: &dyn Outbound, stream: &[u8]) -> Vec<Event> {
    let mut decoder = reader.decoder();
    let mut events = Vec::new();
    decoder.push(stream, &mut events);
    decoder.end(&mut events);
    events
}

fn completion(chunks: &[Value]) -> Content {
    let mut content = Content::default();
    for chunk in chunks {
        let choice = &chunk["choices"][0];
        content.text += choice["text"].as_str().unwrap_or_default();
        match choice["finish_reason"].as_str() {
            Some("length") => content.end = End::Length,
            Some("content_filter") => content.end = End::Refused,
            Some("stop") | None => {}
            Some(other) => panic!("{other} is no reason to finish"),
        }
    }
    content
}

/// The data of a stream's events that are JSON.
pub(crate) fn payloads(stream: &[u8]) -> Vec<Value> {
    let text = String::from_utf8_lossy(stream);
    let data = text.lines().filter_map(|line| line.strip_prefix("data:"));
    data.filter_map(|data| serde_json::from_str(data).ok()).collect()
}
