//! The request bodies of the benchmark, and the mark in the prompt that tells the mock how to answer: it passes through
//! any gateway. Both ends are here so that they cannot drift apart.

use std::time::Duration;

use serde_json::json;

const MARK: &str = "[[bench ";
const FILLER: &str = "Condense the report below for somebody who has one minute, and leave every number as it is. ";

/// How the mock answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Answer {
    /// One JSON document.
    Whole,
    /// Server-sent events, one for each chunk, `pause` apart.
    Stream { chunks: u32, pause: Duration },
}

/// A request body of about `size` bytes that asks for `answer`.
pub(crate) fn body(model: &str, size: usize, answer: Answer) -> Vec<u8> {
    let mark = match answer {
        Answer::Whole => String::new(),
        Answer::Stream { chunks, pause } => format!("{MARK}chunks={chunks} pause_ms={}]] ", pause.as_millis()),
    };
    let write = |text: &str| {
        let mut body = json!({
            "model": model,
            "messages": [
                {"role": "system", "content": "You answer in one short paragraph."},
                {"role": "user", "content": text},
            ],
            "temperature": 0.3,
            "max_tokens": 200,
        });
        if let (Answer::Stream { .. }, Some(fields)) = (answer, body.as_object_mut()) {
            fields.insert("stream".to_owned(), true.into());
        }
        body.to_string().into_bytes()
    };
    let missing = size.saturating_sub(write(&mark).len());
    let filler: String = FILLER.chars().cycle().take(missing).collect();
    write(&(mark + &filler))
}

/// What a request body asks the mock for.
pub(crate) fn asked(body: &[u8]) -> Answer {
    let streams = [b"\"stream\":true".as_slice(), b"\"stream\": true"];
    if !streams.iter().any(|text| memchr::memmem::find(body, text).is_some()) {
        return Answer::Whole;
    }
    let mark = memchr::memmem::find(body, MARK.as_bytes())
        .and_then(|start| body.get(start + MARK.len()..))
        .and_then(|rest| rest.get(..memchr::memmem::find(rest, b"]]")?))
        .and_then(|mark| std::str::from_utf8(mark).ok())
        .unwrap_or_default();
    let number = |name: &str| {
        let mut words = mark.split(' ').filter_map(|word| word.split_once('='));
        words
            .find(|(found, _)| *found == name)
            .and_then(|(_, value)| value.parse::<u32>().ok())
    };
    Answer::Stream {
        chunks: number("chunks").unwrap_or(10),
        pause: Duration::from_millis(number("pause_ms").unwrap_or(0).into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_has_the_size_and_asks_for_the_answer_it_was_made_for() {
        let stream = Answer::Stream {
            chunks: 100,
            pause: Duration::from_millis(5),
        };
        for (size, answer) in [(1024, Answer::Whole), (32 * 1024, Answer::Whole), (1024, stream)] {
            let body = body("bench", size, answer);

            assert_eq!((body.len(), asked(&body)), (size, answer));
        }
    }
}
