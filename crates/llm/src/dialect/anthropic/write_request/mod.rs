//! Writes a provider's request: the body and, around the conversation, what Claude is asked for.

mod block;
mod media;
mod messages;
mod thinking;
mod tools;

use serde::Serialize;
use serde_json::Number;

use self::block::Block;
use self::messages::Message;
use self::thinking::{Plan, Thinking};
use super::Envelope;
use super::model::Model;
use crate::chat::{Chat, Format, Json, Sampling, Text};
use crate::dialect::{Dropped, TargetFacts, Unsupported, Written, refuse_what_answers_cannot_hold};

#[derive(Serialize)]
struct Body<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    anthropic_version: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    model: Option<&'a str>,
    max_tokens: u64,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    system: Vec<Block<'a>>,
    messages: Vec<Message<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tools: Vec<tools::Written<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tool_choice: Option<tools::Choice<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    thinking: Option<Thinking>,
    #[serde(skip_serializing_if = "OutputConfig::is_empty")]
    output_config: OutputConfig<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    temperature: Option<Number>,
    #[serde(skip_serializing_if = "Option::is_none")]
    top_p: Option<Number>,
    #[serde(skip_serializing_if = "Option::is_none")]
    top_k: Option<u64>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    stop_sequences: Vec<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    metadata: Option<Metadata<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stream: Option<bool>,
}

#[derive(Serialize)]
struct OutputConfig<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    effort: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    format: Option<OutputFormat<'a>>,
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum OutputFormat<'a> {
    JsonSchema { schema: &'a Json },
}

/// What of the sampling a model takes.
#[derive(Default)]
struct Taken {
    temperature: Option<Number>,
    top_p: Option<Number>,
    top_k: Option<u64>,
}

#[derive(Serialize)]
struct Metadata<'a> {
    user_id: &'a str,
}

pub(super) fn write(chat: &Chat, target: TargetFacts<'_>, envelope: Envelope) -> Result<Written, Unsupported> {
    refuse_what_answers_cannot_hold(&chat.sampling)?;
    let mut dropped = Dropped::of(chat);
    let model = Model::of(target.model);
    let plan = Plan::of(chat, target, model, &mut dropped);
    let taken = sampling(&chat.sampling, model, plan.thinks(), &mut dropped);
    let (named, stream) = match envelope {
        Envelope::Direct => (Some(target.model), chat.stream),
        Envelope::Vertex => (None, chat.stream),
        Envelope::Bedrock => (None, false),
    };
    let body = Body {
        anthropic_version: envelope.version(),
        model: named,
        max_tokens: plan.max_tokens,
        system: system(&chat.instructions),
        messages: messages::write(chat, envelope, &mut dropped)?,
        tools: tools::write(chat),
        tool_choice: tools::choice(chat),
        output_config: OutputConfig {
            effort: plan.effort,
            format: format(&chat.format)?,
        },
        temperature: taken.temperature,
        top_p: taken.top_p,
        top_k: taken.top_k,
        thinking: plan.thinking,
        stop_sequences: stop_sequences(&chat.sampling, &mut dropped),
        metadata: chat.user.as_deref().map(|user_id| Metadata { user_id }),
        stream: stream.then_some(true),
    };
    Ok(Written {
        body: serde_json::to_vec(&body).expect("texts, numbers and JSON can always be written as JSON"),
        dropped,
    })
}

/// Texts without a visible character would be refused.
fn system(instructions: &[Text]) -> Vec<Block<'_>> {
    instructions.iter().filter_map(Block::text).collect()
}

fn format(format: &Format) -> Result<Option<OutputFormat<'_>>, Unsupported> {
    match format {
        Format::Text => Ok(None),
        Format::Json => Err(Unsupported::new(
            "response_format",
            "Claude cannot be held to JSON without a schema; give one in a 'response_format' of type 'json_schema'",
        )),
        Format::Schema(schema) => Ok(Some(OutputFormat::JsonSchema { schema: &schema.schema })),
    }
}

fn sampling(sampling: &Sampling, model: Model, thinks: bool, dropped: &mut Dropped) -> Taken {
    dropped.add_if(sampling.frequency_penalty.is_some(), "frequency_penalty");
    dropped.add_if(sampling.presence_penalty.is_some(), "presence_penalty");
    dropped.add_if(sampling.seed.is_some(), "seed");
    if thinks || !model.takes_sampling() {
        dropped.add_if(sampling.temperature.is_some(), "temperature");
        dropped.add_if(sampling.top_p.is_some(), "top_p");
        dropped.add_if(sampling.top_k.is_some(), "top_k");
        return Taken::default();
    }
    let temperature = sampling.temperature.as_ref().map(clamped);
    dropped.add_if(temperature != sampling.temperature, "temperature");
    // Models take one of them.
    let top_p = sampling.top_p.clone().filter(|_| temperature.is_none());
    dropped.add_if(top_p != sampling.top_p, "top_p");
    Taken {
        temperature,
        top_p,
        top_k: sampling.top_k,
    }
}

/// OpenAI's temperatures go up to 2.
fn clamped(temperature: &Number) -> Number {
    match temperature.as_f64() {
        Some(degrees) if degrees > 1.0 => 1.into(),
        Some(degrees) if degrees < 0.0 => 0.into(),
        _ => temperature.clone(),
    }
}

fn stop_sequences<'a>(sampling: &'a Sampling, dropped: &mut Dropped) -> Vec<&'a str> {
    let visible = |text: &&str| !text.trim().is_empty();
    let stop: Vec<_> = sampling.stop.iter().map(|text| &**text).filter(visible).collect();
    dropped.add_if(stop.len() < sampling.stop.len(), "stop");
    stop
}

impl OutputConfig<'_> {
    fn is_empty(&self) -> bool {
        self.effort.is_none() && self.format.is_none()
    }
}
