//! How the answer is to be made: sampling, length, format and thinking.

use super::super::key::camel;
use super::super::schema;
use super::leave_out;
use crate::BadRequest;
use crate::chat::{Amount, Chat, Effort, Format, Json, Reasoning, Schema};
use crate::dialect::read::Field;

/// Other dialects insist on a name for a schema.
const SCHEMA_NAME: &str = "response";

/// What is said about the answer's format, in several places.
#[derive(Debug, Default)]
struct Wanted {
    json: bool,
    schema: Option<Json>,
}

pub(super) fn read(field: Field<'_, '_>, chat: &mut Chat) -> Result<(), BadRequest> {
    let mut wanted = Wanted::default();
    let mut logprobs = None;
    let mut with_logprobs = false;
    field.members(|key, member| {
        let sampling = &mut chat.sampling;
        match &*camel(key) {
            "maxOutputTokens" => sampling.max_tokens = Some(member.count()?),
            "temperature" => sampling.temperature = Some(member.number()?),
            "topP" => sampling.top_p = Some(member.number()?),
            "topK" => sampling.top_k = Some(member.count()?),
            "seed" => sampling.seed = Some(member.integer()?),
            "presencePenalty" => sampling.presence_penalty = Some(member.number()?),
            "frequencyPenalty" => sampling.frequency_penalty = Some(member.number()?),
            "candidateCount" => sampling.choices = Some(member.count()?),
            "stopSequences" => member.elements(|stop| {
                sampling.stop.push(stop.boxed()?);
                Ok(())
            })?,
            "responseLogprobs" => with_logprobs = member.flag()?,
            "logprobs" => logprobs = Some(member.count()?),
            "responseMimeType" => wanted.read_type(member)?,
            "responseSchema" => wanted.schema = Some(schema::read(member)?),
            "responseJsonSchema" => wanted.schema = Some(member.json()?),
            "responseFormat" => member.elements(|format| wanted.read_format(format))?,
            "responseModalities" => member.elements(read_modality)?,
            "thinkingConfig" => chat.reasoning = read_thinking(member, chat)?,
            name => leave_out(chat, &format!("generationConfig.{name}")),
        }
        Ok(())
    })?;
    match (with_logprobs, logprobs) {
        (true, count) => chat.sampling.top_logprobs = Some(count.unwrap_or_default()),
        (false, Some(_)) => leave_out(chat, "generationConfig.logprobs"),
        (false, None) => {}
    }
    chat.format = wanted.into_format();
    Ok(())
}

impl Wanted {
    fn read_type(&mut self, field: Field<'_, '_>) -> Result<(), BadRequest> {
        match &*field.text()? {
            "application/json" | "APPLICATION_JSON" => self.json = true,
            "text/plain" | "TEXT_PLAIN" | "" => {}
            _ => return Err(field.refuse("must be 'text/plain' or 'application/json' for this model")),
        }
        Ok(())
    }

    /// An element of the list that is to replace the members before it.
    fn read_format(&mut self, field: Field<'_, '_>) -> Result<(), BadRequest> {
        field.members(|key, member| match &*camel(key) {
            "text" => member.members(|key, member| match &*camel(key) {
                "mimeType" => self.read_type(member),
                "jsonSchema" | "schema" => {
                    self.schema = Some(member.json()?);
                    Ok(())
                }
                _ => Err(member.refuse("is not known")),
            }),
            _ => Err(member.refuse("asks for something else than text, which this model does not give")),
        })
    }

    fn into_format(self) -> Format {
        match self.schema {
            Some(schema) => Format::Schema(Schema {
                name: SCHEMA_NAME.into(),
                description: None,
                schema,
                strict: None,
            }),
            None if self.json => Format::Json,
            None => Format::Text,
        }
    }
}

fn read_modality(field: Field<'_, '_>) -> Result<(), BadRequest> {
    if field.text()?.eq_ignore_ascii_case("TEXT") {
        return Ok(());
    }
    Err(field.refuse("must be 'TEXT': this model answers with nothing else"))
}

fn read_thinking(field: Field<'_, '_>, chat: &mut Chat) -> Result<Option<Reasoning>, BadRequest> {
    let (mut budget, mut level, mut shown) = (None, None, None);
    field.members(|key, member| {
        match &*camel(key) {
            "thinkingBudget" => budget = Some(read_budget(member)?),
            "thinkingLevel" => level = read_level(member)?,
            "includeThoughts" => shown = Some(member.flag()?),
            name => leave_out(chat, &format!("generationConfig.thinkingConfig.{name}")),
        }
        Ok(())
    })?;
    let amount = match (budget, level) {
        (Some(_), Some(_)) => return Err(field.refuse("has 'thinkingBudget' and 'thinkingLevel'; give it one of them")),
        (Some(amount), None) => amount,
        (None, Some(effort)) => Amount::Effort(effort),
        (None, None) if shown.is_none() => return Ok(None),
        (None, None) => Amount::Adaptive,
    };
    Ok(Some(Reasoning { amount, shown }))
}

fn read_budget(field: Field<'_, '_>) -> Result<Amount, BadRequest> {
    match field.integer()? {
        -1 => Ok(Amount::Adaptive),
        0 => Ok(Amount::Off),
        tokens => match tokens.try_into() {
            Ok(tokens) => Ok(Amount::Budget(tokens)),
            Err(_) => Err(field.refuse("must be a number of tokens, 0 for none or -1 for as many as the model likes")),
        },
    }
}

fn read_level(field: Field<'_, '_>) -> Result<Option<Effort>, BadRequest> {
    let level = field.text()?.to_ascii_lowercase();
    if level == "thinking_level_unspecified" {
        return Ok(None);
    }
    let effort = Effort::parse(&level);
    match effort {
        Some(_) => Ok(effort),
        None => Err(field.refuse("must be 'MINIMAL', 'LOW', 'MEDIUM', 'HIGH' or 'XHIGH'")),
    }
}
