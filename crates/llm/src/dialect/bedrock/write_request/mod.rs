//! Writes a chat as the body of Converse and ConverseStream, which take the same. The address names the model and tells
//! the two apart.

mod media;
mod messages;
mod sampling;
mod thinking;
mod tools;

use serde::Serialize;

use super::family::Family;
use crate::chat::{CacheMark, Chat, Format, Schema, Text};
use crate::dialect::{Dropped, TargetFacts, Unsupported, Written, refuse_what_answers_cannot_hold};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Body<'a> {
    messages: Vec<messages::Message<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    system: Vec<messages::Block<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    inference_config: Option<sampling::InferenceConfig<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tool_config: Option<tools::ToolConfig<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    additional_model_request_fields: Option<thinking::ModelFields>,
    #[serde(skip_serializing_if = "Option::is_none")]
    additional_model_response_field_paths: Option<[&'static str; 1]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    output_config: Option<OutputConfig<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct OutputConfig<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    text_format: Option<TextFormat<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    effort: Option<&'static str>,
}

#[derive(Serialize)]
struct TextFormat<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    structure: Structure<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Structure<'a> {
    json_schema: JsonSchema<'a>,
}

#[derive(Serialize)]
struct JsonSchema<'a> {
    /// JSON inside of a string.
    schema: &'a str,
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<&'a str>,
}

/// The prompt is to be cached up to here.
#[derive(Serialize)]
pub(super) struct CachePoint {
    #[serde(rename = "type")]
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    ttl: Option<&'static str>,
}

pub(super) fn write(chat: &Chat, target: TargetFacts<'_>) -> Result<Written, Unsupported> {
    refuse_what_answers_cannot_hold(&chat.sampling)?;
    let family = Family::of(target.model);
    let mut dropped = Dropped::of(chat);
    dropped.add_if(chat.user.is_some(), "user");
    // Calling several tools at once is every model's habit.
    dropped.add_if(chat.parallel_tools == Some(false), "parallel_tool_calls");
    let text_format = text_format(&chat.format, family)?;
    let thinking = thinking::plan(chat, family, target.output_limit, &mut dropped);
    let inference_config = sampling::write(chat, family, &thinking, &mut dropped);
    let mut fields = thinking.fields;
    fields.limit_choice(sampling::top_k(chat, family, thinking.is_on, &mut dropped), family);
    let body = Body {
        system: system(&chat.instructions, family, &mut dropped),
        messages: messages::write(chat, family, &mut dropped)?,
        tool_config: tools::write(chat, family, &mut dropped)?,
        inference_config,
        additional_model_request_fields: fields.if_any(),
        additional_model_response_field_paths: response_fields(chat, family),
        output_config: (text_format.is_some() || thinking.effort.is_some()).then_some(OutputConfig {
            text_format,
            effort: thinking.effort,
        }),
    };
    let body = serde_json::to_vec(&body).expect("texts and checked JSON can always be written");
    Ok(Written { body, dropped })
}

fn text_format(format: &Format, family: Family) -> Result<Option<TextFormat<'_>>, Unsupported> {
    let refuse = |message: &str| Err(Unsupported::new("response_format", message));
    let schema: &Schema = match format {
        Format::Text => return Ok(None),
        Format::Json => return refuse("this model cannot be held to JSON of any shape; give a JSON schema"),
        Format::Schema(_) if !family.keeps_to_schemas() => {
            return refuse("this model cannot be held to a JSON schema; use another model, or a tool");
        }
        Format::Schema(schema) => schema,
    };
    Ok(Some(TextFormat {
        kind: "json_schema",
        structure: Structure {
            json_schema: JsonSchema {
                schema: schema.schema.text(),
                name: &schema.name,
                description: schema.description.as_deref(),
            },
        },
    }))
}

fn system<'a>(instructions: &'a [Text], family: Family, dropped: &mut Dropped) -> Vec<messages::Block<'a>> {
    let mut blocks = Vec::new();
    for text in instructions.iter().filter(|text| !is_blank(&text.text)) {
        blocks.push(messages::Block::Text(&text.text));
        let point = CachePoint::of(text.cache, family, dropped);
        blocks.extend(point.map(messages::Block::CachePoint));
    }
    blocks
}

/// Models of Anthropic's can tell which stop sequence came up; it is asked for as the documentation shows.
fn response_fields(chat: &Chat, family: Family) -> Option<[&'static str; 1]> {
    let tells = matches!(family, Family::Claude(_)) && !chat.sampling.stop.is_empty();
    tells.then_some(["/stop_sequence"])
}

impl CachePoint {
    /// What becomes of a caller's mark.
    fn of(mark: Option<CacheMark>, family: Family, dropped: &mut Dropped) -> Option<Self> {
        let mark = mark?;
        if !family.takes_cache_points() {
            dropped.add("cache_control");
            return None;
        }
        let ttl = match mark {
            CacheMark::FiveMinutes => None,
            CacheMark::OneHour if family.caches_for_an_hour() => Some("1h"),
            CacheMark::OneHour => {
                dropped.add("cache_control.ttl");
                None
            }
        };
        Some(Self { kind: "default", ttl })
    }
}

/// Bedrock refuses texts without a visible character.
fn is_blank(text: &str) -> bool {
    text.trim().is_empty()
}

#[cfg(test)]
mod tests;
