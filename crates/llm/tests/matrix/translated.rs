//! One case of one pair, put through the crate's front doors as the proxy does it.

use std::fmt;

use chrono::DateTime;
use gatewright_llm::chat::Chat;
use gatewright_llm::dialect::{Dropped, ErrorFacts, ReplyFacts, TargetFacts};
use gatewright_llm::event::{Answer, Event};
use gatewright_llm::{Failure, FailureKind, Tokens, TranslatedStream, classify};
use http::HeaderMap;

use crate::callers::Caller;
use crate::cases::{Case, Reply};
use crate::providers::Provider;

/// What came of it.
pub(crate) enum Told {
    Refused(String),
    Asked(Box<Exchange>),
}

pub(crate) struct Exchange {
    pub(crate) request: Asked,
    pub(crate) answer: Option<Answered>,
    pub(crate) stream: Option<Streamed>,
    pub(crate) error: Option<(Failure, Vec<u8>)>,
}

pub(crate) struct Asked {
    pub(crate) chat: Chat,
    body: Vec<u8>,
    dropped: Dropped,
}

pub(crate) struct Answered {
    /// As the provider's dialect was read.
    pub(crate) said: Answer,
    pub(crate) body: Vec<u8>,
}

pub(crate) struct Streamed {
    /// As the provider's dialect was read.
    pub(crate) events: Vec<Event>,
    pub(crate) out: Vec<u8>,
    pub(crate) usage: Option<Tokens>,
    pub(crate) failed: Option<Failure>,
}

/// Refusals are results; what is no result is a fixture that is missing.
pub(crate) fn translate(caller: Caller, provider: Provider, case: Case) -> Result<Told, String> {
    let streams = matches!(case.reply(), Reply::Stream(_) | Reply::Broken(_) | Reply::Stalled(_));
    let body = caller.body(case)?;
    let request = match caller.parse(body, streams || case == Case::ParallelTools) {
        Ok(request) => request,
        Err(bad) => return Ok(Told::Refused(format!("bad request, {:?}: {bad}", bad.param))),
    };
    let mut chat = match request.read() {
        Ok(chat) => chat,
        Err(bad) => return Ok(Told::Refused(format!("bad request, {:?}: {bad}", bad.param))),
    };
    if let Err(wrong) = fetch(&mut chat, provider) {
        return Ok(Told::Refused(wrong));
    }
    let target = TargetFacts {
        model: provider.model(),
        output_limit: Some(8_192),
    };
    let written = match provider.outbound().write_request(&chat, target) {
        Ok(written) => written,
        Err(unsupported) => {
            return Ok(Told::Refused(format!(
                "unsupported, {}: {unsupported}",
                unsupported.param
            )));
        }
    };
    let reply = ReplyFacts {
        // One case shows what callers see who did not ask.
        usage_wanted: case != Case::Basic || request.caller_asked_usage(),
        ..reply(provider, &chat)
    };
    let answer = match case.reply() {
        Reply::Both(name) => Some(answered(caller, provider, name, &reply)?),
        Reply::Stream(_) | Reply::Error | Reply::Broken(_) | Reply::Stalled(_) => None,
    };
    let stream = match case.reply() {
        Reply::Both(name) | Reply::Stream(name) | Reply::Broken(name) => {
            Some(streamed(caller, provider, &provider.stream(name)?, &reply))
        }
        Reply::Stalled(name) => Some(stalled(caller, provider, &provider.stream(name)?, &reply)),
        Reply::Error => None,
    };
    let error = match case.reply() {
        Reply::Error => Some(failed(caller, provider)?),
        Reply::Both(_) | Reply::Stream(_) | Reply::Broken(_) | Reply::Stalled(_) => None,
    };
    let request = Asked {
        chat,
        body: written.body,
        dropped: written.dropped,
    };
    Ok(Told::Asked(Box::new(Exchange {
        request,
        answer,
        stream,
        error,
    })))
}

/// Every address in the web leads to the same small picture.
fn fetch(chat: &mut Chat, provider: Provider) -> Result<(), String> {
    const PICTURE: &[u8] = b"\xff\xd8\xff\xdb\0\x04\0\0\xff\xd9";
    let outbound = provider.outbound();
    chat.wanted_files(outbound).map_err(|refused| refused.to_string())?;
    let put = chat.put_files(outbound, |_| Some(PICTURE));
    put.map_err(|wrong| wrong.to_string())
}

pub(crate) fn reply(provider: Provider, chat: &Chat) -> ReplyFacts<'_> {
    ReplyFacts {
        request_id: "req_0001",
        model: provider.model(),
        created: 1_767_225_600,
        usage_wanted: true,
        chat,
    }
}

fn answered(caller: Caller, provider: Provider, name: &str, reply: &ReplyFacts<'_>) -> Result<Answered, String> {
    let answer = provider.answer(name)?;
    let said = provider
        .outbound()
        .read_answer(&answer)
        .map_err(|failure| format!("{failure:?}"))?;
    let body = caller.inbound().write_answer(&said, reply);
    Ok(Answered { said, body })
}

