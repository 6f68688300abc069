//! `reasoning_details`: where aggregators keep what models thought, with its signatures. OpenAI's chat dialect has no
//! place of its own for it, and without it tools cannot be used with models that insist on having their thoughts back.

use std::borrow::Cow;

use serde::Serialize;

use crate::chat::{Maker, Part, Signature, Thinking, ToolCall};
use crate::json::{Kind, Value};

/// One entry, as it came.
#[derive(Debug)]
pub(super) struct Detail<'a> {
    /// What may be read; empty in sealed entries.
    pub(super) text: Cow<'a, str>,
    pub(super) signature: Option<Signature>,
    pub(super) sealed: bool,
    /// The tool call that a sealed entry belongs to, or the maker's own name for it.
    pub(super) id: Option<Cow<'a, str>>,
    /// Entries with the same index are pieces of one stretch of thinking.
    pub(super) index: Option<u64>,
}

/// One entry, to be written.
#[derive(Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "type")]
pub(super) enum Entry<'a> {
    #[serde(rename = "reasoning.text")]
    Text {
        text: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        signature: Option<&'a str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        format: Option<&'static str>,
        index: usize,
    },
    #[serde(rename = "reasoning.encrypted")]
    Sealed {
        data: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        id: Option<&'a str>,
        format: &'static str,
        index: usize,
    },
}

/// A stretch of thinking while its pieces are put together.
struct Stretch {
    thinking: Thinking,
    index: Option<u64>,
    sealed: bool,
}

/// The entries of a list; what is none of a known kind is passed over.
pub(super) fn entries<'a>(list: &Value<'a>) -> impl Iterator<Item = Detail<'a>> {
    list.elements().filter_map(|entry| read(&entry))
}

/// All the thinking of a list that is whole. Entries that belong to tool calls become the calls' signatures.
pub(super) fn thinking(list: &Value<'_>, calls: &mut [ToolCall]) -> Vec<Thinking> {
    let mut stretches: Vec<Stretch> = Vec::new();
    for detail in entries(list) {
        if let Some(call) = calls.iter_mut().find(|call| Some(&*call.id) == detail.id.as_deref())
            && detail.sealed
        {
            call.signature = detail.signature;
            continue;
        }
        match stretches.last_mut().filter(|stretch| stretch.continues_with(&detail)) {
            Some(stretch) => {
                let thinking = &mut stretch.thinking;
                thinking.text = [&*thinking.text, &*detail.text].concat().into();
                thinking.signature = detail.signature.or(thinking.signature.take());
            }
            None => stretches.push(Stretch {
                thinking: Thinking {
                    text: detail.text.into(),
                    signature: detail.signature,
                },
                index: detail.index,
                sealed: detail.sealed,
            }),
        }
    }
    stretches
        .into_iter()
        .map(|stretch| stretch.thinking)
        .filter(|thinking| !thinking.text.is_empty() || thinking.signature.is_some())
        .collect()
}

/// The entries for the parts of an answer or of a message.
pub(super) fn written(parts: &[Part], format: fn(Maker) -> &'static str) -> Vec<Entry<'_>> {
    let mut written = Vec::new();
    for part in parts {
        let index = written.len();
        let entry = match part {
            Part::Thinking(thinking) => of_thinking(thinking, index, format),
            Part::ToolCall(call) => call.signature.as_ref().map(|signature| Entry::Sealed {
                data: &signature.text,
                id: Some(&call.id),
                format: format(signature.maker),
                index,
            }),
            Part::Text(_) | Part::Media(_) | Part::ToolResult(_) | Part::Refusal(_) => None,
        };
        written.extend(entry);
    }
    written
}

/// The name that aggregators know: they tell Anthropic's sealed thinking from the signed by the entry's type.
pub(super) fn aggregators_format(maker: Maker) -> &'static str {
    match maker {
        Maker::AnthropicRedacted => Maker::Anthropic.as_str(),
        Maker::Anthropic | Maker::Gemini | Maker::Openai | Maker::Bedrock => maker.as_str(),
    }
}

