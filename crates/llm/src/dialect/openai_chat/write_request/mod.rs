//! Writes a request to a provider that speaks this dialect, as far as it does.

mod media;
mod messages;
mod reasoning;

use serde::Serialize;
use serde_json::Number;

use self::messages::Message;
use self::reasoning::WrittenReasoning;
use super::quirks::{MaxTokensName, Quirks, SchemaSupport, SeedName};
use crate::chat::{CacheMark, Chat, Format, Json, Tool, ToolChoice};
use crate::dialect::{Dropped, TargetFacts, Unsupported, Written, refuse_what_answers_cannot_hold};

#[derive(Serialize)]
struct Request<'a> {
    model: &'a str,
    messages: Vec<Message<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tools: Vec<OfferedTool<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tool_choice: Option<WrittenChoice<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    parallel_tool_calls: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    response_format: Option<ResponseFormat<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_tokens: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_completion_tokens: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    temperature: Option<&'a Number>,
    #[serde(skip_serializing_if = "Option::is_none")]
    top_p: Option<&'a Number>,
    #[serde(skip_serializing_if = "Option::is_none")]
    top_k: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    frequency_penalty: Option<&'a Number>,
    #[serde(skip_serializing_if = "Option::is_none")]
    presence_penalty: Option<&'a Number>,
    #[serde(skip_serializing_if = "Option::is_none")]
    seed: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    random_seed: Option<i64>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    stop: &'a [Box<str>],
    #[serde(flatten)]
    reasoning: WrittenReasoning,
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<&'a str>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    stream: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    stream_options: Option<StreamOptions>,
}

#[derive(Serialize)]
struct StreamOptions {
    include_usage: bool,
}

#[derive(Serialize)]
struct OfferedTool<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    function: OfferedFunction<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cache_control: Option<CacheMark>,
}

#[derive(Serialize)]
struct OfferedFunction<'a> {
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    parameters: Option<&'a Json>,
    #[serde(skip_serializing_if = "Option::is_none")]
    strict: Option<bool>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum WrittenChoice<'a> {
    Word(&'static str),
    Function {
        #[serde(rename = "type")]
        kind: &'static str,
        function: Named<'a>,
    },
}

#[derive(Serialize)]
struct Named<'a> {
    name: &'a str,
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum ResponseFormat<'a> {
    JsonObject,
    JsonSchema { json_schema: DescribedSchema<'a> },
}

#[derive(Serialize)]
struct DescribedSchema<'a> {
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<&'a str>,
    schema: &'a Json,
    #[serde(skip_serializing_if = "Option::is_none")]
    strict: Option<bool>,
}

pub(super) fn write(chat: &Chat, target: TargetFacts<'_>, quirks: &Quirks) -> Result<Written, Unsupported> {
    refuse_what_answers_cannot_hold(&chat.sampling)?;
    let mut dropped = Dropped::of(chat);
    let sampling = &chat.sampling;
    let (max_tokens, max_completion_tokens) = match quirks.max_tokens {
        MaxTokensName::MaxTokens => (sampling.max_tokens, None),
        MaxTokensName::MaxCompletionTokens => (None, sampling.max_tokens),
    };
    let (seed, random_seed) = match quirks.seed {
        SeedName::Seed => (sampling.seed, None),
        SeedName::RandomSeed => (None, sampling.seed),
        SeedName::None => (None, None),
    };
    dropped.add_if(sampling.seed.is_some() && quirks.seed == SeedName::None, "seed");
    let mut kept = Keeper { dropped: &mut dropped };
    let request = Request {
        model: target.model,
        messages: messages::write(chat, quirks, kept.dropped)?,
        tools: write_tools(chat, quirks, kept.dropped),
        tool_choice: write_choice(chat),
        parallel_tool_calls: kept.if_taken(
            quirks.parallel_tool_calls && !chat.tools.is_empty(),
            chat.parallel_tools,
            "parallel_tool_calls",
        ),
        response_format: write_format(&chat.format, quirks)?,
        max_tokens,
        max_completion_tokens,
        temperature: sampling.temperature.as_ref(),
        top_p: sampling.top_p.as_ref(),
        top_k: kept.if_taken(quirks.top_k, sampling.top_k, "top_k"),
        frequency_penalty: kept.if_taken(
            quirks.penalties,
            sampling.frequency_penalty.as_ref(),
            "frequency_penalty",
        ),
        presence_penalty: kept.if_taken(quirks.penalties, sampling.presence_penalty.as_ref(), "presence_penalty"),
        seed,
        random_seed,
        stop: &sampling.stop,
        reasoning: reasoning::write(chat.reasoning.as_ref(), quirks.reasoning, kept.dropped),
        user: kept.if_taken(quirks.user, chat.user.as_deref(), "user"),
        stream: chat.stream,
        stream_options: (chat.stream && quirks.usage_in_stream).then_some(StreamOptions { include_usage: true }),
    };
    let body = serde_json::to_vec(&request).expect("texts, numbers and JSON can always be written as JSON");
    Ok(Written { body, dropped })
}

