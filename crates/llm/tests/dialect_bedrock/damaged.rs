//! Answers and streams that are cut, mixed up or nonsense.

use gatewright_llm::FailureKind;
use gatewright_llm::dialect::Outbound as _;
use gatewright_llm::dialect::bedrock::BedrockConverse;
use gatewright_llm::dialect::bedrock::event_stream::write_frame;
use gatewright_llm::event::Event;
use proptest::prelude::{any, prop};
use proptest::{prop_assert_eq, proptest};

use crate::answers::ANSWERS;
use crate::{events_of, read, stream, stream_names};

proptest! {
    #[test]
    fn streams_may_be_cut_anywhere(cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..12)) {
        for name in stream_names() {
            let bytes = stream(&name);
            let mut cuts: Vec<_> = cuts.iter().map(|cut| cut.index(bytes.len())).collect();
            cuts.extend([0, bytes.len()]);
            cuts.sort_unstable();
            let pieces = cuts.windows(2).map(|pair| bytes.get(pair[0]..pair[1]).unwrap_or_default());

            prop_assert_eq!(events_of(pieces), events_of([&bytes[..]]), "{}", name);
        }
    }

    #[test]
    fn arbitrary_bytes_do_no_harm(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let events = events_of([&bytes[..]]);
        prop_assert_eq!(events.len(), 1, "{:?}", events);

        let failure = BedrockConverse::Claude.read_answer(&bytes).expect_err("no answer");
        prop_assert_eq!(failure.kind, FailureKind::Malformed);
    }

    /// Frames that are whole, with payloads and headers that are anything.
    #[test]
    fn arbitrary_payloads_do_no_harm(
        frames in prop::collection::vec((0..7_usize, prop::collection::vec(any::<u8>(), 0..80)), 0..20),
    ) {
        const TYPES: [&str; 7] = [
            "messageStart", "contentBlockStart", "contentBlockDelta", "contentBlockStop", "messageStop", "metadata", "x",
        ];
        let frames: Vec<_> = frames
            .iter()
            .map(|(kind, payload)| write_frame(&[(":message-type", "event"), (":event-type", TYPES[*kind])], payload))
            .collect();

        let events = events_of(frames.iter().map(Vec::as_slice));

        prop_assert_eq!(matches!(events.last(), Some(Event::Stop(_) | Event::Failed(_))), true);
    }

    /// The frames of the fixtures in another order, with bytes changed before they are framed.
    #[test]
    fn mutated_streams_end_once(
        name in any::<prop::sample::Index>(),
        order in prop::collection::vec(any::<prop::sample::Index>(), 0..16),
        at in any::<prop::sample::Index>(),
        byte in any::<u8>(),
    ) {
        let names = stream_names();
        let name = name.get(&names);
        let stored: Vec<serde_json::Value> = serde_json::from_slice(&read(&format!("streams/{name}.json"))).expect("frames");
        let frames: Vec<_> = order
            .iter()
            .map(|index| {
                let stored = index.get(&stored);
                let mut payload = stored["payload"].to_string().into_bytes();
                let place = at.index(payload.len());
                payload[place] = byte;
                let headers = stored["headers"].as_object().expect("headers");
                let headers: Vec<_> = headers
                    .iter()
                    .map(|(name, value)| (name.as_str(), value.as_str().expect("a text")))
                    .collect();
                write_frame(&headers, &payload)
            })
            .collect();

        let events = events_of(frames.iter().map(Vec::as_slice));

        let ends = events.iter().filter(|event| matches!(event, Event::Stop(_) | Event::Failed(_))).count();
        prop_assert_eq!(ends, 1, "{:?}", events);
        let mut open = false;
        for event in &events {
            match event {
                Event::Open(_) => {
                    prop_assert_eq!(open, false, "{:?}", &events);
                    open = true;
                }
                Event::Close => {
                    prop_assert_eq!(open, true, "{:?}", &events);
                    open = false;
                }
                Event::Add(text) => prop_assert_eq!((open, text.is_empty()), (true, false), "{:?}", &events),
                Event::Sign(_) => prop_assert_eq!(open, true, "{:?}", &events),
                Event::Stop(_) => prop_assert_eq!(open, false, "{:?}", &events),
                Event::Start { .. } | Event::Usage(_) | Event::Failed(_) => {}
            }
        }
    }

    #[test]
    fn mutated_answers_do_no_harm(
        name in any::<prop::sample::Index>(),
        at in any::<prop::sample::Index>(),
        byte in any::<u8>(),
        cut in any::<prop::sample::Index>(),
    ) {
        let mut body = read(&format!("answers/{}.json", name.get(&ANSWERS)));
        let mut mutated = body.clone();
        mutated[at.index(body.len())] = byte;
        // Whatever it is read as, it is read.
        drop(BedrockConverse::Claude.read_answer(&mutated));
        body.truncate(cut.index(body.len() - 2));

        let failure = BedrockConverse::Claude.read_answer(&body).expect_err("no answer");
        prop_assert_eq!(failure.kind, FailureKind::Malformed);
    }
}
