//! What holds for every pair and case.

use std::fmt::Debug;

use gatewright_llm::event::Answer;
use gatewright_types::api::Dialect;
use serde_json::Value;

use crate::callers::Caller;
use crate::cases::{Case, Reply};
use crate::content::{Content, payloads};
use crate::providers::Provider;
use crate::totals;
use crate::translated::{Answered, Asked, Exchange, Streamed, Told, reply};

fn same<T: PartialEq + Debug + ?Sized>(what: &str, told: &T, said: &T) -> Result<(), String> {
    if told == said {
        return Ok(());
    }
    Err(format!(
        "{what}: the caller is told\n  {told:?}\nbut was said\n  {said:?}"
    ))
}

pub(crate) fn check(caller: Caller, provider: Provider, case: Case, told: &Told) -> Result<(), String> {
    let Exchange {
        request,
        answer,
        stream,
        error,
    } = match told {
        Told::Refused(_) => return Ok(()),
        Told::Asked(exchange) => &**exchange,
    };
    if let Some(answer) = answer {
        check_answer(caller, provider, case, answer)?;
    }
    if let Some(stream) = stream {
        check_lines(&stream.out)?;
        match case.reply() {
            Reply::Both(name) | Reply::Stream(name) => check_whole(caller, provider, case, name, stream, request)?,
            Reply::Broken(_) | Reply::Stalled(_) => check_broken(caller, stream)?,
            Reply::Error => unreachable!("it is no stream"),
        }
    }
    if let Some((failure, body)) = error {
        let body: Value = serde_json::from_slice(body).map_err(|error| format!("the error is no JSON: {error}"))?;
        same(
            "error",
            &body["error"]["message"].as_str(),
            &Some(failure.message.as_str()),
        )?;
    }
    Ok(())
}

fn check_answer(caller: Caller, provider: Provider, case: Case, answer: &Answered) -> Result<(), String> {
    let Reply::Both(name) = case.reply() else {
        unreachable!("there is an answer")
    };
    let told = Content::read_answer(caller, &answer.body)?;
    same("answer", &told, &Content::of(&answer.said).told_to(caller))?;
    let body: Value = serde_json::from_slice(&answer.body).expect("JSON");
    let said: Value = serde_json::from_slice(&provider.answer(name)?).expect("JSON");
    let usage = totals::of_provider(provider, &[said]);
    same("usage", &totals::of_caller(caller, &[body]), &usage)?;
    let tokens = answer.said.usage;
    same(
        "parts",
        &tokens.map(|usage| (usage.total_input(), usage.total_output())),
        &usage,
    )
}

fn check_whole(
    caller: Caller,
    provider: Provider,
    case: Case,
    name: &str,
    stream: &Streamed,
    request: &Asked,
) -> Result<(), String> {
    same("failure", &stream.failed, &None)?;
    if !has_end_mark(caller, &stream.out) {
        return Err("the stream does not end as the dialect wants it".into());
    }
    let told = Content::read_stream(caller, &stream.out)?;
    let said = Answer::gather(stream.events.iter().cloned()).map_err(|failure| format!("{failure:?}"))?;
    same("stream", &told, &Content::of(&said).told_to(caller))?;
    let whole = caller.inbound().write_answer(&said, &reply(provider, &request.chat));
    same("stream and whole answer", &told, &Content::read_answer(caller, &whole)?)?;
    let usage = totals::of_provider(provider, &provider.payloads(name)?);
    let parts = stream.usage.map(|usage| (usage.total_input(), usage.total_output()));
    same("parts in a stream", &parts, &usage)?;
    let wanted = match caller.0 {
        Dialect::OpenaiChat | Dialect::OpenaiCompletions => case != Case::Basic,
        Dialect::OpenaiResponses
        | Dialect::OpenaiEmbeddings
        | Dialect::AnthropicMessages
        | Dialect::GeminiGenerate
        | Dialect::GeminiEmbed
        | Dialect::GeminiBatchEmbed
        | Dialect::Native(_) => true,
    };
    let told = totals::of_caller(caller, &payloads(&stream.out));
    same("usage in a stream", &told, &usage.filter(|_| wanted))
}

fn check_broken(caller: Caller, stream: &Streamed) -> Result<(), String> {
    if stream.failed.is_none() {
        return Err("the stream broke off and nobody noticed".into());
    }
    if has_end_mark(caller, &stream.out) {
        return Err("the stream broke off and ends like a whole one".into());
    }
    match Content::read_stream(caller, &stream.out) {
        Ok(content) if caller.reader().is_some() => Err(format!("a broken stream is read as {content:?}")),
        Ok(_) | Err(_) => Ok(()),
    }
}

/// Each event's data is one line of JSON, or the end mark of OpenAI's streams.
fn check_lines(stream: &[u8]) -> Result<(), String> {
    let text = std::str::from_utf8(stream).map_err(|error| error.to_string())?;
    if !text.ends_with("\n\n") {
        return Err("the last event is not whole".into());
    }
    for line in text.lines() {
        let is_fine = match line.split_once(": ") {
            Some(("data", "[DONE]")) | Some(("event", _)) => true,
            Some(("data", data)) => serde_json::from_str::<Value>(data).is_ok_and(|data| data.is_object()),
            Some(_) => false,
            None => line.is_empty(),
        };
        if !is_fine {
            return Err(format!("not a line of an event: {line}"));
        }
    }
    Ok(())
}

fn has_end_mark(caller: Caller, stream: &[u8]) -> bool {
    let payloads = payloads(stream);
    let has_type = |names: &[&str]| {
        let mut types = payloads.iter().filter_map(|payload| payload["type"].as_str());
        types.any(|kind| names.contains(&kind))
    };
    match caller.0 {
        Dialect::OpenaiChat
        | Dialect::OpenaiCompletions
        | Dialect::OpenaiEmbeddings
        | Dialect::GeminiEmbed
        | Dialect::GeminiBatchEmbed
        | Dialect::Native(_) => {
            let finish = |payload: &Value| payload["choices"][0]["finish_reason"].is_string();
            stream.ends_with(b"data: [DONE]\n\n") && payloads.iter().any(finish)
        }
        Dialect::OpenaiResponses => has_type(&["response.completed", "response.incomplete"]),
        Dialect::AnthropicMessages => has_type(&["message_stop"]),
        Dialect::GeminiGenerate => {
            let finish = |payload: &Value| {
                payload["candidates"][0]["finishReason"].is_string() || payload["promptFeedback"].is_object()
            };
            payloads.iter().any(finish)
        }
    }
}
