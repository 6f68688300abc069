//! Writes a chat request.

use serde::Serialize;
use serde_json::Number;

use super::write_messages::{self, Message};
use crate::chat::{Amount, Chat, Format, Json, Reasoning, Tool, ToolChoice};
use crate::dialect::{Dropped, TargetFacts, Unsupported, Written, refuse_what_answers_cannot_hold};

/// What Cohere takes of each.
const MOST_STOPS: usize = 5;
const LARGEST_K: u64 = 500;

#[derive(Serialize)]
struct Request<'a> {
    model: &'a str,
    messages: Vec<Message<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tools: Vec<OfferedTool<'a>>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    strict_tools: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    tool_choice: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    response_format: Option<ResponseFormat<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    thinking: Option<Thinking>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_tokens: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    temperature: Option<&'a Number>,
    #[serde(skip_serializing_if = "Option::is_none")]
    p: Option<Number>,
    #[serde(skip_serializing_if = "Option::is_none")]
    k: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    frequency_penalty: Option<Number>,
    #[serde(skip_serializing_if = "Option::is_none")]
    presence_penalty: Option<Number>,
    #[serde(skip_serializing_if = "Option::is_none")]
    seed: Option<i64>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    stop_sequences: &'a [Box<str>],
    stream: bool,
}

#[derive(Serialize)]
struct OfferedTool<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    function: Function<'a>,
}

#[derive(Serialize)]
struct Function<'a> {
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<&'a str>,
    parameters: Parameters<'a>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Parameters<'a> {
    Schema(&'a Json),
    /// Cohere insists on a schema.
    None(NoParameters),
}

#[derive(Serialize)]
struct NoParameters {
    #[serde(rename = "type")]
    kind: &'static str,
    properties: Nothing,
}

#[derive(Serialize)]
struct Nothing {}

#[derive(Serialize)]
struct ResponseFormat<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    json_schema: Option<&'a Json>,
}

#[derive(Serialize)]
struct Thinking {
    #[serde(rename = "type")]
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    token_budget: Option<u64>,
}

pub(super) fn write(chat: &Chat, target: TargetFacts<'_>) -> Result<Written, Unsupported> {
    check(chat)?;
    let mut dropped = Dropped::of(chat);
    let sampling = &chat.sampling;
    let (tools, tool_choice) = offered(chat)?;
    dropped.add_if(chat.parallel_tools == Some(false), "parallel_tool_calls");
    dropped.add_if(chat.user.is_some(), "user");
    dropped.add_if(chat.tools.iter().any(|tool| tool.cache.is_some()), "cache_control");
    let strict_tools = !tools.is_empty() && tools.iter().all(|tool| tool.strict == Some(true));
    // It is all tools or none.
    let some_strict = tools.iter().any(|tool| tool.strict == Some(true));
    dropped.add_if(some_strict && !strict_tools, "tools.strict");
    let k = sampling.top_k.map(|k| k.min(LARGEST_K));
    dropped.add_if(k != sampling.top_k, "top_k");
    let seed = sampling.seed.filter(|seed| *seed >= 0);
    dropped.add_if(seed != sampling.seed, "seed");
    let mut clamp = Clamp { dropped: &mut dropped };
    let (p, frequency_penalty, presence_penalty) = (
        clamp.between(0.01, 0.99, sampling.top_p.as_ref(), "top_p"),
        clamp.between(0.0, 1.0, sampling.frequency_penalty.as_ref(), "frequency_penalty"),
        clamp.between(0.0, 1.0, sampling.presence_penalty.as_ref(), "presence_penalty"),
    );
    let request = Request {
        model: target.model,
        messages: write_messages::write(chat, &mut dropped)?,
        tools: tools.into_iter().map(write_tool).collect(),
        strict_tools,
        tool_choice,
        response_format: write_format(&chat.format),
        thinking: chat.reasoning.as_ref().map(write_thinking),
        max_tokens: sampling.max_tokens,
        temperature: sampling.temperature.as_ref(),
        p,
        k,
        frequency_penalty,
        presence_penalty,
        seed,
        stop_sequences: &sampling.stop,
        stream: chat.stream,
    };
    let body = serde_json::to_vec(&request).expect("texts, numbers and JSON can always be written as JSON");
    Ok(Written { body, dropped })
}

fn check(chat: &Chat) -> Result<(), Unsupported> {
    let unsupported = |param, message: &str| Err(Unsupported::new(param, message));
    refuse_what_answers_cannot_hold(&chat.sampling)?;
    if chat.sampling.stop.len() > MOST_STOPS {
        return unsupported("stop", "the model you named takes five stop sequences at most");
    }
    if chat.format != Format::Text && !chat.tools.is_empty() {
        return unsupported(
            "response_format",
            "the model you named cannot answer in JSON while it has tools; leave out one of them",
        );
    }
    Ok(())
}

/// A tool cannot be named; but where only one is offered, that one must be called.
fn offered(chat: &Chat) -> Result<(Vec<&Tool>, Option<&'static str>), Unsupported> {
    let all = || chat.tools.iter().collect();
    match &chat.tool_choice {
        ToolChoice::Auto => Ok((all(), None)),
        ToolChoice::None if chat.tools.is_empty() => Ok((all(), None)),
        ToolChoice::None => Ok((all(), Some("NONE"))),
        ToolChoice::Required => Ok((all(), Some("REQUIRED"))),
        ToolChoice::Named(name) => match chat.tools.iter().find(|tool| tool.name == *name) {
            Some(tool) => Ok((vec![tool], Some("REQUIRED"))),
            None => Err(Unsupported::new(
                "tool_choice",
                format!("'{name}' is to be called and is not among the tools"),
            )),
        },
    }
}

fn write_tool(tool: &Tool) -> OfferedTool<'_> {
    let parameters = match &tool.parameters {
        Some(schema) => Parameters::Schema(schema),
        None => Parameters::None(NoParameters {
            kind: "object",
            properties: Nothing {},
        }),
    };
    OfferedTool {
        kind: "function",
        function: Function {
            name: &tool.name,
            description: tool.description.as_deref(),
            parameters,
        },
    }
}

fn write_format(format: &Format) -> Option<ResponseFormat<'_>> {
    let json_schema = match format {
        Format::Text => return None,
        Format::Json => None,
        Format::Schema(schema) => Some(&schema.schema),
    };
    Some(ResponseFormat {
        kind: "json_object",
        json_schema,
    })
}

fn write_thinking(reasoning: &Reasoning) -> Thinking {
    let (kind, token_budget) = match reasoning.amount {
        Amount::Off | Amount::Budget(0) => ("disabled", None),
        Amount::Adaptive => ("enabled", None),
        Amount::Effort(effort) => ("enabled", Some(effort.budget())),
        Amount::Budget(budget) => ("enabled", Some(budget)),
    };
    Thinking { kind, token_budget }
}

/// Keeps numbers within what Cohere takes, and notes those it changes.
struct Clamp<'d> {
    dropped: &'d mut Dropped,
}

impl Clamp<'_> {
    fn between(&mut self, least: f64, most: f64, number: Option<&Number>, name: &str) -> Option<Number> {
        let number = number?;
        let fits = number.as_f64().is_some_and(|value| (least..=most).contains(&value));
        if fits {
            return Some(number.clone());
        }
        self.dropped.add(name);
        Number::from_f64(number.as_f64()?.clamp(least, most))
    }
}
