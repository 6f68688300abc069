//! The events of a stream, as bytes: each has a name, which its data repeats, and a number.

use serde::Serialize;

use super::items::{Content, Item, Summary};
use super::response::Response;

/// Writes events and counts them.
#[derive(Debug, Default)]
pub(super) struct Feed {
    sequence_number: u64,
}

#[derive(Serialize)]
struct Numbered<'a, B> {
    #[serde(rename = "type")]
    kind: &'a str,
    sequence_number: u64,
    #[serde(flatten)]
    body: B,
}

/// The response begins or ends.
#[derive(Serialize)]
pub(super) struct Lifecycle<'a> {
    pub(super) response: Response<'a>,
}

#[derive(Serialize)]
pub(super) struct OfItem<'a> {
    pub(super) output_index: usize,
    pub(super) item: &'a Item,
}

/// Something about a piece of a message.
#[derive(Serialize)]
pub(super) struct OfContent<'a, B> {
    pub(super) item_id: &'a str,
    pub(super) output_index: usize,
    pub(super) content_index: usize,
    #[serde(flatten)]
    pub(super) body: B,
}

/// Something about a reasoning item's summary, which has one part here.
#[derive(Serialize)]
pub(super) struct OfSummary<'a, B> {
    pub(super) item_id: &'a str,
    pub(super) output_index: usize,
    pub(super) summary_index: usize,
    #[serde(flatten)]
    pub(super) body: B,
}

#[derive(Serialize)]
pub(super) struct OfCall<'a, B> {
    pub(super) item_id: &'a str,
    pub(super) output_index: usize,
    #[serde(flatten)]
    pub(super) body: B,
}

#[derive(Serialize)]
pub(super) struct Delta<'a> {
    pub(super) delta: &'a str,
}

#[derive(Serialize)]
pub(super) struct TextDelta<'a> {
    pub(super) delta: &'a str,
    pub(super) logprobs: [(); 0],
}

#[derive(Serialize)]
pub(super) struct WholeText<'a> {
    pub(super) text: &'a str,
}

#[derive(Serialize)]
pub(super) struct WholeOutputText<'a> {
    pub(super) text: &'a str,
    pub(super) logprobs: [(); 0],
}

#[derive(Serialize)]
pub(super) struct WholeRefusal<'a> {
    pub(super) refusal: &'a str,
}

#[derive(Serialize)]
pub(super) struct WholeArguments<'a> {
    pub(super) name: &'a str,
    pub(super) arguments: &'a str,
}

#[derive(Serialize)]
pub(super) struct WholeInput<'a> {
    pub(super) input: &'a str,
}

#[derive(Serialize)]
pub(super) struct OneContent<'a> {
    pub(super) part: &'a Content,
}

#[derive(Serialize)]
pub(super) struct OneSummary {
    pub(super) part: Summary,
}

#[derive(Serialize)]
pub(super) struct Error<'a> {
    pub(super) code: &'a str,
    pub(super) message: &'a str,
    pub(super) param: Option<&'a str>,
}

impl Feed {
    pub(super) const fn next_number(&self) -> u64 {
        self.sequence_number
    }

    /// The next event is told to nobody.
    pub(super) const fn pass_over(&mut self) {
        self.sequence_number += 1;
    }

    /// The next event comes after the one of this number.
    pub(super) fn go_on_after(&mut self, after: Option<u64>) {
        let least = after.map_or(0, |after| after.saturating_add(1));
        self.sequence_number = self.sequence_number.max(least);
    }

    pub(super) fn write(&mut self, kind: &str, body: impl Serialize, out: &mut Vec<u8>) {
        let event = Numbered {
            kind,
            sequence_number: self.sequence_number,
            body,
        };
        self.sequence_number += 1;
        out.extend_from_slice(b"event: ");
        out.extend_from_slice(kind.as_bytes());
        out.extend_from_slice(b"\ndata: ");
        let start = out.len();
        serde_json::to_writer(&mut *out, &event).expect("texts and numbers can always be written as JSON");
        // A caller's schema is repeated as it came, line breaks and all; data of several lines would be several.
        for byte in out.iter_mut().skip(start) {
            if matches!(byte, b'\n' | b'\r') {
                *byte = b' ';
            }
        }
        out.extend_from_slice(b"\n\n");
    }
}
