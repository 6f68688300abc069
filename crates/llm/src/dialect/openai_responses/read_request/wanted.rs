//! Reads what kind of answer is wanted: the format of its text, and how much thinking goes before it.

use crate::BadRequest;
use crate::chat::{Amount, Chat, Effort, Format, Reasoning, Schema, note};
use crate::dialect::read::Field;

pub(super) fn read_text(field: &Field<'_, '_>, chat: &mut Chat) -> Result<(), BadRequest> {
    field.members(|name, member| {
        match name {
            "format" => chat.format = read_format(&member)?,
            other => note(&mut chat.unheld, &format!("text.{other}")),
        }
        Ok(())
    })
}

fn read_format(field: &Field<'_, '_>) -> Result<Format, BadRequest> {
    let (mut kind, mut called, mut description, mut schema, mut strict) = (None, None, None, None, None);
    field.members(|name, member| {
        match name {
            "type" => kind = Some(member.text()?),
            "name" => called = Some(member.boxed()?),
            "description" => description = Some(member.boxed()?),
            "schema" => schema = Some(member.json()?),
            "strict" => strict = Some(member.flag()?),
            _ => {}
        }
        Ok(())
    })?;
    match kind.as_deref() {
        Some("text") => Ok(Format::Text),
        Some("json_object") => Ok(Format::Json),
        Some("json_schema") => Ok(Format::Schema(Schema {
            name: called.ok_or_else(|| field.lacks("name"))?,
            description,
            schema: schema.ok_or_else(|| field.lacks("schema"))?,
            strict,
        })),
        Some(other) => Err(field.refuse(&format!(
            "is of type '{other}'; it must be text, json_object or json_schema"
        ))),
        None => Err(field.lacks("type")),
    }
}

pub(super) fn read_reasoning(
    field: &Field<'_, '_>,
    unheld: &mut Vec<Box<str>>,
) -> Result<Option<Reasoning>, BadRequest> {
    let (mut amount, mut shown) = (None, None);
    field.members(|name, member| {
        match name {
            "effort" => amount = Some(read_effort(&member)?),
            // How long the summary should be is for the model to know.
            "summary" | "generate_summary" => shown = Some(!member.text()?.is_empty()),
            other => note(unheld, &format!("reasoning.{other}")),
        }
        Ok(())
    })?;
    Ok(match (amount, shown) {
        (None, None) => None,
        (amount, shown) => Some(Reasoning {
            amount: amount.unwrap_or(Amount::Adaptive),
            shown,
        }),
    })
}

fn read_effort(field: &Field<'_, '_>) -> Result<Amount, BadRequest> {
    let text = field.text()?;
    if text == "none" {
        return Ok(Amount::Off);
    }
    let effort = Effort::parse(&text);
    effort
        .map(Amount::Effort)
        .ok_or_else(|| field.refuse("must be none, minimal, low, medium, high, xhigh or max"))
}
