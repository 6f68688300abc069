//! Streams cut anywhere.

use gatewright_llm::event::Event;
use proptest::prelude::*;

use crate::fixtures::STREAMS;
use crate::{decode, decode_pieces};

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
}
