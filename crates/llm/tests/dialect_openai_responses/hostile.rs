//! Bytes cut anywhere, broken anywhere, or of no sense at all.

use gatewright_llm::dialect::openai_responses::OpenaiResponses;
use gatewright_llm::dialect::openai_responses::stored::links;
use gatewright_llm::dialect::{Inbound, Outbound, PathFacts};
use gatewright_llm::event::Event;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};

use crate::fixtures::{ANSWERS, BROKEN_STREAMS, REQUESTS, decode, decode_pieces, fixture, stream};

fn streams() -> impl Strategy<Value = Vec<u8>> {
    select([&ANSWERS[..], &BROKEN_STREAMS[..]].concat()).prop_map(stream)
}

fn fixtures() -> impl Strategy<Value = Vec<u8>> {
    let requests = select(&REQUESTS[..]).prop_map(|name| fixture(&format!("requests/{name}.json")));
    let answers = select(&ANSWERS[..]).prop_map(|name| fixture(&format!("answers/{name}.json")));
    prop_oneof![requests, answers, streams()]
}

/// A fixture with some bytes replaced, by each other or by anything, and perhaps its end cut off.
fn mutated() -> impl Strategy<Value = Vec<u8>> {
    let pieces = select(vec![
        "", "null", "{", "}", "[", "]", "\"", "-1", "9e99", "\\ud800", "\n\n", "\u{0}", "é",
    ]);
    let edits = vec((any::<Index>(), 0..12_usize, pieces), 1..6);
    (fixtures(), edits, any::<Option<Index>>()).prop_map(|(mut bytes, edits, cut)| {
        for (place, length, piece) in edits {
            let start = place.index(bytes.len());
            let end = bytes.len().min(start + length);
            bytes.splice(start..end, piece.bytes());
            if bytes.is_empty() {
                bytes.push(b' ');
            }
        }
        if let Some(cut) = cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        bytes
    })
}

/// Whether the events keep to the order that encoders rely on.
fn is_in_order(events: &[Event]) -> bool {
    let (mut started, mut open, mut over) = (false, false, false);
    events.iter().all(|event| {
        let fits = !over
            && match event {
                Event::Start { .. } => !started,
                Event::Open(_) => started && !open,
                Event::Add(text) => open && !text.is_empty(),
                Event::Sign(_) | Event::Close => open,
                Event::Usage(_) => started,
                Event::Stop(_) => started && !open,
                Event::Failed(_) => true,
            };
        started |= matches!(event, Event::Start { .. });
        open = (open || matches!(event, Event::Open(_))) && !matches!(event, Event::Close);
        over = matches!(event, Event::Failed(_) | Event::Stop(_));
        fits
    }) && over
}

fn survives(bytes: &[u8]) {
    let _ = OpenaiResponses.read_request(bytes, PathFacts::default());
    let _ = links(bytes);
    let _ = OpenaiResponses.read_facts(bytes);
    if let Ok(answer) = OpenaiResponses.read_answer(bytes) {
        let chat = gatewright_llm::chat::Chat::default();
        let body = OpenaiResponses.write_answer(&answer, &crate::fixtures::reply("req_1", &chat));
        serde_json::from_slice::<serde_json::Value>(&body).expect("JSON");
    }
    let events = decode(bytes);
    assert!(is_in_order(&events), "{events:?}");
    let mut watch = OpenaiResponses.watcher();
    watch.look(bytes);
    for line in bytes.split(|byte| *byte == b'\n') {
        watch.look(line.strip_prefix(b"data: ").unwrap_or(line));
    }
}

proptest! {
    #[test]
    fn a_stream_cut_anywhere_says_the_same(stream in streams(), cuts in vec(any::<Index>(), 0..20)) {
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(stream.len())).collect();
        cuts.sort_unstable();
        let mut pieces = Vec::new();
        let mut rest = stream.as_slice();
        for cut in cuts.iter().rev() {
            let (before, piece) = rest.split_at(*cut);
            pieces.push(piece);
            rest = before;
        }
        pieces.push(rest);
        pieces.reverse();

        prop_assert_eq!(decode_pieces(pieces), decode(&stream));
    }

    #[test]
    fn a_mutated_fixture_breaks_nothing(bytes in mutated()) {
        survives(&bytes);
    }

    #[test]
    fn arbitrary_bytes_break_nothing(bytes in vec(any::<u8>(), 0..400)) {
        survives(&bytes);
    }
}
