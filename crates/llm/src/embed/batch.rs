//! A batch of embeddings as single items, for a cache that has some of them: which they are, the request for those that
//! are missing, and one answer made of what was kept and what came. Numbers stay as they were written.

use std::ops::Range;

use bytes::Bytes;
use gatewright_types::api::Dialect;

use crate::Request;
use crate::dialect::PathFacts;
use crate::json::canonical::write;
use crate::json::{Kind, Value};
use crate::request::quoted;

/// The items of a request for embeddings.
#[derive(Debug, Clone)]
pub struct Batch {
    dialect: Dialect,
    /// In the body: the input, or the list of requests.
    at: Range<usize>,
    /// In the input.
    items: Vec<Range<usize>>,
    /// What is asked of every item, in one form however it is written.
    pub shared: Vec<u8>,
    /// What each item is, in its form.
    pub forms: Vec<Vec<u8>>,
}

impl Request {
    /// `None` of another request, and of one whose items cannot be told apart.
    pub fn batch(&self) -> Option<Batch> {
        let (dialect, name) = match self.dialect() {
            dialect @ Dialect::OpenaiEmbeddings => (dialect, "input"),
            dialect @ Dialect::GeminiBatchEmbed => (dialect, "requests"),
            Dialect::OpenaiChat
            | Dialect::OpenaiResponses
            | Dialect::OpenaiCompletions
            | Dialect::AnthropicMessages
            | Dialect::GeminiGenerate
            | Dialect::GeminiEmbed
            | Dialect::Native(_) => return None,
        };
        let at = self.content_at();
        let input = Value::at(self.body(), at.clone())?;
        let is_list = |value: &Value<'_>| {
            let first = value.elements().next();
            value.kind == Kind::Array && first.is_some_and(|first| first.kind != Kind::Number)
        };
        // A text or a list of tokens is one item.
        let items: Vec<_> = match is_list(&input) {
            true => input.elements().map(|item| item.start..item.end()).collect(),
            false => std::iter::once(0..input.text.len()).collect(),
        };
        let form = |item: &Range<usize>| {
            let mut form = Vec::new();
            let value = Value::at(input.text, item.clone())?;
            value.again(|slot| write(slot, &mut form)).ok()?;
            Some(form)
        };
        let forms = items.iter().map(form).collect::<Option<_>>()?;
        Some(Batch {
            dialect,
            at,
            items,
            shared: self.question_without(&[name]).form,
            forms,
        })
    }
}

impl Batch {
    /// The request for these of the items.
    pub fn only(&self, request: &Request, missing: &[usize]) -> Option<Request> {
        let body = request.body();
        let input = body.get(self.at.clone())?;
        let mut smaller = Vec::with_capacity(body.len());
        smaller.extend_from_slice(body.get(..self.at.start)?);
        smaller.push(b'[');
        for (position, index) in missing.iter().enumerate() {
            if position > 0 {
                smaller.push(b',');
            }
            smaller.extend_from_slice(input.get(self.items.get(*index)?.clone())?);
        }
        smaller.push(b']');
        smaller.extend_from_slice(body.get(self.at.end..)?);
        let path = PathFacts {
            model: (self.dialect == Dialect::GeminiBatchEmbed).then_some(request.model()),
            stream: false,
        };
        Request::parse(self.dialect, smaller.into(), path).ok()
    }

    /// What an answer has for its items, in their order; `None` when it does not have something for each.
    pub fn vectors(&self, answer: &Bytes, count: usize) -> Option<Vec<Bytes>> {
        let answer_value = object(answer)?;
        let list = answer_value.member(match self.dialect {
            Dialect::GeminiBatchEmbed => "embeddings",
            _ => "data",
        })?;
        let mut vectors = Vec::new();
        for (position, entry) in list.elements().enumerate() {
            let (index, vector) = match self.dialect {
                Dialect::GeminiBatchEmbed => (position, entry),
                _ => (index(&entry).unwrap_or(position), entry.member("embedding")?),
            };
            vectors.push((index, Bytes::copy_from_slice(vector.text)));
        }
        vectors.sort_by_key(|(index, _)| *index);
        let in_order = vectors
            .iter()
            .enumerate()
            .all(|(position, (index, _))| position == *index);
        let vectors: Vec<_> = vectors.into_iter().map(|(_, vector)| vector).collect();
        (in_order && vectors.len() == count).then_some(vectors)
    }

