//! A whole answer of Google's.

use super::arguments::compact;
use super::joined::{Joined, sealed};
use super::response::{Call, Piece, Response};
use super::{base64, finish, media_type, signature};
use crate::chat::{Media, Part, Source, ToolCall};
use crate::event::{Answer, Stop};
use crate::{Failure, FailureKind};

/// Characters of an answer's identifier that are taken into those of its calls: OpenAI takes no more than 40 in all.
const LONGEST_SEED: usize = 28;

pub(super) fn read_answer(body: &[u8]) -> Result<Answer, Failure> {
    let malformed = |problem| Failure::new(FailureKind::Malformed, problem);
    let response = Response::read(body).map_err(|_| malformed("the provider's answer is not a JSON object"))?;
    let used = response.facts.usage;
    if let Some(told) = &response.error {
        return Err(Failure::told(told).having_used(used));
    }
    let mut joined = Joined::default();
    let mut calls = 0;
    for piece in response.pieces() {
        add(piece, &mut joined, |call| {
            calls += 1;
            call_id(call, response.id.as_deref(), calls)
        });
    }
    let stop = match (&response.blocked, &response.finish) {
        _ if response.has_candidate => {
            let finish = finish::read(response.finish.as_deref().unwrap_or_default(), calls > 0);
            finish.map_err(|failure| failure.having_used(used))?
        }
        (Some(blocked), _) => {
            if let Some(message) = &blocked.message {
                joined.push(Part::Refusal(message.as_ref().into()));
            }
            Stop::Blocked
        }
        (None, _) => return Err(malformed("the provider's answer has no candidate").having_used(used)),
    };
    Ok(Answer {
        id: response.id.map(Into::into),
        model: response.model.map(Into::into),
        parts: joined.into_parts(),
        stop,
        usage: response.facts.usage,
        terms: response.facts.terms,
    })
}

/// The call's own identifier, or one made of the answer's: it has to be another one in each answer of a conversation.
/// `number` counts the answer's calls.
pub(super) fn call_id(call: &Call<'_>, answer: Option<&str>, number: usize) -> Box<str> {
    if let Some(id) = &call.id {
        return id.as_ref().into();
    }
    let fits = |c: &char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    let seed: String = answer
        .unwrap_or_default()
        .chars()
        .filter(fits)
        .take(LONGEST_SEED)
        .collect();
    let divider = if seed.is_empty() { "" } else { "_" };
    format!("call_{seed}{divider}{number}").into()
}

pub(super) fn arguments(call: &Call<'_>) -> String {
    compact(call.arguments.unwrap_or("{}"))
}

fn add(piece: Piece<'_>, joined: &mut Joined, id_of: impl FnOnce(&Call<'_>) -> Box<str>) {
    let signature = piece.signature.as_deref().map(signature::of_gemini);
    if let Some(call) = piece.call {
        return joined.push(Part::ToolCall(ToolCall {
            id: id_of(&call),
            arguments: arguments(&call).into(),
            name: call.name.into(),
            signature,
            cache: None,
        }));
    }
    let text = piece.text.as_deref().unwrap_or_default();
    if piece.thought {
        return joined.thought(text, signature);
    }
    if let Some(signature) = signature {
        joined.push(sealed(signature));
    }
    if let Some(inline) = piece.inline {
        joined.push(Part::Media(Media {
            kind: media_type::kind_of(&inline.media_type),
            source: Source::Base64(base64::standard(inline.data)),
            media_type: Some(inline.media_type.into()),
            name: None,
            detail: None,
            cache: None,
        }));
    }
    joined.text(text);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_without_an_identifier_gets_one_of_its_answer() {
        let call = Call {
            name: "x".into(),
            ..Call::default()
        };

        assert_eq!(&*call_id(&call, Some("Ab-1:~é/=="), 2), "call_Ab-1_2");
        assert_eq!(&*call_id(&call, None, 1), "call_1");
        assert!(call_id(&call, Some(&"x".repeat(99)), 999).len() <= 40);
        let own = Call {
            id: Some("fc-7".into()),
            ..call
        };
        assert_eq!(&*call_id(&own, Some("Ab"), 1), "fc-7");
    }
}
