//! A request to Google. Model and stream are not in it: they go into the address.

mod contents;
mod generation;
mod media;

use serde::Serialize;

use self::generation::GenerationConfig;
use super::Home;
use super::part::{Content, WirePart};
use crate::chat::{CacheMark, Chat, Json, Part, Tool, ToolChoice};
use crate::dialect::{Dropped, TargetFacts, Unsupported, Written};

/// Google's models before the third generation: they know neither media within results nor, all of them, signatures.
const FIRST_GENERATIONS: [&str; 2] = ["gemini-1", "gemini-2"];

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Request<'a> {
    contents: Vec<Content<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    system_instruction: Option<Content<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tools: Option<[ToolList<'a>; 1]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tool_config: Option<ToolConfig<'a>>,
    #[serde(skip_serializing_if = "GenerationConfig::is_empty")]
    generation_config: GenerationConfig<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ToolList<'a> {
    function_declarations: Vec<FunctionDeclaration<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct FunctionDeclaration<'a> {
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    parameters_json_schema: Option<&'a Json>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ToolConfig<'a> {
    function_calling_config: FunctionCallingConfig<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct FunctionCallingConfig<'a> {
    mode: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    allowed_function_names: Option<[&'a str; 1]>,
}

pub(super) fn write_request(chat: &Chat, target: TargetFacts<'_>) -> Result<Written, Unsupported> {
    let mut dropped = Dropped::of(chat);
    note_losses(chat, &mut dropped);
    let request = request(chat, target, &mut dropped)?;
    let body = serde_json::to_vec(&request).expect("a request can always be written as JSON");
    Ok(Written { body, dropped })
}

/// The body of `countTokens`, without what Vertex refuses there.
pub(super) fn write_count_request(chat: &Chat, target: TargetFacts<'_>, home: Home) -> Result<Written, Unsupported> {
    #[derive(Serialize)]
    struct Named<'a> {
        model: String,
        #[serde(flatten)]
        request: Request<'a>,
    }
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Wrapped<'a> {
        generate_content_request: Named<'a>,
    }
    let mut dropped = Dropped::of(chat);
    note_losses(chat, &mut dropped);
    let mut request = request(chat, target, &mut dropped)?;
    let body = match home {
        Home::AiStudio => serde_json::to_vec(&Wrapped {
            generate_content_request: Named {
                model: format!("models/{}", target.model),
                request,
            },
        }),
        Home::Vertex => {
            request.tool_config = None;
            serde_json::to_vec(&request)
        }
    };
    let body = body.expect("a request can always be written as JSON");
    Ok(Written { body, dropped })
}

fn request<'a>(chat: &'a Chat, target: TargetFacts<'_>, dropped: &mut Dropped) -> Result<Request<'a>, Unsupported> {
    Ok(Request {
        contents: contents::write(chat, target, dropped)?,
        system_instruction: system_instruction(chat),
        tools: tools(chat),
        tool_config: tool_config(&chat.tool_choice),
        generation_config: GenerationConfig::of(chat, target, dropped)?,
    })
}

fn is_of_first_generations(model: &str) -> bool {
    FIRST_GENERATIONS.iter().any(|generation| model.contains(generation))
}

/// What there is no place for, wherever it stands.
fn note_losses(chat: &Chat, dropped: &mut Dropped) {
    dropped.add_if(chat.user.is_some(), "user");
    dropped.add_if(chat.parallel_tools == Some(false), "parallel_tool_calls");
    dropped.add_if(chat.tools.iter().any(|tool| tool.strict == Some(true)), "tools.strict");
    let parts = chat.turns.iter().flat_map(|turn| &turn.parts);
    let marked = chat.instructions.iter().any(|text| text.cache.is_some())
        || chat.tools.iter().any(|tool| tool.cache.is_some())
        || parts.into_iter().any(|part| mark_of(part).is_some());
    dropped.add_if(marked, "cache_control");
}

fn mark_of(part: &Part) -> Option<CacheMark> {
    match part {
        Part::Text(text) => text.cache,
        Part::Media(media) => media.cache,
        Part::ToolCall(call) => call.cache,
        Part::ToolResult(result) => result.cache.or_else(|| result.parts.iter().find_map(mark_of)),
        Part::Thinking(_) | Part::Refusal(_) => None,
    }
}

fn system_instruction(chat: &Chat) -> Option<Content<'_>> {
    let said = chat
        .instructions
        .iter()
        .filter(|instruction| !instruction.text.is_empty());
    let parts: Vec<_> = said
        .map(|instruction| WirePart::text(&instruction.text, None))
        .collect();
    (!parts.is_empty()).then_some(Content { parts, role: None })
}

fn tools<'a>(chat: &'a Chat) -> Option<[ToolList<'a>; 1]> {
    let declaration = |tool: &'a Tool| FunctionDeclaration {
        name: &tool.name,
        description: tool.description.as_deref(),
        parameters_json_schema: tool.parameters.as_ref(),
    };
    let function_declarations: Vec<_> = chat.tools.iter().map(declaration).collect();
    (!function_declarations.is_empty()).then_some([ToolList { function_declarations }])
}

fn tool_config(choice: &ToolChoice) -> Option<ToolConfig<'_>> {
    let (mode, only) = match choice {
        ToolChoice::Auto => return None,
        ToolChoice::None => ("NONE", None),
        ToolChoice::Required => ("ANY", None),
        ToolChoice::Named(name) => ("ANY", Some([&**name])),
    };
    Some(ToolConfig {
        function_calling_config: FunctionCallingConfig {
            mode,
            allowed_function_names: only,
        },
    })
}