fn of_thinking(thinking: &Thinking, index: usize, format: fn(Maker) -> &'static str) -> Option<Entry<'_>> {
    match (&*thinking.text, &thinking.signature) {
        ("", None) => None,
        ("", Some(signature)) => Some(Entry::Sealed {
            data: &signature.text,
            id: None,
            format: format(signature.maker),
            index,
        }),
        (text, signature) => Some(Entry::Text {
            text,
            signature: signature.as_ref().map(|signature| &*signature.text),
            format: signature.as_ref().map(|signature| format(signature.maker)),
            index,
        }),
    }
}

impl Stretch {
    /// Some makers tell the text and its seal in two entries of one index.
    fn continues_with(&self, next: &Detail<'_>) -> bool {
        let same = self.index.is_some() && self.index == next.index && !self.sealed;
        same && (!next.sealed || self.thinking.signature.is_none())
    }
}

fn read<'a>(entry: &Value<'a>) -> Option<Detail<'a>> {
    let (mut kind, mut format, mut text, mut signature, mut id, mut index) = (None, None, None, None, None, None);
    let mut members = entry.members();
    while let Ok(Some(member)) = members.next_member() {
        let place = match &*member.key {
            b"type" => &mut kind,
            b"format" => &mut format,
            b"text" | b"summary" | b"data" => &mut text,
            b"signature" => &mut signature,
            b"id" => &mut id,
            b"index" if member.value.kind == Kind::Number => {
                index = std::str::from_utf8(member.value.text)
                    .ok()
                    .and_then(|text| text.parse().ok());
                continue;
            }
            _ => continue,
        };
        *place = member.value.string().filter(|text| !text.is_empty());
    }
    let maker = format.and_then(|format| Maker::parse(&format));
    let sign = |text: Cow<'a, str>, maker| Signature {
        maker,
        text: text.into(),
    };
    match kind.as_deref()? {
        "reasoning.text" | "reasoning.summary" => Some(Detail {
            text: text.unwrap_or_default(),
            signature: signature.zip(maker).map(|(text, maker)| sign(text, maker)),
            sealed: false,
            id,
            index,
        }),
        "reasoning.encrypted" => {
            let maker = match maker? {
                Maker::Anthropic => Maker::AnthropicRedacted,
                other => other,
            };
            Some(Detail {
                text: Cow::Borrowed(""),
                signature: Some(sign(text?, maker)),
                sealed: true,
                id,
                index,
            })
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(text: &str) -> Value<'_> {
        Value {
            kind: Kind::Array,
            text: text.as_bytes(),
            start: 0,
        }
    }

    fn signature(maker: Maker, text: &str) -> Option<Signature> {
        Some(Signature {
            maker,
            text: text.into(),
        })
    }

    fn call(id: &str, signature: Option<Signature>) -> ToolCall {
        ToolCall {
            id: id.into(),
            name: "f".into(),
            arguments: "{}".into(),
            signature,
            cache: None,
        }
    }

    #[test]
    fn what_is_written_is_read_back_with_its_signatures() {
        let thoughts = [
            Thinking {
                text: "hm".into(),
                signature: signature(Maker::Anthropic, "c2ln"),
            },
            Thinking {
                text: "".into(),
                signature: signature(Maker::AnthropicRedacted, "eA=="),
            },
            Thinking {
                text: "aha".into(),
                signature: None,
            },
        ];
        let signed = call("call_1", signature(Maker::Gemini, "Z2Vt"));
        let mut parts: Vec<_> = thoughts.iter().cloned().map(Part::Thinking).collect();
        parts.push(Part::ToolCall(signed.clone()));

        for format in [Maker::as_str, aggregators_format] {
            let list = serde_json::to_string(&written(&parts, format)).expect("JSON");
            let mut calls = [call("call_1", None)];

            assert_eq!(thinking(&value(&list), &mut calls), thoughts);
            assert_eq!(calls.first(), Some(&signed));
        }
    }

    #[test]
    fn pieces_of_a_stream_are_put_together_by_their_index() {
        let list = r#"[
            {"type":"reasoning.text","text":"a","index":0},
            {"type":"reasoning.text","text":"b","index":0},
            {"type":"reasoning.text","text":"","signature":"s","format":"anthropic-claude-v1","index":0},
            {"type":"reasoning.summary","summary":"c","format":"openai-responses-v1","index":1},
            {"type":"reasoning.encrypted","data":"d","id":"rs_1","format":"openai-responses-v1","index":1},
            {"type":"reasoning.encrypted","data":"e","format":"of-somebody-else-v9","index":2},
            {"type":"reasoning.later","text":"f"}, 7]"#;

        let told = thinking(&value(list), &mut []);

        let expected = [
            Thinking {
                text: "ab".into(),
                signature: signature(Maker::Anthropic, "s"),
            },
            Thinking {
                text: "c".into(),
                signature: signature(Maker::Openai, "d"),
            },
        ];
        assert_eq!(told, expected);
    }
}
