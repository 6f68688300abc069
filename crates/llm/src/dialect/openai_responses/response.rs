//! The response object: a whole answer, and in a stream the frame around its items. It repeats what was asked for,
//! which OpenAI's clients insist on.

use serde::Serialize;
use serde_json::Number;

use super::ids::response_id;
use super::items::{Item, Status};
use super::settings::{self, Empty, WrittenChoice, WrittenFormat, WrittenTool};
use super::usage::WrittenUsage;
use crate::Tokens;
use crate::chat::{Amount, Chat};
use crate::dialect::{ErrorFacts, ReplyFacts};
use crate::event::Stop;

/// What stays the same from a stream's first event to its last.
#[derive(Debug)]
pub(super) struct Head {
    pub(super) id: String,
    pub(super) created_at: i64,
    pub(super) model: Box<str>,
}

/// How far the response is.
#[derive(Debug, Clone, Copy)]
pub(super) enum Progress<'a> {
    Running,
    Completed,
    Incomplete(&'static str),
    Failed(&'a ErrorFacts<'a>),
}

#[derive(Debug, Serialize)]
pub(super) struct Response<'a> {
    id: &'a str,
    object: &'static str,
    created_at: i64,
    status: &'static str,
    background: bool,
    error: Option<ResponseError<'a>>,
    incomplete_details: Option<IncompleteDetails>,
    instructions: Option<String>,
    max_output_tokens: Option<u64>,
    max_tool_calls: (),
    metadata: Empty,
    model: &'a str,
    output: &'a [Item],
    parallel_tool_calls: bool,
    previous_response_id: Option<&'a str>,
    prompt_cache_key: (),
    reasoning: WrittenReasoning,
    safety_identifier: Option<&'a str>,
    service_tier: &'static str,
    temperature: Option<&'a Number>,
    text: TextConfig<'a>,
    tool_choice: WrittenChoice<'a>,
    tools: Vec<WrittenTool<'a>>,
    top_logprobs: u64,
    top_p: Option<&'a Number>,
    truncation: &'static str,
    usage: Option<WrittenUsage>,
    user: (),
}

#[derive(Debug, Serialize)]
struct ResponseError<'a> {
    code: &'static str,
    message: &'a str,
}

#[derive(Debug, Serialize)]
struct IncompleteDetails {
    reason: &'static str,
}

#[derive(Debug, Serialize)]
struct WrittenReasoning {
    effort: Option<&'static str>,
    summary: Option<&'static str>,
}

#[derive(Debug, Serialize)]
struct TextConfig<'a> {
    format: WrittenFormat<'a>,
    verbosity: &'static str,
}

impl Head {
    /// `model` is what the provider called it, if it did.
    pub(super) fn new(reply: &ReplyFacts<'_>, model: Option<&str>) -> Self {
        Self {
            id: response_id(reply.request_id),
            created_at: reply.created,
            model: model.unwrap_or(reply.model).into(),
        }
    }
}

impl Progress<'_> {
    /// A refusal in the model's own words is a whole answer; a filter's is not.
    pub(super) fn of(stop: &Stop, has_refusal: bool) -> Self {
        match stop {
            Stop::End | Stop::Sequence(_) | Stop::ToolCalls | Stop::Paused => Self::Completed,
            Stop::Length | Stop::Context => Self::Incomplete("max_output_tokens"),
            Stop::Refused | Stop::Blocked if has_refusal => Self::Completed,
            Stop::Refused | Stop::Blocked => Self::Incomplete("content_filter"),
        }
    }

    /// The status of the item that was the last.
    pub(super) const fn last_item(&self) -> Status {
        match self {
            Self::Running | Self::Completed | Self::Failed(_) => Status::Completed,
            Self::Incomplete(_) => Status::Incomplete,
        }
    }

    const fn status(&self) -> &'static str {
        match self {
            Self::Running => "in_progress",
            Self::Completed => "completed",
            Self::Incomplete(_) => "incomplete",
            Self::Failed(_) => "failed",
        }
    }
}

impl<'a> Response<'a> {
    pub(super) fn new(
        head: &'a Head,
        asked: &'a Chat,
        progress: Progress<'a>,
        output: &'a [Item],
        usage: Option<&Tokens>,
    ) -> Self {
        let (error, incomplete_details) = match progress {
            Progress::Running | Progress::Completed => (None, None),
            Progress::Incomplete(reason) => (None, Some(IncompleteDetails { reason })),
            Progress::Failed(error) => (Some(ResponseError::of(error)), None),
        };
        Self {
            id: &head.id,
            object: "response",
            created_at: head.created_at,
            status: progress.status(),
            background: false,
            error,
            incomplete_details,
            instructions: settings::instructions(asked),
            max_output_tokens: asked.sampling.max_tokens,
            max_tool_calls: (),
            metadata: Empty {},
            model: &head.model,
            output,
            parallel_tool_calls: asked.parallel_tools.unwrap_or(true),
            previous_response_id: asked.continues.as_deref(),
            prompt_cache_key: (),
            reasoning: WrittenReasoning::of(asked),
            safety_identifier: asked.user.as_deref(),
            service_tier: "default",
            temperature: asked.sampling.temperature.as_ref(),
            text: TextConfig {
                format: WrittenFormat::of(&asked.format),
                verbosity: "medium",
            },
            tool_choice: WrittenChoice::repeated(asked),
            tools: asked
                .tools
                .iter()
                .map(|tool| WrittenTool::repeated(tool, asked))
                .collect(),
            top_logprobs: asked.sampling.top_logprobs.unwrap_or_default(),
            top_p: asked.sampling.top_p.as_ref(),
            truncation: "disabled",
            usage: usage.map(WrittenUsage::of),
            user: (),
        }
    }
}

impl WrittenReasoning {
    fn of(asked: &Chat) -> Self {
        let reasoning = asked.reasoning.as_ref();
        Self {
            effort: settings::effort(reasoning.map_or(Amount::Adaptive, |reasoning| reasoning.amount)),
            summary: reasoning
                .is_some_and(|reasoning| reasoning.shown == Some(true))
                .then_some("auto"),
        }
    }
}

impl<'a> ResponseError<'a> {
    /// The codes are an enumeration of OpenAI's; ours would not be in it.
    fn of(error: &ErrorFacts<'a>) -> Self {
        let code = match error.status {
            429 => "rate_limit_exceeded",
            400..500 => "invalid_prompt",
            _ => "server_error",
        };
        Self {
            code,
            message: error.message,
        }
    }
}