fn streamed(caller: Caller, provider: Provider, bytes: &[u8], reply: &ReplyFacts<'_>) -> Streamed {
    let outbound = provider.outbound();
    let mut stream = TranslatedStream::new(outbound.decoder(), caller.inbound().encoder(reply));
    let mut out = Vec::new();
    let mut failed = None;
    // Odd pieces, so that events are cut in all places.
    for piece in bytes.chunks(41) {
        let seen = stream.push(piece);
        out.extend(seen.out.into_iter().flatten());
        failed = failed.or(seen.failed);
    }
    let ended = stream.end();
    out.extend(ended.out.into_iter().flatten());
    failed = failed.or(ended.failed);
    match &failed {
        Some(failure) => out.extend(stream.failure(&error(502, &failure.message, "upstream_error"))),
        None => out.extend(stream.trailer()),
    }
    Streamed {
        events: events(provider, bytes),
        out,
        usage: ended.facts.usage,
        failed,
    }
}

/// The proxy notices that nothing comes.
fn stalled(caller: Caller, provider: Provider, bytes: &[u8], reply: &ReplyFacts<'_>) -> Streamed {
    let mut stream = TranslatedStream::new(provider.outbound().decoder(), caller.inbound().encoder(reply));
    let mut out: Vec<u8> = stream.push(bytes).out.into_iter().flatten().collect();
    let usage = stream.end().facts.usage;
    let message = "the provider sent nothing for 60 s";
    out.extend(stream.failure(&error(504, message, "upstream_timeout")));
    Streamed {
        events: events(provider, bytes),
        out,
        usage,
        failed: Some(Failure::new(FailureKind::Timeout, message)),
    }
}

fn events(provider: Provider, bytes: &[u8]) -> Vec<Event> {
    let mut decoder = provider.outbound().decoder();
    let mut events = Vec::new();
    decoder.push(bytes, &mut events);
    decoder.end(&mut events);
    events
}

pub(crate) fn failed(caller: Caller, provider: Provider) -> Result<(Failure, Vec<u8>), String> {
    let status = provider.error_status();
    let body = provider.answer("error-before")?;
    let failure = classify(status, &HeaderMap::new(), &body, DateTime::UNIX_EPOCH);
    let facts = match failure.kind {
        FailureKind::BadRequest => error(400, &failure.message, "upstream_bad_request"),
        FailureKind::RateLimited => error(429, &failure.message, "upstream_rate_limited"),
        FailureKind::Overloaded => error(503, &failure.message, "upstream_overloaded"),
        FailureKind::Credential
        | FailureKind::NotFound
        | FailureKind::Server
        | FailureKind::Timeout
        | FailureKind::Connection
        | FailureKind::Malformed
        | FailureKind::ErrorEvent => error(502, &failure.message, "upstream_error"),
    };
    let body = caller.inbound().write_error(&facts);
    Ok((failure, body))
}

fn error<'a>(status: u16, message: &'a str, code: &'a str) -> ErrorFacts<'a> {
    ErrorFacts {
        status,
        message,
        code,
        param: None,
        request_id: "req_0001",
    }
}

impl fmt::Display for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Exchange {
            request,
            answer,
            stream,
            error,
        } = match self {
            Self::Refused(why) => return writeln!(f, "# refused\n{why}"),
            Self::Asked(exchange) => &**exchange,
        };
        writeln!(f, "# request out\n{}", String::from_utf8_lossy(&request.body))?;
        if !request.dropped.is_empty() {
            writeln!(f, "\n# dropped\n{}", request.dropped)?;
        }
        if let Some(answer) = answer {
            writeln!(f, "\n# answer back\n{}", String::from_utf8_lossy(&answer.body))?;
            writeln!(f, "\n# answer's usage\n{}", usage(answer.said.usage))?;
        }
        if let Some(stream) = stream {
            write!(f, "\n# stream back\n{}", String::from_utf8_lossy(&stream.out))?;
            writeln!(f, "\n# stream's usage\n{}", usage(stream.usage))?;
        }
        if let Some((failure, body)) = error {
            writeln!(f, "\n# failure\n{}", told(failure))?;
            writeln!(f, "\n# error back\n{}", String::from_utf8_lossy(body))?;
        }
        Ok(())
    }
}

pub(crate) fn usage(usage: Option<Tokens>) -> String {
    usage.map_or("none".into(), |usage| serde_json::to_string(&usage).expect("usage"))
}

pub(crate) fn told(failure: &Failure) -> String {
    let Failure {
        kind,
        status,
        message,
        code,
        retry_after,
        should_retry: _,
        used: _,
    } = failure;
    format!("{kind:?} status={status:?} code={code:?} retry_after={retry_after:?} message={message:?}")
}
