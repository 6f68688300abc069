//! Writes a request to OpenAI's Responses API. Nothing is stored there: the whole conversation is sent each time, and
//! sealed thinking comes back to us to be sent again.

mod media;
mod turns;

use serde::Serialize;
use serde_json::Number;

use self::turns::Item;
use super::settings::{self, WrittenChoice, WrittenFormat, WrittenTool};
use crate::chat::{Amount, Chat, Format, Maker, Part, Sampling, Signature, Thinking, ToolChoice};
use crate::dialect::{Dropped, TargetFacts, Unsupported, Written, refuse_what_answers_cannot_hold};

/// OpenAI refuses smaller limits and longer names.
const LEAST_OUTPUT_TOKENS: u64 = 16;
const LONGEST_USER: usize = 128;

#[derive(Serialize)]
struct Body<'a> {
    model: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    instructions: Option<String>,
    input: Vec<Item<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tools: Vec<WrittenTool<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tool_choice: Option<WrittenChoice<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    parallel_tool_calls: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<TextConfig<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reasoning: Option<Reasoning>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    include: Vec<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_output_tokens: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    temperature: Option<&'a Number>,
    #[serde(skip_serializing_if = "Option::is_none")]
    top_p: Option<&'a Number>,
    #[serde(skip_serializing_if = "Option::is_none")]
    safety_identifier: Option<&'a str>,
    store: bool,
    #[serde(skip_serializing_if = "is_false")]
    stream: bool,
}

#[derive(Serialize)]
struct TextConfig<'a> {
    format: WrittenFormat<'a>,
}

#[derive(Serialize)]
struct Reasoning {
    #[serde(skip_serializing_if = "Option::is_none")]
    effort: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    summary: Option<&'static str>,
}

fn is_false(flag: &bool) -> bool {
    !*flag
}

pub(super) fn write_request(chat: &Chat, target: TargetFacts<'_>) -> Result<Written, Unsupported> {
    let mut dropped = Dropped::of(chat);
    let sampling = &chat.sampling;
    refuse_what_answers_cannot_hold(sampling)?;
    drop_sampling(sampling, &mut dropped);
    let input = turns::write(chat, &mut dropped)?;
    let has_tools = !chat.tools.is_empty();
    let has_marks =
        chat.instructions.iter().any(|text| text.cache.is_some()) || chat.tools.iter().any(|tool| tool.cache.is_some());
    dropped.add_if(has_marks, turns::CACHE_MARK);
    let body = Body {
        model: target.model,
        instructions: settings::instructions(chat),
        input,
        tools: chat.tools.iter().map(WrittenTool::of).collect(),
        // Without tools OpenAI refuses to hear about them.
        tool_choice: (has_tools && chat.tool_choice != ToolChoice::Auto).then(|| WrittenChoice::of(&chat.tool_choice)),
        parallel_tool_calls: chat.parallel_tools.filter(|_| has_tools),
        text: (chat.format != Format::Text).then(|| TextConfig {
            format: WrittenFormat::of(&chat.format),
        }),
        reasoning: chat.reasoning.as_ref().and_then(|wanted| {
            let effort = settings::effort(wanted.amount);
            let summary = (wanted.shown == Some(true)).then_some("auto");
            (effort.is_some() || summary.is_some()).then_some(Reasoning { effort, summary })
        }),
        include: if returns_thinking(chat) {
            vec!["reasoning.encrypted_content"]
        } else {
            Vec::new()
        },
        max_output_tokens: sampling.max_tokens.map(|limit| limit.max(LEAST_OUTPUT_TOKENS)),
        temperature: sampling.temperature.as_ref(),
        top_p: sampling.top_p.as_ref(),
        safety_identifier: chat.user.as_deref().filter(|user| user.len() <= LONGEST_USER),
        store: false,
        stream: chat.stream,
    };
    dropped.add_if(chat.user.is_some() && body.safety_identifier.is_none(), "user");
    Ok(Written {
        body: serde_json::to_vec(&body).expect("texts and numbers can always be written as JSON"),
        dropped,
    })
}

fn drop_sampling(sampling: &Sampling, dropped: &mut Dropped) {
    let too_few = sampling.max_tokens.is_some_and(|limit| limit < LEAST_OUTPUT_TOKENS);
    dropped.add_if(too_few, "max_tokens");
    dropped.add_if(sampling.top_k.is_some(), "top_k");
    dropped.add_if(sampling.frequency_penalty.is_some(), "frequency_penalty");
    dropped.add_if(sampling.presence_penalty.is_some(), "presence_penalty");
    dropped.add_if(sampling.seed.is_some(), "seed");
    dropped.add_if(!sampling.stop.is_empty(), "stop");
}

/// Models that do not think refuse to be asked for sealed thoughts.
fn returns_thinking(chat: &Chat) -> bool {
    let asked = chat
        .reasoning
        .as_ref()
        .is_some_and(|reasoning| reasoning.amount != Amount::Off);
    let mut parts = chat.turns.iter().flat_map(|turn| &turn.parts);
    asked || parts.any(|part| matches!(part, Part::Thinking(thinking) if own_signature(thinking).is_some()))
}

/// The signature of thinking that came from OpenAI, if it did.
fn own_signature(thinking: &Thinking) -> Option<&Signature> {
    thinking
        .signature
        .as_ref()
        .filter(|signature| signature.maker == Maker::Openai)
}
