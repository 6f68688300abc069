//! How much to think and in what form to answer: `thinking`, `output_config` and its predecessor `output_format`.

use super::Unheld;
use crate::BadRequest;
use crate::chat::{Amount, Effort, Format, Reasoning, Schema};
use crate::dialect::read::Field;
use crate::json::Kind;

/// Anthropic's schemas have no name, but other dialects want one.
const SCHEMA_NAME: &str = "answer";

#[derive(Debug, Default)]
pub(super) struct Output {
    pub(super) format: Format,
    thinking: Option<Amount>,
    shown: Option<bool>,
    effort: Option<Effort>,
}

impl Output {
    pub(super) fn read_thinking(&mut self, field: Field<'_, '_>, unheld: &mut Unheld) -> Result<(), BadRequest> {
        let mut budget = None;
        field.members(|key, value| {
            match key {
                "type" => {}
                "budget_tokens" => budget = Some(value.count()?),
                "display" => match &*value.text()? {
                    "summarized" => self.shown = Some(true),
                    "omitted" => self.shown = Some(false),
                    // There is a beta for more, and an answer that shows them in another way is still one.
                    _ => unheld.note("thinking", key),
                },
                other => unheld.note("thinking", other),
            }
            Ok(())
        })?;
        self.thinking = Some(match field.member_text("type").as_deref() {
            Some("enabled") => Amount::Budget(budget.ok_or_else(|| field.lacks("budget_tokens"))?),
            Some("adaptive") => Amount::Adaptive,
            // Off but for short notes between tool calls, which no other dialect can ask for.
            Some("disabled" | "between_tools") => Amount::Off,
            Some(other) => {
                return Err(field.refuse(&format!(
                    "is of type '{other}', which is not known; use 'enabled', 'adaptive' or 'disabled'"
                )));
            }
            None if field.kind() == Kind::Object => return Err(field.lacks("type")),
            None => return Err(field.expected("an object")),
        });
        Ok(())
    }

    pub(super) fn read_config(&mut self, field: Field<'_, '_>, unheld: &mut Unheld) -> Result<(), BadRequest> {
        field.members(|key, value| {
            match key {
                "effort" => {
                    let effort = Effort::parse(&value.text()?);
                    let words = "must be one of 'low', 'medium', 'high', 'xhigh' and 'max'";
                    self.effort = Some(effort.ok_or_else(|| value.refuse(words))?);
                }
                "format" => self.read_format(value, unheld)?,
                other => unheld.note("output_config", other),
            }
            Ok(())
        })
    }

    pub(super) fn read_format(&mut self, field: Field<'_, '_>, unheld: &mut Unheld) -> Result<(), BadRequest> {
        let mut schema = None;
        field.members(|key, value| {
            match key {
                "type" if &*value.text()? == "json_schema" => {}
                "type" => return Err(value.refuse("is not known; use 'json_schema'")),
                "schema" if value.kind() == Kind::Object => schema = Some(value.json()?),
                "schema" => return Err(value.expected("an object")),
                other => unheld.note("output_config.format", other),
            }
            Ok(())
        })?;
        self.format = Format::Schema(Schema {
            name: SCHEMA_NAME.into(),
            description: None,
            schema: schema.ok_or_else(|| field.lacks("schema"))?,
            // Anthropic's answers always keep to the schema.
            strict: Some(true),
        });
        Ok(())
    }

    /// A budget says more than an effort.
    pub(super) fn reasoning(&self, unheld: &mut Unheld) -> Option<Reasoning> {
        let amount = match (self.thinking, self.effort) {
            (Some(Amount::Adaptive) | None, Some(effort)) => Amount::Effort(effort),
            (thinking, effort) => {
                if effort.is_some() {
                    unheld.note("output_config", "effort");
                }
                thinking?
            }
        };
        let shown = self.shown;
        Some(Reasoning { amount, shown })
    }
}
