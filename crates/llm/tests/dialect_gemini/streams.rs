//! Streams, read, written and watched.

use gatewright_llm::chat::{Chat, Maker, Part, Signature, Thinking};
use gatewright_llm::dialect::gemini::{self, Framing, Gemini};
use gatewright_llm::dialect::{ErrorFacts, Inbound, Looked};
use gatewright_llm::event::{Event, Opening, Stop};
use gatewright_llm::{Failure, FailureKind, NotAnAnswer};
use gatewright_types::UsageUnit;

use crate::{
    SIGNATURE, STREAMS, answer, call, decode, fixture, own_signature, path, reply, result, settled, stream, used,
};

fn encode(events: &[Event], framing: Framing) -> Vec<u8> {
    let chat = Chat::default();
    let mut encoder = gemini::encoder(framing, &reply(&chat));
    let mut out = Vec::new();
    for event in events {
        encoder.write(event, &mut out);
    }
    encoder.end(&mut out);
    out
}

fn started() -> Event {
    Event::Start {
        id: Some("8OkOabCJEeyqxN8P5vyA4A8".into()),
        model: Some("gemini-3.8-flash".into()),
    }
}

#[test]
fn streams_are_read() {
    let usage = used(&[(UsageUnit::InputUncached, 8), (UsageUnit::OutputText, 9)]).expect("usage");
    let expected = [
        started(),
        Event::Open(Opening::Text),
        Event::Add("Paris is the capital of France. 🗼".into()),
        Event::Close,
        Event::Usage(usage),
        Event::Stop(Stop::End),
    ];
    assert_eq!(settled(stream("basic")), expected);

    let opened = |id: &str, name: &str| {
        Event::Open(Opening::ToolCall {
            id: id.into(),
            name: name.into(),
        })
    };
    let parallel = settled(stream("parallel-tools"));
    let expected = [
        Event::Close,
        opened("v9k2wq1x", "get_weather"),
        Event::Add(r#"{"city":"Oslo"}"#.into()),
        Event::Sign(own_signature()),
        Event::Close,
        opened("c07zmmsd", "get_time"),
        Event::Add("{}".into()),
        Event::Close,
    ];
    assert_eq!(parallel[3..11], expected);
    assert_eq!(parallel.last(), Some(&Event::Stop(Stop::ToolCalls)));
    let tools = stream("tools");
    assert_eq!(tools[1], opened("call_8OkOabCJEeyqxN8P5vyA4A8_1", "get_weather"));

    let reasoning = settled(stream("reasoning"));
    let expected = [
        Event::Open(Opening::Thinking),
        Event::Add("I multiply 17 by 20 and by 3.".into()),
        Event::Close,
        Event::Open(Opening::Text),
        Event::Add("391".into()),
        Event::Close,
        Event::Open(Opening::Thinking),
        Event::Sign(own_signature()),
        Event::Close,
    ];
    assert_eq!(reasoning[1..10], expected);

    assert_eq!(stream("refusal").last(), Some(&Event::Stop(Stop::Refused)));
    assert_eq!(stream("length").last(), Some(&Event::Stop(Stop::Length)));
    let cached = stream("cached").into_iter().find_map(|event| match event {
        Event::Usage(tokens) => Some(tokens.get(UsageUnit::InputCacheRead)),
        _ => None,
    });
    assert_eq!(cached, Some(2048));
}

#[test]
fn broken_streams_fail() {
    for (case, kind) in [
        ("error-midstream", FailureKind::ErrorEvent),
        ("stall", FailureKind::Malformed),
        ("cut", FailureKind::Malformed),
    ] {
        let events = stream(case);
        let Some(Event::Failed(failure)) = events.last() else {
            panic!("{case}: {events:?}");
        };
        assert_eq!(failure.kind, kind, "{case}");
        assert!(events.contains(&Event::Add("Paris is".into())), "{case}");
    }
}

#[test]
fn a_stream_written_and_read_again_is_the_same() {
    for case in STREAMS.into_iter().take(8) {
        let events = settled(stream(case));

        let again = decode([&encode(&events, Framing::Sse)[..]]);

        assert_eq!(settled(again), events, "{case}");
    }
}

#[test]
fn a_signature_before_text_goes_with_it() {
    let events = [
        Event::Open(Opening::Thinking),
        Event::Sign(own_signature()),
        Event::Close,
        Event::Open(Opening::Text),
        Event::Add("391".into()),
        Event::Close,
        Event::Stop(Stop::End),
    ];

    let written = String::from_utf8(encode(&events, Framing::Sse)).expect("text");

    let first = written.lines().next().expect("a line");
    let part = format!(r#""parts":[{{"text":"391","thoughtSignature":"{SIGNATURE}"}}]"#);
    assert!(first.starts_with("data: {") && first.contains(&part), "{first}");
}

/// As Google's SDK keeps its chats: a content for each event.
#[test]
fn the_pieces_of_a_stream_given_back_are_the_answer() {
    let signature = Signature {
        maker: Maker::Anthropic,
        text: "EqoB+/8=".into(),
    };
    let events = [
        Event::Open(Opening::Thinking),
        Event::Add("Hm".into()),
        Event::Add(", well.".into()),
        Event::Sign(signature.clone()),
        Event::Close,
        Event::Open(Opening::Text),
        Event::Add("Let me ".into()),
        Event::Add("look.".into()),
        Event::Close,
        Event::Open(Opening::ToolCall {
            id: "toolu_1".into(),
            name: "get_weather".into(),
        }),
        Event::Add("{\"city\":\n".into()),
        Event::Add("\"Oslo\"}".into()),
        Event::Close,
        Event::Stop(Stop::ToolCalls),
    ];

    let pieces: Vec<serde_json::Value> = serde_json::from_slice(&encode(&events, Framing::Array)).expect("an array");
    let mut contents = vec![serde_json::json!({"role": "user", "parts": [{"text": "How is it in Oslo?"}]})];
    contents.extend(pieces.iter().map(|piece| piece["candidates"][0]["content"].clone()));
    let returned = serde_json::json!({"functionResponse": {"name": "get_weather", "response": {"output": "dry"}}});
    contents.push(serde_json::json!({"role": "user", "parts": [returned]}));
    let body = serde_json::json!({ "contents": contents }).to_string();
    let chat = Gemini.read_request(body.as_bytes(), path(false)).expect("a request");

    let said = [
        Part::Thinking(Thinking {
            text: "Hm, well.".into(),
            signature: Some(signature),
        }),
        Part::text("Let me look."),
        call("toolu_1", "get_weather", r#"{"city":"Oslo"}"#, None),
    ];
    assert_eq!(chat.turns[1].parts, said);
    assert_eq!(chat.turns[2].parts, [result("toolu_1", "get_weather", "dry", false)]);
}

#[test]
fn an_array_holds_the_same_responses_as_the_events() {
    let events = settled(stream("parallel-tools"));
    let sse = String::from_utf8(encode(&events, Framing::Sse)).expect("text");

    let array: Vec<serde_json::Value> = serde_json::from_slice(&encode(&events, Framing::Array)).expect("an array");

    let datas = sse.lines().filter_map(|line| line.strip_prefix("data: "));
    let datas: Vec<serde_json::Value> = datas.map(|data| serde_json::from_str(data).expect("JSON")).collect();
    assert_eq!(array, datas);
    let last = array.last().expect("a response");
    assert_eq!(last["candidates"][0]["finishReason"], "STOP");
    assert_eq!(last["usageMetadata"]["totalTokenCount"], 128);
}

#[test]
fn a_stream_that_breaks_off_ends_in_an_error() {
    let error = ErrorFacts {
        status: 504,
        message: "too late",
        code: "upstream_timeout",
        param: None,
        request_id: "req_1",
    };
    let chat = Chat::default();
    for begun in [false, true] {
        for framing in [Framing::Sse, Framing::Array] {
            let mut encoder = gemini::encoder(framing, &reply(&chat));
            let mut out = Vec::new();
            if begun {
                encoder.write(&Event::Open(Opening::Text), &mut out);
                encoder.write(&Event::Add("Pa".into()), &mut out);
            }
            encoder.fail(&error, &mut out);

            let text = String::from_utf8(out).expect("text");
            let last = match framing {
                // Google's SDK looks for these first bytes.
                Framing::Sse => text.trim_end().rsplit("data: ").next().map(str::to_owned),
                Framing::Array => {
                    let all: Vec<serde_json::Value> = serde_json::from_str(&text).expect("an array");
                    all.last().map(ToString::to_string)
                }
            };
            let last = last.expect("an error");
            assert!(last.starts_with(r#"{"error":{"code":504,"#), "{last}");
            assert!(last.contains("upstream_timeout"), "{last}");
        }
    }
}

#[test]
fn streams_and_answers_that_pass_are_watched() {
    let mut watcher = Gemini.watcher();
    let text = String::from_utf8(fixture("streams/parallel-tools.sse")).expect("text");
    let looked: Vec<_> = text
        .lines()
        .filter_map(|line| line.strip_prefix("data: "))
        .map(|data| {
            let looked = watcher.look(data.as_bytes());
            (looked.content, looked.finish, looked.failed.is_some())
        })
        .collect();
    let content = (true, false, false);
    assert_eq!(looked, [content, content, content, (false, true, false)]);
    assert_eq!(watcher.facts().usage, answer("parallel-tools").usage);
    let error = watcher.look(br#"{"error":{"code":503,"message":"overloaded"}}"#);
    assert_eq!(error.failed.expect("a failure").status, Some(503));
    let ceremony = br#"{"candidates":[{"content":{"parts":[{"text":"","thoughtSignature":"Zg=="}]}}]}"#;
    assert_eq!(watcher.look(ceremony), Looked::default());
    let blocked = watcher.look(br#"{"promptFeedback":{"blockReason":"OTHER"}}"#);
    assert!(blocked.finish && blocked.refused);
    let whole =
        Gemini.read_facts(br#"{"promptFeedback":{"blockReason":"OTHER"},"usageMetadata":{"promptTokenCount":3}}"#);
    assert!(whole.expect("facts").blocked);

    let facts = Gemini.read_facts(&fixture("answers/basic.json")).expect("facts");
    assert_eq!(facts.usage, answer("basic").usage);
    let error = Gemini.read_facts(&fixture("answers/error-before.json"));
    assert!(
        matches!(error, Err(NotAnAnswer::Error(Failure { code: Some(code), status: Some(429), .. })) if code == "RESOURCE_EXHAUSTED")
    );
    assert_eq!(Gemini.read_facts(b"[1]"), Err(NotAnAnswer::NotJson));
}
