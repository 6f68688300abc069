//! Readers bear anything: streams cut anywhere, damaged fixtures, noise.

use std::fs;
use std::path::PathBuf;

use gatewright_llm::chat::Chat;
use gatewright_llm::dialect::gemini::{self, Gemini};
use gatewright_llm::dialect::{Inbound, Outbound, TargetFacts};
use gatewright_llm::event::Event;
use proptest::prelude::{Strategy, any, prop, proptest};
use proptest::test_runner::Config;

use crate::{STREAMS, decode, fixture, folder, path, reply, settled, stream};

fn cases() -> Config {
    Config {
        cases: 128,
        failure_persistence: None,
        ..Config::default()
    }
}

/// A fixture of some kind with some of its bytes replaced, left out or doubled.
fn mutated() -> impl Strategy<Value = Vec<u8>> {
    let mut all: Vec<PathBuf> = Vec::new();
    for kind in ["requests", "answers", "streams"] {
        let entries = fs::read_dir(folder().join(kind)).expect(kind);
        all.extend(entries.map(|entry| entry.expect("an entry").path()));
    }
    all.sort();
    let edits = prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0..3_u8), 0..6);
    (prop::sample::select(all), edits).prop_map(|(path, edits)| {
        let mut bytes = fs::read(path).expect("a fixture");
        for (index, byte, kind) in edits {
            let at = index.index(bytes.len());
            match kind {
                0 => bytes[at] = byte,
                1 => drop(bytes.remove(at)),
                _ => bytes.insert(at, byte),
            }
        }
        bytes
    })
}

fn read_by_all(bytes: &[u8]) {
    let chat = Gemini.read_request(bytes, path(true));
    if let Ok(chat) = chat {
        let target = TargetFacts {
            model: "m",
            output_limit: None,
        };
        let _ = Gemini.write_request(&chat, target);
    }
    let _ = gemini::read_count_request(bytes, path(false));
    let _ = Gemini.read_facts(bytes);
    if let Ok(answer) = Gemini.read_answer(bytes) {
        let chat = Chat::default();
        let written = Gemini.write_answer(&answer, &reply(&chat));
        assert!(serde_json::from_slice::<serde_json::Value>(&written).is_ok());
    }
    Gemini.watcher().look(bytes);
    let events = decode(bytes.chunks(7));
    assert!(
        matches!(events.last(), Some(Event::Stop(_) | Event::Failed(_))),
        "{events:?}"
    );
    decode([&b"data: "[..], bytes, b"\n\n"]);
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn any_split_of_a_stream_gives_the_same_events(
        case in prop::sample::select(&STREAMS[..]),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..12),
    ) {
        let bytes = fixture(&format!("streams/{case}.sse"));
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(bytes.len())).collect();
        cuts.sort_unstable();
        let mut pieces = Vec::new();
        let mut from = 0;
        for cut in cuts {
            pieces.push(&bytes[from..cut]);
            from = cut;
        }
        pieces.push(&bytes[from..]);

        assert_eq!(settled(decode(pieces)), settled(stream(case)));
    }

    #[test]
    fn nothing_makes_a_reader_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        read_by_all(&bytes);
    }

    #[test]
    fn no_damage_makes_a_reader_panic(bytes in mutated()) {
        read_by_all(&bytes);
    }
}