    /// An answer of these vectors. What was used, and the model's name, are those of `latest`, the answer to what was
    /// missing; where nothing was, nothing was used.
    pub fn answer(&self, vectors: &[Bytes], latest: Option<&Bytes>, model: &str) -> Bytes {
        let latest = latest.and_then(|answer| object(answer));
        let told = |name| latest.as_ref().and_then(|answer| answer.member(name));
        let mut out = Vec::with_capacity(vectors.iter().map(|vector| vector.len() + 64).sum());
        match self.dialect {
            Dialect::GeminiBatchEmbed => {
                out.extend_from_slice(b"{\"embeddings\":[");
                for (position, vector) in vectors.iter().enumerate() {
                    out.extend_from_slice(if position > 0 { b"," } else { b"" });
                    out.extend_from_slice(vector);
                }
                out.push(b']');
                let usage = told("usageMetadata").map_or(&b"{\"promptTokenCount\":0}"[..], |usage| usage.text);
                out.extend_from_slice(b",\"usageMetadata\":");
                out.extend_from_slice(usage);
            }
            _ => {
                out.extend_from_slice(b"{\"object\":\"list\",\"data\":[");
                for (position, vector) in vectors.iter().enumerate() {
                    let start = if position > 0 { "," } else { "" };
                    let head = format!("{start}{{\"object\":\"embedding\",\"index\":{position},\"embedding\":");
                    out.extend_from_slice(head.as_bytes());
                    out.extend_from_slice(vector);
                    out.push(b'}');
                }
                out.extend_from_slice(b"],\"model\":");
                let name = told("model").map_or_else(|| quoted(model), |name| Bytes::copy_from_slice(name.text));
                out.extend_from_slice(&name);
                out.extend_from_slice(b",\"usage\":");
                let nothing = &b"{\"prompt_tokens\":0,\"total_tokens\":0}"[..];
                out.extend_from_slice(told("usage").map_or(nothing, |usage| usage.text));
            }
        }
        out.push(b'}');
        out.into()
    }
}

fn index(entry: &Value<'_>) -> Option<usize> {
    std::str::from_utf8(entry.member("index")?.text).ok()?.parse().ok()
}

fn object(text: &[u8]) -> Option<Value<'_>> {
    let start = text.iter().position(|byte| *byte == b'{')?;
    let end = text.iter().rposition(|byte| *byte == b'}')? + 1;
    Value::at(text, start..end.max(start))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Tree, json};

    use super::*;

    fn openai(input: &Tree, more: &str) -> Request {
        let body = format!(r#"{{"model": "m", "input": {input}{more}}}"#);
        Request::parse(Dialect::OpenaiEmbeddings, body.into(), PathFacts::default()).expect("a request")
    }

    fn batch(request: &Request) -> Batch {
        request.batch().expect("a batch")
    }

    fn tree(bytes: &[u8]) -> Tree {
        serde_json::from_slice(bytes).expect("JSON")
    }

    #[test]
    fn an_item_is_the_same_wherever_it_stands() {
        let one = batch(&openai(&json!("a"), ""));
        let several = batch(&openai(&json!(["b", "a"]), ""));
        let tokens = batch(&openai(&json!([[1, 2], [3]]), ""));
        let list = batch(&openai(&json!([1, 2]), ""));

        assert_eq!(one.forms.first(), several.forms.get(1));
        assert_eq!(one.shared, several.shared);
        assert_eq!(list.forms.first(), tokens.forms.first());
        for more in [r#", "dimensions": 2"#, r#", "encoding_format": "base64""#] {
            assert_ne!(batch(&openai(&json!("a"), more)).shared, one.shared, "{more}");
        }
    }

    #[test]
    fn only_what_is_missing_is_asked_for() {
        let request = openai(&json!(["a", "b,]", "c"]), r#", "user": "u""#);

        let smaller = batch(&request).only(&request, &[1, 2]).expect("a request");

        assert_eq!(
            tree(smaller.body()),
            json!({"model": "m", "input": ["b,]", "c"], "user": "u"})
        );
    }

    #[test]
    fn what_was_kept_and_what_came_are_one_answer_in_order() {
        let request = openai(&json!(["a", "b"]), "");
        let batch = batch(&request);
        let came = json!({"object": "list", "model": "up", "usage": {"prompt_tokens": 3, "total_tokens": 3}, "data": [
            {"object": "embedding", "index": 1, "embedding": [0.25]}, {"object": "embedding", "index": 0, "embedding": "AAA="}]});
        let came = Bytes::from(came.to_string());

        let vectors = batch.vectors(&came, 2).expect("vectors");
        let answer = tree(&batch.answer(&vectors, Some(&came), "m"));

        assert_eq!(
            answer["data"][0],
            json!({"object": "embedding", "index": 0, "embedding": "AAA="})
        );
        assert_eq!(answer["data"][1]["embedding"], json!([0.25]));
        assert_eq!(
            (&answer["model"], &answer["usage"]["total_tokens"]),
            (&json!("up"), &json!(3))
        );
        let kept = tree(&batch.answer(&vectors, None, "m"));
        assert_eq!(
            (&kept["model"], &kept["usage"]["total_tokens"]),
            (&json!("m"), &json!(0))
        );
        assert_eq!(batch.vectors(&came, 3), None);
    }

    #[test]
    fn a_batch_in_geminis_dialect_is_told_in_it() {
        let body =
            json!({"requests": [{"content": {"parts": [{"text": "a"}]}}, {"content": {"parts": [{"text": "b"}]}}]});
        let path = PathFacts {
            model: Some("m"),
            stream: false,
        };
        let request = Request::parse(Dialect::GeminiBatchEmbed, body.to_string().into(), path).expect("a request");
        let batch = batch(&request);
        assert_eq!(batch.forms.len(), 2);

        let smaller = batch.only(&request, &[1]).expect("a request");
        assert_eq!(tree(smaller.body())["requests"], json!([body["requests"][1]]));
        let came = Bytes::from(json!({"embeddings": [{"values": [1.5]}]}).to_string());
        let vectors = batch.vectors(&came, 1).expect("vectors");
        let answer = tree(&batch.answer(&[vectors.clone(), vectors].concat(), Some(&came), "m"));
        assert_eq!(answer["embeddings"], json!([{"values": [1.5]}, {"values": [1.5]}]));
    }
}
