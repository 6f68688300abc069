//! Bedrock's dialect over its fixtures: requests as they are written, answers and streams as they are read. The streams
//! are framed here.

mod stored_frames;

use std::fs;
use std::path::{Path, PathBuf};

use chrono::DateTime;
use gatewright_llm::chat::{
    Amount, CacheMark, Chat, Effort, Format, Json, Maker, Media, MediaKind, Part, Reasoning, Role, Schema, Signature,
    Source, Text, Thinking, Tool, ToolCall, ToolChoice, ToolResult, Turn,
};
use gatewright_llm::dialect::bedrock::BedrockConverse;
use gatewright_llm::dialect::bedrock::event_stream::write_frame;
use gatewright_llm::dialect::{Outbound as _, TargetFacts};
use gatewright_llm::event::{Answer, Event, Stop};
use gatewright_llm::{FailureKind, Terms, Tokens, classify};
use gatewright_types::UsageUnit;
use http::HeaderMap;
use proptest::prelude::{any, prop};
use proptest::{prop_assert_eq, proptest};

use stored_frames::framed;

const CLAUDE: &str = "eu.anthropic.claude-sonnet-4-5-20250929-v1:0";
const ADAPTIVE_CLAUDE: &str = "anthropic.claude-opus-4-6-v1";
const WEATHER: &str = r#"{"type":"object","properties":{"city":{"type":"string"},"unit":{"enum":["celsius","kelvin"]}},"required":["city"],"additionalProperties":false}"#;
const SIGNATURE: &str = "EqQBCkgICRABGAIiQL2v0sZ8m1rUo5yQd7Wc9nVx3LkTfBhGpJqYwEaSiRtNu4KzXvD6eMlOPb+Hs0IgFjCc";
const SEALED: &str = "EmwKAhgBEgy3va3pzix/LafPsn4aDFIT2Xlxh0L5L8rLVyIwxtE3rAFBa8cr3qpP";

fn fixture(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/golden/dialects/bedrock")
        .join(path)
}

fn read(path: &str) -> Vec<u8> {
    fs::read(fixture(path)).expect(path)
}

fn stream(name: &str) -> Vec<u8> {
    framed(&read(&format!("streams/{name}.json")))
}

fn stream_names() -> Vec<String> {
    let entries = fs::read_dir(fixture("streams")).expect("streams");
    let names = entries.filter_map(|entry| {
        let name = entry.expect("an entry").file_name().into_string().expect("a name");
        name.strip_suffix(".json").map(Into::into)
    });
    let mut names: Vec<String> = names.collect();
    names.sort();
    names
}

fn events_of<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> Vec<Event> {
    let mut decoder = BedrockConverse::of(CLAUDE).decoder();
    let mut events = Vec::new();
    for piece in pieces {
        decoder.push(piece, &mut events);
    }
    decoder.end(&mut events);
    events
}

fn answer_of(events: &[Event]) -> Answer {
    Answer::gather(events.iter().cloned()).expect("a whole stream")
}

fn call(id: &str, name: &str, arguments: &str) -> Part {
    Part::ToolCall(ToolCall {
        id: id.into(),
        name: name.into(),
        arguments: arguments.into(),
        signature: None,
        cache: None,
    })
}

fn thinking(text: &str, maker: Maker, signature: &str) -> Part {
    let text = text.into();
    let signature = Some(Signature {
        maker,
        text: signature.into(),
    });
    Part::Thinking(Thinking { text, signature })
}

fn usage(counts: &[(UsageUnit, u64)]) -> Option<Tokens> {
    let mut tokens = Tokens::default();
    for (unit, count) in counts {
        tokens.set(*unit, *count);
    }
    Some(tokens)
}

fn plain_usage(input: u64, output: u64) -> Option<Tokens> {
    usage(&[(UsageUnit::InputUncached, input), (UsageUnit::OutputText, output)])
}

/// Arguments without the spaces that a fixture's formatting put there.
fn compact(mut answer: Answer) -> Answer {
    for part in &mut answer.parts {
        if let Part::ToolCall(call) = part {
            let arguments: serde_json::Value = serde_json::from_str(&call.arguments).expect("JSON");
            call.arguments = arguments.to_string().into();
        }
    }
    answer
}

