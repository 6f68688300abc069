//! The model that answers without a network. It gives the same answer to the same words, counts a token per word, and can
//! be told by a mark in the last user message to be slow or to fail in the ways providers do. It only writes the script;
//! playing it, clock and all, is the proxy's part.

mod input;
mod mark;
mod write;

use std::time::Duration;

use bytes::Bytes;

use crate::error_body;
use input::Input;
use mark::Mark;
use write::{Finish, Usage, Writer};

/// Words of the caller's text that come back.
const ECHOED: usize = 50;

/// What the sandbox does, for the proxy to play back as if a provider did it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Script {
    /// Before the status.
    pub wait: Duration,
    pub status: u16,
    /// `text/event-stream` or `application/json`.
    pub content_type: &'static str,
    /// The body; of an answer in one piece usually one `Send`.
    pub steps: Vec<Step>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    Send(Bytes),
    Wait(Duration),
    /// The connection breaks.
    Cut,
    /// Nothing more comes, and the connection stays open.
    Stall,
}

/// Answers a request in OpenAI's chat dialect, as a stream where that is asked. `request_id` and `created` (seconds since
/// 1970) go into the answer and have no other effect.
pub fn sandbox(body: &[u8], stream: bool, upstream_model: &str, request_id: &str, created: i64) -> Script {
    let input = match Input::read(body) {
        Ok(input) => input,
        Err(message) => return refusal(400, &message),
    };
    let (text, mark) = match Mark::take_from(input.last_user_text()) {
        Ok(taken) => taken,
        Err(message) => return refusal(400, &message),
    };
    if let Some(status) = mark.status {
        let message = format!("the sandbox was told to answer with status {status}");
        return Script {
            wait: mark.delay,
            ..refusal(status, &message)
        };
    }
    let (words, finish) = answer(&text, upstream_model, &mark, input.max_tokens());
    let asked = input.words_besides_last_user_text() + text.split_whitespace().count();
    let usage = Usage::new(asked.max(1), words.len());
    let writer = Writer::new(request_id, created, upstream_model);
    let parts = in_parts(&words, mark.chunks.unwrap_or(words.len()));
    if stream {
        let steps = stream_steps(&writer, &parts, finish, usage, &mark);
        return Script {
            wait: mark.delay,
            status: 200,
            content_type: "text/event-stream",
            steps,
        };
    }
    let body = writer.completion(&parts.concat(), finish, usage);
    let steps = whole_steps(&body, parts.len(), &mark);
    Script {
        wait: mark.delay,
        status: 200,
        content_type: "application/json",
        steps,
    }
}

fn refusal(status: u16, message: &str) -> Script {
    let (kind, code) = match status {
        401 => ("authentication_error", "invalid_api_key"),
        403 => ("permission_error", "permission_denied"),
        404 => ("invalid_request_error", "model_not_found"),
        429 => ("rate_limit_error", "rate_limit_exceeded"),
        500.. => ("server_error", "server_error"),
        _ => ("invalid_request_error", "invalid_request"),
    };
    let body = error_body(message, kind, None, code);
    let steps = vec![Step::Send(body.into())];
    Script {
        wait: Duration::ZERO,
        status,
        content_type: "application/json",
        steps,
    }
}

/// The words of the answer: as many as the mark wants, at most as many as the caller allows.
fn answer(text: &str, model: &str, mark: &Mark, max_tokens: usize) -> (Vec<String>, Finish) {
    let said: Vec<&str> = text.split_whitespace().take(ECHOED).collect();
    let opening = if said.is_empty() {
        "You said nothing.".into()
    } else {
        format!("You said \"{}\".", said.join(" "))
    };
    let whole =
        format!("{opening} This is {model}, which answers without a network: the same words get the same answer.");
    let words: Vec<&str> = whole.split_whitespace().collect();
    let wanted = mark
        .tokens
        .unwrap_or_else(|| words.len().max(mark.chunks.unwrap_or_default()));
    let finish = if wanted > max_tokens {
        Finish::Length
    } else {
        Finish::Stop
    };
    let words = words
        .into_iter()
        .cycle()
        .take(wanted.min(max_tokens))
        .map(str::to_owned)
        .collect();
    (words, finish)
}

/// The words divided evenly, each part with the space before it; fewer parts when there are not as many words.
fn in_parts(words: &[String], count: usize) -> Vec<String> {
    let count = count.min(words.len());
    let mut rest = words.iter().enumerate();
    let part = |index: usize| {
        let length = words.len() * (index + 1) / count - words.len() * index / count;
        let word = |(index, word): (usize, &String)| if index == 0 { word.clone() } else { format!(" {word}") };
        rest.by_ref().take(length).map(word).collect()
    };
    (0..count).map(part).collect()
}

fn stream_steps(writer: &Writer<'_>, parts: &[String], finish: Finish, usage: Usage, mark: &Mark) -> Vec<Step> {
    let mut steps = Vec::with_capacity(parts.len() * 2 + 4);
    let fault_at = |fault: Option<usize>, sent: usize| fault.is_some_and(|fault| fault.min(parts.len()) == sent);
    for sent in 0..=parts.len() {
        if fault_at(mark.cut, sent) {
            steps.push(Step::Cut);
            return steps;
        }
        if fault_at(mark.stall, sent) {
            steps.push(Step::Stall);
            return steps;
        }
        if fault_at(mark.malformed, sent) {
            steps.push(Step::Send(writer.broken_event()));
        }
        if sent == 0 {
            steps.push(Step::Send(writer.opening()));
        }
        let Some(part) = parts.get(sent) else { break };
        if sent > 0 && !mark.chunk_delay.is_zero() {
            steps.push(Step::Wait(mark.chunk_delay));
        }
        steps.push(Step::Send(writer.part(part)));
    }
    steps.push(Step::Send(writer.closing(finish, usage)));
    steps
}

/// In one piece, `parts` only says how far into the body a fault is.
fn whole_steps(body: &Bytes, parts: usize, mark: &Mark) -> Vec<Step> {
    let until = |fault: usize| body.slice(..body.len() * fault.min(parts) / (parts + 1));
    let send = |bytes: Bytes| (!bytes.is_empty()).then_some(Step::Send(bytes));
    let (sent, last) = match (mark.cut, mark.stall, mark.malformed) {
        (Some(fault), ..) => (until(fault), Some(Step::Cut)),
        (None, Some(fault), _) => (until(fault), Some(Step::Stall)),
        (None, None, Some(fault)) => (until(fault), None),
        (None, None, None) => (body.clone(), None),
    };
    send(sent).into_iter().chain(last).collect()
}

#[cfg(test)]
mod tests;
