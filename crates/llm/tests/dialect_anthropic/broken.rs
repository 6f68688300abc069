//! Streams cut anywhere, and everything broken at random.

use gatewright_llm::dialect::anthropic::Anthropic;
use gatewright_llm::dialect::{Inbound, Outbound, PathFacts};
use gatewright_llm::event::Event;
use proptest::prelude::*;

use crate::fixtures::{ANSWERS, Fixtures, REQUESTS, STREAMS};
use crate::{decode, decode_pieces, write};

/// Neighbouring texts of a part as one: where they are cut is the network's choice.
fn joined(events: Vec<Event>) -> Vec<Event> {
    let mut joined: Vec<Event> = Vec::with_capacity(events.len());
    for event in events {
        match (joined.last_mut(), event) {
            (Some(Event::Add(before)), Event::Add(text)) => *before = format!("{before}{text}").into(),
            (_, event) => joined.push(event),
        }
    }
    joined
}

/// A fixture with some of its bytes replaced, and cut.
fn mutated(fixtures: Fixtures) -> impl Strategy<Value = Vec<u8>> {
    let fixture = proptest::sample::select(fixtures);
    let changes = proptest::collection::vec((any::<proptest::sample::Index>(), any::<u8>()), 0..6);
    (fixture, changes, any::<proptest::sample::Index>()).prop_map(|((_, text), changes, end)| {
        let mut bytes = text.as_bytes().to_vec();
        for (place, byte) in changes {
            let at = place.index(bytes.len());
            bytes[at] = byte;
        }
        bytes.truncate(end.index(bytes.len()).max(1));
        bytes
    })
}

fn read_everything(bytes: &[u8]) {
    if let Ok(chat) = Anthropic.read_request(bytes, PathFacts::default()) {
        // What is read can be written, or is refused.
        drop(write(&chat));
    }
    drop(Anthropic.read_answer(bytes));
    drop(Anthropic.read_facts(bytes));
    let events = decode(bytes);
    let ends = events
        .iter()
        .filter(|event| matches!(event, Event::Stop(_) | Event::Failed(_)))
        .count();
    assert_eq!(ends, 1, "{events:?}");
    let mut watcher = Anthropic.watcher();
    for line in bytes.split(|byte| *byte == b'\n') {
        watcher.look(line.strip_prefix(b"data: ").unwrap_or(line));
    }
}

proptest! {
    #[test]
    fn a_stream_may_be_cut_anywhere(
        (_, text) in proptest::sample::select(STREAMS),
        cuts in proptest::collection::vec(any::<proptest::sample::Index>(), 0..12),
    ) {
        let mut ends: Vec<_> = cuts.iter().map(|cut| cut.index(text.len() + 1)).collect();
        ends.sort_unstable();
        ends.push(text.len());
        let mut from = 0;
        let mut pieces = Vec::new();
        for end in ends {
            pieces.push(&text.as_bytes()[from..end]);
            from = end;
        }

        prop_assert_eq!(joined(decode_pieces(pieces)), joined(decode(text.as_bytes())));
    }

    #[test]
    fn any_bytes_are_survived(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        read_everything(&bytes);
    }

    #[test]
    fn broken_requests_are_survived(bytes in mutated(REQUESTS)) {
        read_everything(&bytes);
    }

    #[test]
    fn broken_answers_are_survived(bytes in mutated(ANSWERS)) {
        read_everything(&bytes);
    }

    #[test]
    fn broken_streams_are_survived(bytes in mutated(STREAMS)) {
        read_everything(&bytes);
    }
}