/// What the fixtures of this name say, whole and as a stream.
fn expected(name: &str) -> Answer {
    let zurich = call(
        "tooluse_7bTz4kQ2Rm-9xYvLcA0dJg",
        "get_weather",
        r#"{"city":"Zürich","unit":"celsius"}"#,
    );
    let (parts, stop, usage) = match name {
        "basic" => (
            vec![Part::text("The capital of Norway is Oslo.")],
            Stop::End,
            plain_usage(14, 10),
        ),
        "tools" => (
            vec![Part::text("I'll look that up."), zurich],
            Stop::ToolCalls,
            plain_usage(412, 68),
        ),
        "parallel-tools" => (
            vec![
                zurich,
                call("tooluse_Qk3mX8sTS1eVnPf5uW2hLw", "get_weather", r#"{"city":"Oslo"}"#),
                call("tooluse_a9RpE6yHQ7G1cBd0MzKjVg", "get_time", "{}"),
            ],
            Stop::ToolCalls,
            plain_usage(431, 121),
        ),
        "structured" => (
            vec![Part::text(r#"{"name":"Ada Lovelace","born":1815}"#)],
            Stop::End,
            plain_usage(208, 17),
        ),
        "reasoning" => (
            vec![
                thinking(
                    "17 times 23: 17 times 20 is 340, 17 times 3 is 51, together 391.",
                    Maker::Anthropic,
                    SIGNATURE,
                ),
                thinking("", Maker::AnthropicRedacted, SEALED),
                Part::text("17 × 23 = 391"),
            ],
            Stop::End,
            plain_usage(46, 142),
        ),
        "cached" => (
            vec![Part::text("Chapter two, second paragraph.")],
            Stop::End,
            usage(&[
                (UsageUnit::InputUncached, 21),
                (UsageUnit::InputCacheRead, 4096),
                (UsageUnit::InputCacheWrite5m, 512),
                (UsageUnit::InputCacheWrite1h, 1536),
                (UsageUnit::OutputText, 9),
            ]),
        ),
        "refusal" => (
            vec![Part::text("Sorry, the model cannot answer this question.")],
            Stop::Refused,
            plain_usage(19, 0),
        ),
        "length" => (
            vec![Part::text("Once upon a time there was a")],
            Stop::Length,
            plain_usage(11, 8),
        ),
        "stop-sequence" => (
            vec![Part::text("one, two, ")],
            Stop::Sequence(Some("three".into())),
            plain_usage(13, 6),
        ),
        other => panic!("{other} is no answer"),
    };
    Answer {
        id: None,
        model: None,
        parts,
        stop,
        usage,
        terms: Terms::default(),
    }
}

const ANSWERS: [&str; 9] = [
    "basic",
    "tools",
    "parallel-tools",
    "structured",
    "reasoning",
    "cached",
    "refusal",
    "length",
    "stop-sequence",
];

#[test]
fn answers_are_read() {
    for name in ANSWERS {
        let body = read(&format!("answers/{name}.json"));

        let answer = BedrockConverse::of(CLAUDE).read_answer(&body).expect(name);

        assert_eq!(compact(answer), expected(name), "{name}");
    }
}

#[test]
fn streams_say_the_same_as_whole_answers() {
    for name in ANSWERS {
        let events = events_of([&stream(name)[..]]);

        assert_eq!(answer_of(&events), expected(name), "{name}");
        assert!(
            matches!(events.first(), Some(Event::Start { id: None, model: None })),
            "{name}"
        );
        assert!(matches!(events.last(), Some(Event::Stop(_))), "{name}");
    }
}

#[test]
fn thoughts_of_other_models_are_bedrocks() {
    let body = read("answers/reasoning.json");
    let other = BedrockConverse::of("us.amazon.nova-2-lite-v1:0");

    let answer = other.read_answer(&body).expect("an answer");

    let makers = answer.parts.iter().filter_map(|part| match part {
        Part::Thinking(thinking) => thinking.signature.as_ref().map(|signature| signature.maker),
        _ => None,
    });
    assert_eq!(makers.collect::<Vec<_>>(), [Maker::Bedrock, Maker::Bedrock]);
}

#[test]
fn streams_that_break_off_have_failed_after_what_came() {
    let check = |name: &str, text: &str, kind: FailureKind, message: &str| {
        let events = events_of([&stream(name)[..]]);
        let texts = events.iter().filter_map(|event| match event {
            Event::Add(text) => Some(&**text),
            _ => None,
        });
        assert_eq!(texts.collect::<String>(), text, "{name}");
        let Some(Event::Failed(failure)) = events.last() else {
            panic!("{name}: {events:?}");
        };
        assert_eq!((failure.kind, failure.message.as_str()), (kind, message), "{name}");
        assert!(!events.iter().any(|event| matches!(event, Event::Stop(_))), "{name}");
    };
    let ended = "the stream ended before the answer did";

    check("stall", "The capital of Norway", FailureKind::Malformed, ended);
    check("cut", "The capital", FailureKind::Malformed, ended);
    check(
        "wrong-checksum",
        "The capital",
        FailureKind::Malformed,
        "the provider sent a frame with a wrong checksum",
    );
    check(
        "error-midstream",
        "The capital",
        FailureKind::Server,
        "The model's stream broke off.",
    );
    check(
        "malformed-tool",
        "Let me",
        FailureKind::Malformed,
        "the model's tool call could not be read",
    );
}

#[test]
fn usage_is_told_before_a_model_that_wrote_nonsense_has_failed() {
    let events = events_of([&stream("malformed-tool")[..]]);

    let before = events.iter().rev().nth(1);
    assert_eq!(before, plain_usage(400, 30).map(Event::Usage).as_ref());
}

#[test]
fn errors_are_failures_in_whichever_shape() {
    let check = |body: &[u8], kind: FailureKind, message: &str| {
        let failure = BedrockConverse::of(CLAUDE).read_answer(body).expect_err(message);
        assert_eq!((failure.kind, failure.message.as_str()), (kind, message));
    };

    check(
        &read("answers/error-front.json"),
        FailureKind::ErrorEvent,
        "Bearer Token has expired",
    );
    check(
        &read("answers/malformed-tool.json"),
        FailureKind::Malformed,
        "the model's tool call could not be read",
    );
    let not_json = "the provider's answer is not a JSON object";
    check(b"<html>", FailureKind::Malformed, not_json);
    check(
        br#"{"output":{"message":{"content":["#,
        FailureKind::Malformed,
        not_json,
    );
    check(
        br#"{"stopReason":"end_turn"}"#,
        FailureKind::Malformed,
        "the provider's answer has no message",
    );
    let before = classify(
        400,
        &HeaderMap::new(),
        &read("answers/error-before.json"),
        DateTime::UNIX_EPOCH,
    );
    assert_eq!(
        (before.kind, before.message.as_str()),
        (
            FailureKind::BadRequest,
            "The model returned the following errors: temperature: range: 0..1"
        )
    );
}

/// `streams/recorded.bin` is the stream `tools` framed by another writer (Python's `struct` and `zlib.crc32`). botocore
/// 1.44.8 reads it as 11 events: `EventStream(raw, shape, EventStreamJSONParser(), "ConverseStream")`, with `shape` from
/// `service_model("bedrock-runtime").operation_model("ConverseStream").get_event_stream_output()` and `raw` giving 7
/// bytes at a time. All other stream fixtures were read by it in the same way.
#[test]
fn frames_of_another_writer_are_read_alike() {
    let events = events_of([&read("streams/recorded.bin")[..]]);

    assert_eq!(events, events_of([&stream("tools")[..]]));
}

fn conversation(parts: impl IntoIterator<Item = Part>) -> Chat {
    Chat {
        turns: vec![Turn {
            role: Role::User,
            parts: parts.into_iter().collect(),
        }],
        ..Chat::default()
    }
}

fn weather() -> Tool {
    Tool {
        name: "get_weather".into(),
        description: Some("The weather in a city.".into()),
        parameters: Json::parse(WEATHER),
        strict: None,
        cache: None,
    }
}

fn media(kind: MediaKind, base64: &str, media_type: &str, name: Option<&str>) -> Part {
    Part::Media(Media {
        kind,
        source: Source::Base64(base64.into()),
        media_type: Some(media_type.into()),
        name: name.map(Into::into),
        detail: None,
        cache: None,
    })
}

const PNG: &str = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";

/// The model and the chat of each request that is kept.
fn requests() -> Vec<(&'static str, &'static str, Chat)> {
    let mut basic = conversation([Part::text("What is the capital of Norway?")]);
    basic.instructions = vec![Text::new("Answer in one sentence.")];
    basic.sampling.max_tokens = Some(512);
    basic.sampling.temperature = serde_json::Number::from_f64(0.2);
    basic.sampling.stop = vec!["\n\nUser:".into()];

    let mut tools = conversation([Part::text("What is the weather in Zürich?")]);
    tools.tools = vec![weather()];
    tools.tool_choice = ToolChoice::Required;
    tools.turns.push(Turn {
        role: Role::Assistant,
        parts: vec![call(
            "tooluse_7bTz4kQ2Rm-9xYvLcA0dJg",
            "get_weather",
            r#"{"city":"Zürich"}"#,
        )],
    });
    tools.turns.push(Turn {
        role: Role::User,
        parts: vec![Part::ToolResult(ToolResult {
            call: "tooluse_7bTz4kQ2Rm-9xYvLcA0dJg".into(),
            name: None,
            parts: vec![
                Part::text("the station does not answer"),
                media(MediaKind::Image, PNG, "image/png", None),
            ],
            failed: true,
            cache: None,
        })],
    });

    let files = conversation([
        Part::text("What is in these?"),
        media(MediaKind::Image, PNG, "image/png", None),
        media(
            MediaKind::Document,
            "JVBERi0xLjQKJSVFT0YK",
            "application/pdf",
            Some("report_2026.pdf"),
        ),
    ]);

    let mut structured = conversation([Part::text("Who wrote the first program?")]);
    structured.format = Format::Schema(Schema {
        name: "person".into(),
        description: Some("A person.".into()),
        schema: Json::parse(r#"{"type":"object","properties":{"name":{"type":"string"},"born":{"type":"integer"}},"required":["name","born"],"additionalProperties":false}"#).expect("JSON"),
        strict: Some(true),
    });

    let mut reasoning = conversation([Part::text("What is 17 times 23?")]);
    reasoning.reasoning = Some(Reasoning {
        amount: Amount::Effort(Effort::Medium),
        shown: Some(true),
    });
    reasoning.turns.push(Turn {
        role: Role::Assistant,
        parts: vec![
            thinking("17 times 20 is 340", Maker::Anthropic, SIGNATURE),
            thinking("", Maker::AnthropicRedacted, SEALED),
            Part::text("391"),
        ],
    });
    reasoning.turns.push(Turn {
        role: Role::User,
        parts: vec![Part::text("And times 2?")],
    });
    let mut budgeted = reasoning.clone();
    budgeted.sampling.max_tokens = Some(6_000);

    let mut cached = conversation([
        Part::Text(Text {
            text: "A long book.".into(),
            cache: Some(CacheMark::FiveMinutes),
        }),
        Part::text("Where does it begin?"),
    ]);
    cached.instructions = vec![Text {
        text: "You read books.".into(),
        cache: Some(CacheMark::OneHour),
    }];
    cached.tools = vec![Tool {
        cache: Some(CacheMark::OneHour),
        ..weather()
    }];

    let mut nova = basic.clone();
    nova.sampling.top_k = Some(20);
    nova.reasoning = reasoning.reasoning.clone();

    vec![
        ("basic", CLAUDE, basic),
        ("tools", CLAUDE, tools),
        ("files", CLAUDE, files),
        ("structured", CLAUDE, structured),
        ("reasoning", ADAPTIVE_CLAUDE, reasoning),
        ("budget", CLAUDE, budgeted),
        ("cached", CLAUDE, cached),
        ("nova", "us.amazon.nova-2-lite-v1:0", nova),
    ]
}

#[expect(
    clippy::disallowed_methods,
    reason = "the one setting of this test, read where it is used"
)]
fn updating() -> bool {
    std::env::var_os("UPDATE_GOLDEN").is_some()
}

/// The bodies in `requests` were checked against botocore 1.44.8's model of the API: with base64 made bytes again,
/// `ParamValidator().validate(body, operation_model("Converse").input_shape)` reports nothing.
#[test]
fn requests_are_written_as_they_are_kept() {
    for (name, model, chat) in requests() {
        let target = TargetFacts {
            model,
            output_limit: None,
        };

        let written = BedrockConverse::of(model).write_request(&chat, target).expect(name);

        let path = fixture(&format!("requests/{name}.json"));
        let mut body = written.body;
        body.push(b'\n');
        if updating() {
            fs::write(&path, &body).expect("a writable folder");
        }
        let kept = fs::read(&path).expect(name);
        assert_eq!(String::from_utf8_lossy(&body), String::from_utf8_lossy(&kept), "{name}");
    }
}

/// What is read from an answer can be given back in the next request.
#[test]
fn an_answer_goes_back_as_it_came() {
    for name in ["tools", "reasoning"] {
        let body = read(&format!("answers/{name}.json"));
        let answer = BedrockConverse::of(CLAUDE).read_answer(&body).expect(name);
        let chat = Chat {
            turns: vec![Turn {
                role: Role::Assistant,
                parts: answer.parts,
            }],
            ..Chat::default()
        };
        let target = TargetFacts {
            model: CLAUDE,
            output_limit: None,
        };

        let written = BedrockConverse::of(CLAUDE).write_request(&chat, target).expect(name);

        let came: serde_json::Value = serde_json::from_slice(&body).expect(name);
        let went: serde_json::Value = serde_json::from_slice(&written.body).expect(name);
        assert_eq!(went["messages"][0], came["output"]["message"], "{name}");
    }
}

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
