//! Any model's own API through Bedrock (`invoke`). What a body says is its maker's business, but Bedrock itself tells what
//! was used: in the head of an answer in one piece, and in the last event of a stream.

use gatewright_types::UsageUnit;

use crate::Tokens;
use crate::dialect::sequence::Sequence;
use crate::dialect::sse_decoder::ReadData;
use crate::event::{Event, Opening, Stop};
use crate::json::Members;
use crate::tokens::count;

const METRICS: &[u8] = b"amazon-bedrock-invocationMetrics";
/// What is said is not known, and nobody reads it; only that something is.
const SOMETHING: &str = ".";

/// Reads the events of a stream for the last one's metrics.
pub(crate) struct AnyModel;

/// What was used, in Bedrock's words.
#[derive(Default)]
struct Told {
    input: Option<u64>,
    output: Option<u64>,
    cache_read: Option<u64>,
    cache_write: Option<u64>,
}

impl ReadData for AnyModel {
    fn read(&mut self, data: &[u8], sequence: &mut Sequence, events: &mut Vec<Event>) {
        sequence.open(0, Opening::Text, events);
        sequence.add(0, SOMETHING, events);
        sequence.usage(metrics(data), events);
        // Which event is the last one only its maker's format could say.
        sequence.stop(Stop::End);
    }
}

/// What the head of an answer tells.
pub(crate) fn used_by_head<'a>(header: impl Fn(&str) -> Option<&'a str>) -> Option<Tokens> {
    let counted = |name: &str| {
        header(&format!("x-amzn-bedrock-{name}-token-count"))?
            .trim()
            .parse()
            .ok()
    };
    Told {
        input: counted("input"),
        output: counted("output"),
        cache_read: counted("cache-read-input"),
        cache_write: counted("cache-write-input"),
    }
    .tokens()
}

/// What the last event of a stream tells.
pub(crate) fn metrics(data: &[u8]) -> Option<Tokens> {
    let mut members = Members::of_document(data).ok()?;
    while let Some(member) = members.next_member().ok()? {
        if &*member.key != METRICS {
            continue;
        }
        let (mut told, mut impossible) = (Told::default(), false);
        let mut metrics = member.value.members();
        while let Ok(Some(metric)) = metrics.next_member() {
            let place = match &*metric.key {
                b"inputTokenCount" => &mut told.input,
                b"outputTokenCount" => &mut told.output,
                b"cacheReadInputTokenCount" => &mut told.cache_read,
                b"cacheWriteInputTokenCount" => &mut told.cache_write,
                _ => continue,
            };
            *place = count(&metric.value, &mut impossible);
        }
        return told.tokens().filter(|_| !impossible);
    }
    None
}

impl Told {
    /// Its input leaves out what was read from or written to a cache, as everywhere at Bedrock.
    fn tokens(self) -> Option<Tokens> {
        self.input.or(self.output)?;
        let mut tokens = Tokens::default();
        for (unit, count) in [
            (UsageUnit::InputUncached, self.input),
            (UsageUnit::InputCacheRead, self.cache_read),
            (UsageUnit::InputCacheWrite5m, self.cache_write),
            (UsageUnit::OutputText, self.output),
        ] {
            tokens.set(unit, count.unwrap_or_default());
        }
        Some(tokens)
    }
}