/// Leaves out what a provider does not take, and notes it.
struct Keeper<'d> {
    dropped: &'d mut Dropped,
}

impl Keeper<'_> {
    fn if_taken<T>(&mut self, is_taken: bool, value: Option<T>, name: &str) -> Option<T> {
        self.dropped.add_if(value.is_some() && !is_taken, name);
        value.filter(|_| is_taken)
    }
}

fn write_tools<'a>(chat: &'a Chat, quirks: &Quirks, dropped: &mut Dropped) -> Vec<OfferedTool<'a>> {
    let write_tool = |tool: &'a Tool| {
        dropped.add_if(tool.strict == Some(true) && !quirks.strict_tools, "tools.strict");
        dropped.add_if(tool.cache.is_some() && !quirks.cache_marks, "cache_control");
        OfferedTool {
            kind: "function",
            function: OfferedFunction {
                name: &tool.name,
                description: tool.description.as_deref(),
                parameters: tool.parameters.as_ref(),
                strict: tool.strict.filter(|_| quirks.strict_tools),
            },
            cache_control: tool.cache.filter(|_| quirks.cache_marks),
        }
    };
    chat.tools.iter().map(write_tool).collect()
}

fn write_choice(chat: &Chat) -> Option<WrittenChoice<'_>> {
    match &chat.tool_choice {
        ToolChoice::Auto => None,
        // Providers refuse a choice where there is nothing to choose from.
        ToolChoice::None => (!chat.tools.is_empty()).then_some(WrittenChoice::Word("none")),
        ToolChoice::Required => Some(WrittenChoice::Word("required")),
        ToolChoice::Named(name) => Some(WrittenChoice::Function {
            kind: "function",
            function: Named { name },
        }),
    }
}

fn write_format<'a>(format: &'a Format, quirks: &Quirks) -> Result<Option<ResponseFormat<'a>>, Unsupported> {
    let unsupported = |what: &str| {
        let message = format!("the model you named cannot guarantee {what}; ask for text, or choose another model");
        Err(Unsupported::new("response_format", message))
    };
    match (format, quirks.schemas) {
        (Format::Text, _) => Ok(None),
        (Format::Json, SchemaSupport::Strict | SchemaSupport::JsonOnly) => Ok(Some(ResponseFormat::JsonObject)),
        (Format::Json, SchemaSupport::None) => unsupported("JSON"),
        (Format::Schema(schema), SchemaSupport::Strict) => Ok(Some(ResponseFormat::JsonSchema {
            json_schema: DescribedSchema {
                name: &schema.name,
                description: schema.description.as_deref(),
                schema: &schema.schema,
                strict: schema.strict,
            },
        })),
        (Format::Schema(_), SchemaSupport::JsonOnly | SchemaSupport::None) => unsupported("answers of a JSON schema"),
    }
}
