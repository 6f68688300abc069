//! However bytes are cut, the events are the same; and no bytes make anything panic.

use gatewright_llm::chat::Chat;
use gatewright_llm::dialect::openai_chat::completions::OpenaiCompletions;
use gatewright_llm::dialect::openai_chat::{OpenaiChat, OpenaiChatTo, Quirks};
use gatewright_llm::dialect::{Inbound, Outbound, PathFacts};
use proptest::prelude::*;

use crate::{TARGET, decode, encoded, fixture, names, reply};

/// A fixture with some of its bytes changed.
fn mutated() -> impl Strategy<Value = Vec<u8>> {
    let all: Vec<_> = ["requests", "answers", "streams"].into_iter().flat_map(names).collect();
    let changes = prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..6);
    (prop::sample::select(all), changes, any::<prop::sample::Index>()).prop_map(|(name, changes, end)| {
        let mut bytes = fixture(&name);
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        bytes.truncate(end.index(bytes.len() * 2).max(1));
        bytes
    })
}

fn read_everything(bytes: &[u8]) {
    let outbound = OpenaiChatTo(Quirks::COMPATIBLE);
    if let Ok(chat) = OpenaiChat.read_request(bytes, PathFacts::default()) {
        let _ = outbound.write_request(&chat, TARGET);
    }
    let _ = OpenaiCompletions.read_request(bytes, PathFacts::default());
    let _ = outbound.read_answer(bytes);
    let _ = OpenaiChat.read_facts(bytes);
    OpenaiChat.watcher().look(bytes);
    OpenaiCompletions.watcher().look(bytes);
    let chat = Chat::default();
    for framed in [bytes.to_vec(), [b"data: ", bytes, b"\n\n"].concat()] {
        let events = decode([&*framed]);
        encoded(OpenaiChat.encoder(&reply(&chat)), &events);
        encoded(OpenaiCompletions.encoder(&reply(&chat)), &events);
    }
}

proptest! {
    #[test]
    fn any_cuts_give_the_same_events(
        name in prop::sample::select(names("streams")),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..12),
    ) {
        let bytes = fixture(&name);
        let mut ends: Vec<_> = cuts.iter().map(|cut| cut.index(bytes.len())).collect();
        ends.push(bytes.len());
        ends.sort_unstable();
        let mut from = 0;
        let pieces: Vec<&[u8]> = ends.into_iter().map(|end| &bytes[std::mem::replace(&mut from, end)..end]).collect();

        prop_assert_eq!(decode(pieces), decode([&*bytes]));
    }

    #[test]
    fn changed_fixtures_make_nothing_panic(bytes in mutated()) {
        read_everything(&bytes);
    }

    #[test]
    fn no_bytes_make_anything_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        read_everything(&bytes);
    }
}
