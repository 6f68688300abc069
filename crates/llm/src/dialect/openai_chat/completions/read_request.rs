//! Reads a completions request. The prompt reaches the model as it was sent or not at all.

use crate::BadRequest;
use crate::chat::{Chat, Part, Role};
use crate::dialect::PathFacts;
use crate::dialect::openai_chat::read_request::{leave, read_choices, read_stop, read_stream_options};
use crate::dialect::read::{Field, document};
use crate::json::Kind;

pub(super) fn read(body: &[u8], path: PathFacts<'_>) -> Result<Chat, BadRequest> {
    let mut chat = Chat::default();
    document(body, |name, member| read_member(&mut chat, name, &member))?;
    if chat.model.is_empty() {
        chat.model = path.model.unwrap_or_default().into();
    }
    if chat.model.is_empty() {
        return Err(BadRequest::at("model", "'model' is missing; name the model to answer"));
    }
    if chat.turns.is_empty() {
        return Err(BadRequest::at("prompt", "'prompt' is missing; send a text"));
    }
    Ok(chat)
}

fn read_member(chat: &mut Chat, name: &str, member: &Field<'_, '_>) -> Result<(), BadRequest> {
    let sampling = &mut chat.sampling;
    match name {
        "model" => chat.model = member.boxed()?,
        "prompt" => {
            let prompt = read_prompt(member)?;
            chat.add(Role::User, [Part::text(prompt)]);
        }
        "stream" => chat.stream = member.flag()?,
        "stream_options" => read_stream_options(chat, member)?,
        "max_tokens" => sampling.max_tokens = Some(member.count()?),
        "temperature" => sampling.temperature = Some(member.number()?),
        "top_p" => sampling.top_p = Some(member.number()?),
        "top_k" => sampling.top_k = Some(member.count()?),
        "frequency_penalty" => sampling.frequency_penalty = Some(member.number()?),
        "presence_penalty" => sampling.presence_penalty = Some(member.number()?),
        "seed" => sampling.seed = Some(member.integer()?),
        "stop" => sampling.stop = read_stop(member)?,
        "n" => sampling.choices = Some(read_choices(member)?),
        "user" => chat.user = Some(member.boxed()?),
        "best_of" if member.count()? <= 1 => {}
        "echo" if !member.flag()? => {}
        "suffix" if member.text()?.is_empty() => {}
        "best_of" | "echo" | "suffix" | "logprobs" => {
            return Err(
                member.refuse("needs a model that continues texts, which the model you named is not; leave it out")
            );
        }
        other => leave(chat, other),
    }
    Ok(())
}

fn read_prompt(prompt: &Field<'_, '_>) -> Result<Box<str>, BadRequest> {
    if prompt.kind() == Kind::String {
        return filled(prompt);
    }
    if prompt.kind() != Kind::Array {
        return Err(prompt.expected("a string"));
    }
    let mut only = None;
    prompt.elements(|element| {
        if element.kind() != Kind::String {
            return Err(element.refuse("is made of tokens, which mean something to one model only; send a text"));
        }
        if only.replace(filled(&element)?).is_some() {
            return Err(element.refuse("is another prompt; send one request for each"));
        }
        Ok(())
    })?;
    only.ok_or_else(|| prompt.refuse("is empty; send a text"))
}

fn filled(text: &Field<'_, '_>) -> Result<Box<str>, BadRequest> {
    let filled = text.boxed()?;
    if filled.is_empty() {
        return Err(text.refuse("is empty; send a text"));
    }
    Ok(filled)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_body(body: &str) -> Result<Chat, BadRequest> {
        read(body.as_bytes(), PathFacts::default())
    }

    #[test]
    fn a_prompt_is_what_the_user_says() {
        for prompt in [r#""Say hi""#, r#"["Say hi"]"#] {
            let body =
                format!(r#"{{"model":"m","prompt":{prompt},"max_tokens":5,"echo":false,"best_of":1,"suffix":""}}"#);

            let chat = read_body(&body).expect("a request");

            let [turn] = &*chat.turns else {
                panic!("{:?}", chat.turns)
            };
            assert_eq!((turn.role, &*turn.parts), (Role::User, &[Part::text("Say hi")][..]));
            assert_eq!((chat.sampling.max_tokens, chat.unheld.len()), (Some(5), 0));
        }
    }

    #[test]
    fn what_chat_models_cannot_do_is_refused_by_name() {
        let check = |members: &str, param: &str| {
            let told = read_body(&format!(r#"{{"model":"m",{members}}}"#)).expect_err(members);
            assert_eq!(told.param.as_deref(), Some(param), "{members}");
        };

        check(r#""prompt":[1,2]"#, "prompt[0]");
        check(r#""prompt":[[1,2],[3]]"#, "prompt[0]");
        check(r#""prompt":["a","b"]"#, "prompt[1]");
        check(r#""prompt":[]"#, "prompt");
        check(r#""prompt":null"#, "prompt");
        check(r#""prompt":"a","suffix":"b""#, "suffix");
        check(r#""prompt":"a","best_of":2"#, "best_of");
        check(r#""prompt":"a","echo":true"#, "echo");
        check(r#""prompt":"a","logprobs":0"#, "logprobs");
    }
}
