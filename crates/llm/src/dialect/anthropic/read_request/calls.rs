//! Gives tool calls the signatures that Gemini wants back. Anthropic's calls have no place for one, so it travels as a
//! thinking block without text: before its call in whole answers, after it in streams.

use crate::chat::{Maker, Part, Thinking};

pub(super) fn sign(parts: Vec<Part>) -> Vec<Part> {
    let mut signed = Vec::with_capacity(parts.len());
    // A signature whose call may follow.
    let mut held: Option<Thinking> = None;
    for part in parts {
        match part {
            Part::Thinking(sealed) if is_for_call(&sealed) => match (signed.last_mut(), &held) {
                (Some(Part::ToolCall(call)), None) if call.signature.is_none() => call.signature = sealed.signature,
                _ => signed.extend(held.replace(sealed).map(Part::Thinking)),
            },
            Part::ToolCall(mut call) => {
                call.signature = held.take().and_then(|sealed| sealed.signature);
                signed.push(Part::ToolCall(call));
            }
            Part::Text(_) | Part::Media(_) | Part::ToolResult(_) | Part::Thinking(_) | Part::Refusal(_) => {
                signed.extend(held.take().map(Part::Thinking));
                signed.push(part);
            }
        }
    }
    signed.extend(held.map(Part::Thinking));
    signed
}

fn is_for_call(thinking: &Thinking) -> bool {
    let maker = thinking.signature.as_ref().map(|signature| signature.maker);
    thinking.text.is_empty() && maker == Some(Maker::Gemini)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::{Signature, ToolCall};

    fn sealed(text: &str) -> Part {
        Part::Thinking(Thinking {
            text: Box::default(),
            signature: gemini(text),
        })
    }

    fn gemini(text: &str) -> Option<Signature> {
        Some(Signature {
            maker: Maker::Gemini,
            text: text.into(),
        })
    }

    fn call(id: &str, signature: Option<Signature>) -> Part {
        Part::ToolCall(ToolCall {
            id: id.into(),
            name: "look".into(),
            arguments: "{}".into(),
            signature,
            cache: None,
        })
    }

    #[test]
    fn a_signature_is_its_neighbours_before_or_after() {
        let both = [call("a", gemini("1")), call("b", gemini("2"))];

        let before = [sealed("1"), call("a", None), sealed("2"), call("b", None)];
        assert_eq!(sign(before.to_vec()), both);
        let after = [call("a", None), sealed("1"), call("b", None), sealed("2")];
        assert_eq!(sign(after.to_vec()), both);
    }

    #[test]
    fn an_unsigned_call_stays_unsigned_beside_a_signed_one() {
        let first = [sealed("1"), call("a", None), call("b", None)];
        assert_eq!(sign(first.to_vec()), [call("a", gemini("1")), call("b", None)]);

        let second = [call("a", None), call("b", None), sealed("2"), call("c", None)];
        let expected = [call("a", None), call("b", gemini("2")), call("c", None)];
        assert_eq!(sign(second.to_vec()), expected);
    }

    #[test]
    fn a_signature_without_a_call_stays_thinking() {
        let parts = [sealed("1"), Part::text("Hello."), sealed("2")];

        assert_eq!(sign(parts.to_vec()), parts);
    }
}
