//! Anthropic Messages, read and written: every fixture, there and back, cut anywhere and broken at random.

use gatewright_llm::chat::{
    Amount, CacheMark, Chat, Effort, Format, Json, Maker, Media, MediaKind, Part, Reasoning, Role, Signature, Source,
    Text, Thinking, Tool, ToolCall, ToolChoice, ToolResult, Turn,
};
use gatewright_llm::dialect::anthropic::{Anthropic, AnthropicOn, Envelope, read_count_request, write_token_count};
use gatewright_llm::dialect::{
    ErrorFacts, Inbound, Looked, Outbound, PathFacts, ReplyFacts, TargetFacts, Unsupported, Written,
};
use gatewright_llm::event::{Answer, Event, Opening, Stop};
use gatewright_llm::{BadRequest, Failure, FailureKind, Tokens};
use gatewright_types::UsageUnit;
use proptest::prelude::*;

const REQUESTS: [(&str, &str); 11] = [
    ("basic", include_str!("golden/dialects/anthropic/requests/basic.json")),
    ("stream", include_str!("golden/dialects/anthropic/requests/stream.json")),
    ("tools", include_str!("golden/dialects/anthropic/requests/tools.json")),
    (
        "parallel-tools",
        include_str!("golden/dialects/anthropic/requests/parallel-tools.json"),
    ),
    (
        "forced-tool",
        include_str!("golden/dialects/anthropic/requests/forced-tool.json"),
    ),
    ("image", include_str!("golden/dialects/anthropic/requests/image.json")),
    (
        "document",
        include_str!("golden/dialects/anthropic/requests/document.json"),
    ),
    ("system", include_str!("golden/dialects/anthropic/requests/system.json")),
    (
        "structured",
        include_str!("golden/dialects/anthropic/requests/structured.json"),
    ),
    (
        "reasoning",
        include_str!("golden/dialects/anthropic/requests/reasoning.json"),
    ),
    ("cached", include_str!("golden/dialects/anthropic/requests/cached.json")),
];

const ANSWERS: [(&str, &str); 9] = [
    ("basic", include_str!("golden/dialects/anthropic/answers/basic.json")),
    ("tools", include_str!("golden/dialects/anthropic/answers/tools.json")),
    (
        "parallel-tools",
        include_str!("golden/dialects/anthropic/answers/parallel-tools.json"),
    ),
    (
        "structured",
        include_str!("golden/dialects/anthropic/answers/structured.json"),
    ),
    (
        "reasoning",
        include_str!("golden/dialects/anthropic/answers/reasoning.json"),
    ),
    ("cached", include_str!("golden/dialects/anthropic/answers/cached.json")),
    (
        "refusal",
        include_str!("golden/dialects/anthropic/answers/refusal.json"),
    ),
    ("length", include_str!("golden/dialects/anthropic/answers/length.json")),
    (
        "error-before",
        include_str!("golden/dialects/anthropic/answers/error-before.json"),
    ),
];

const STREAMS: [(&str, &str); 11] = [
    ("basic", include_str!("golden/dialects/anthropic/streams/basic.sse")),
    ("tools", include_str!("golden/dialects/anthropic/streams/tools.sse")),
    (
        "parallel-tools",
        include_str!("golden/dialects/anthropic/streams/parallel-tools.sse"),
    ),
    (
        "structured",
        include_str!("golden/dialects/anthropic/streams/structured.sse"),
    ),
    (
        "reasoning",
        include_str!("golden/dialects/anthropic/streams/reasoning.sse"),
    ),
    ("cached", include_str!("golden/dialects/anthropic/streams/cached.sse")),
    ("refusal", include_str!("golden/dialects/anthropic/streams/refusal.sse")),
    ("length", include_str!("golden/dialects/anthropic/streams/length.sse")),
    (
        "error-midstream",
        include_str!("golden/dialects/anthropic/streams/error-midstream.sse"),
    ),
    ("stall", include_str!("golden/dialects/anthropic/streams/stall.sse")),
    ("cut", include_str!("golden/dialects/anthropic/streams/cut.sse")),
];

fn fixture(fixtures: &[(&str, &'static str)], name: &str) -> &'static str {
    let (_, text) = fixtures.iter().find(|(known, _)| *known == name).expect(name);
    text
}

fn request(name: &str) -> Chat {
    read(fixture(&REQUESTS, name)).expect(name)
}

fn read(body: &str) -> Result<Chat, BadRequest> {
    Anthropic.read_request(body.as_bytes(), PathFacts::default())
}

/// A request with these members besides the required ones.
fn read_with(members: &str) -> Result<Chat, BadRequest> {
    read(&format!(
        r#"{{"model":"claude-sonnet-4-5","max_tokens":9,"messages":[{{"role":"user","content":"Hi."}}],{members}}}"#
    ))
}

fn answer(name: &str) -> Result<Answer, Failure> {
    Anthropic.read_answer(fixture(&ANSWERS, name).as_bytes())
}

fn target(model: &str) -> TargetFacts<'_> {
    TargetFacts {
        model,
        output_limit: None,
    }
}

fn write(chat: &Chat) -> Result<Written, Unsupported> {
    Anthropic.write_request(chat, target("claude-sonnet-4-5"))
}

fn written(chat: &Chat, model: &str) -> (serde_json::Value, String) {
    let written = Anthropic.write_request(chat, target(model)).expect("a request");
    let body = serde_json::from_slice(&written.body).expect("JSON");
    (body, written.dropped.to_string())
}

fn reply(chat: &Chat) -> ReplyFacts<'_> {
    ReplyFacts {
        request_id: "req_1",
        model: "claude-sonnet-4-5",
        created: 0,
        usage_wanted: true,
        chat,
    }
}

fn decode(bytes: &[u8]) -> Vec<Event> {
    decode_pieces([bytes])
}

fn decode_pieces<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> Vec<Event> {
    let mut decoder = Anthropic.decoder();
    let mut events = Vec::new();
    for piece in pieces {
        decoder.push(piece, &mut events);
    }
    decoder.end(&mut events);
    events
}

fn encode(events: &[Event]) -> String {
    let chat = Chat::default();
    let mut encoder = Anthropic.encoder(&reply(&chat));
    let mut out = Vec::new();
    for event in events {
        encoder.write(event, &mut out);
    }
    encoder.end(&mut out);
    String::from_utf8(out).expect("text")
}

fn fail(events: &[Event]) -> String {
    let chat = Chat::default();
    let mut encoder = Anthropic.encoder(&reply(&chat));
    let mut out = Vec::new();
    for event in events {
        encoder.write(event, &mut out);
    }
    let error = ErrorFacts {
        status: 529,
        message: "the provider is overloaded",
        code: "upstream_overloaded",
        param: None,
        request_id: "req_1",
    };
    encoder.fail(&error, &mut out);
    String::from_utf8(out).expect("text")
}

fn user(parts: Vec<Part>) -> Turn {
    Turn {
        role: Role::User,
        parts,
    }
}

fn assistant(parts: Vec<Part>) -> Turn {
    Turn {
        role: Role::Assistant,
        parts,
    }
}

fn ask(text: &str) -> Chat {
    Chat {
        turns: vec![user(vec![Part::text(text)])],
        ..Chat::default()
    }
}

fn call(id: &str, arguments: &str, signature: Option<Signature>) -> ToolCall {
    ToolCall {
        id: id.into(),
        name: "look".into(),
        arguments: arguments.into(),
        signature,
        cache: None,
    }
}

fn signed(maker: Maker) -> Option<Signature> {
    Some(Signature {
        maker,
        text: "c2lnbmVk".into(),
    })
}

fn tool(name: &str) -> Tool {
    Tool {
        name: name.into(),
        description: None,
        parameters: None,
        strict: None,
        cache: None,
    }
}

fn thinking(amount: Amount) -> Option<Reasoning> {
    Some(Reasoning { amount, shown: None })
}

fn usage(counts: &[(UsageUnit, u64)]) -> Option<Tokens> {
    let mut tokens = Tokens::default();
    for (unit, count) in counts {
        tokens.set(*unit, *count);
    }
    Some(tokens)
}

mod requests {
    use super::*;

    #[test]
    fn basic() {
        let chat = request("basic");

        assert_eq!(&*chat.model, "claude-sonnet-4-5");
        assert_eq!(chat.instructions, [Text::new("You answer in one sentence.")]);
        let expected = [
            user(vec![Part::text("Why is the sky blue?")]),
            assistant(vec![Part::text("Because air scatters blue light most.")]),
            user(vec![Part::text("And red at dusk?")]),
        ];
        assert_eq!(chat.turns, expected);
        assert_eq!(chat.sampling.max_tokens, Some(1024));
        assert_eq!(chat.sampling.temperature, serde_json::Number::from_f64(0.7));
        assert_eq!(chat.sampling.top_k, Some(40));
        assert_eq!(chat.sampling.stop, ["\n\nHuman:".into()]);
        assert_eq!(chat.user.as_deref(), Some("user_7f3a"));
        assert_eq!(chat.unheld, ["service_tier".into()]);
        assert!(!chat.stream);
    }

    #[test]
    fn stream() {
        assert!(request("stream").stream);
    }

    #[test]
    fn tools_with_their_calls_and_results() {
        let chat = request("tools");

        let [weather, time] = &chat.tools[..] else {
            panic!("two tools");
        };
        assert_eq!((&*weather.name, weather.strict), ("get_weather", Some(true)));
        assert!(
            weather
                .parameters
                .as_ref()
                .is_some_and(|schema| schema.text().starts_with(r#"{"type": "object""#))
        );
        assert_eq!((&*time.name, time.description.as_deref()), ("get_time", None));
        let [_, calls, results] = &chat.turns[..] else {
            panic!("three turns");
        };
        let Some(Part::ToolCall(second)) = calls.parts.get(2) else {
            panic!("a call");
        };
        assert_eq!(
            (&*second.id, &*second.name, &*second.arguments),
            ("toolu_01B", "get_time", "{}")
        );
        let result = ToolResult {
            call: "toolu_01B".into(),
            name: None,
            parts: vec![Part::text("the clock is broken")],
            failed: true,
            cache: None,
        };
        assert_eq!(results.parts.get(1), Some(&Part::ToolResult(result)));
        assert_eq!(chat.tool_of("toolu_01A"), Some("get_weather"));
    }

    #[test]
    fn tool_choices() {
        let parallel = request("parallel-tools");
        assert_eq!(
            (parallel.tool_choice, parallel.parallel_tools),
            (ToolChoice::Auto, Some(true))
        );
        let forced = request("forced-tool");
        let named = ToolChoice::Named("get_weather".into());
        assert_eq!((forced.tool_choice, forced.parallel_tools), (named, Some(false)));
        let any = read_with(r#""tool_choice":{"type":"any"}"#).expect("a request");
        assert_eq!((any.tool_choice, any.parallel_tools), (ToolChoice::Required, None));
        let none = read_with(r#""tool_choice":{"type":"none"}"#).expect("a request");
        assert_eq!(none.tool_choice, ToolChoice::None);
    }

    #[test]
    fn images() {
        let chat = request("image");

        let parts = &chat.turns.first().expect("a turn").parts;
        let Some(Part::Media(inline)) = parts.first() else {
            panic!("an image");
        };
        assert_eq!(
            (inline.kind, inline.media_type.as_deref()),
            (MediaKind::Image, Some("image/png"))
        );
        assert!(matches!(&inline.source, Source::Base64(data) if data.starts_with("iVBORw0KGgo")));
        let Some(Part::Media(linked)) = parts.get(1) else {
            panic!("an image");
        };
        assert_eq!(linked.source, Source::Url("https://example.com/cat.jpg".into()));
    }

    #[test]
    fn documents() {
        let chat = request("document");

        let parts = &chat.turns.first().expect("a turn").parts;
        let Some(Part::Media(pdf)) = parts.first() else {
            panic!("a document");
        };
        assert_eq!(
            (pdf.kind, pdf.name.as_deref()),
            (MediaKind::Document, Some("empty.pdf"))
        );
        assert_eq!(pdf.media_type.as_deref(), Some("application/pdf"));
        let Some(Part::Media(plain)) = parts.get(1) else {
            panic!("a document");
        };
        assert_eq!(plain.source, Source::Plain("The grass is green.".into()));
        assert_eq!(chat.unheld, ["messages.content.citations".into()]);
    }

    #[test]
    fn search_results_and_documents_of_blocks_are_plain_documents() {
        let chat = read(
            r#"{"model":"m","max_tokens":1,"messages":[{"role":"user","content":[
                {"type":"search_result","source":"https://example.com","title":"News","content":[{"type":"text","text":"a"},{"type":"text","text":"b"}]},
                {"type":"document","source":{"type":"content","content":"c"}}]}]}"#,
        )
        .expect("a request");

        let parts = &chat.turns.first().expect("a turn").parts;
        let sources: Vec<_> = parts
            .iter()
            .map(|part| match part {
                Part::Media(media) => (&media.source, media.name.as_deref()),
                other => panic!("a document, not {other:?}"),
            })
            .collect();
        let expected = [
            (&Source::Plain("a\n\nb".into()), Some("News")),
            (&Source::Plain("c".into()), None),
        ];
        assert_eq!(sources, expected);
        assert_eq!(chat.unheld, ["messages.content.source".into()]);
    }

    #[test]
    fn system_texts_in_order_wherever_they_stand() {
        let chat = request("system");

        let texts: Vec<_> = chat.instructions.iter().map(|text| &*text.text).collect();
        let expected = [
            "You are a pirate.",
            "Never tell where the treasure is.",
            "From now on be brief.",
        ];
        assert_eq!(texts, expected);
        assert_eq!(chat.turns.len(), 3);
    }

    #[test]
    fn schemas() {
        let Format::Schema(schema) = request("structured").format else {
            panic!("a schema");
        };
        assert!(schema.schema.text().starts_with(r#"{"type": "object""#));
        let older =
            read_with(r#""output_format":{"type":"json_schema","schema":{"type":"object"}}"#).expect("a request");
        assert!(matches!(older.format, Format::Schema(schema) if schema.schema.text() == r#"{"type":"object"}"#));
    }

    #[test]
    fn thinking_and_what_is_given_back_of_it() {
        let chat = request("reasoning");

        let expected = Reasoning {
            amount: Amount::Budget(8000),
            shown: Some(true),
        };
        assert_eq!(chat.reasoning, Some(expected));
        let parts = &chat.turns.get(1).expect("a turn").parts;
        let Some(Part::Thinking(open)) = parts.first() else {
            panic!("thinking");
        };
        assert_eq!(&*open.text, "That depends on the weather.");
        assert_eq!(
            open.signature.as_ref().map(|signature| signature.maker),
            Some(Maker::Anthropic)
        );
        let redacted = Thinking {
            text: "".into(),
            signature: Some(Signature {
                maker: Maker::AnthropicRedacted,
                text: "EmwKAhgBEgy3va3pzix/LafPsn4aDFIT2Xlxh0L5L8rLVyIwxtE3rA".into(),
            }),
        };
        assert_eq!(parts.get(1), Some(&Part::Thinking(redacted)));
    }

    #[test]
    fn efforts_and_budgets() {
        let check = |members: &str, amount, unheld: &[&str]| {
            let chat = read_with(members).expect(members);
            assert_eq!(chat.reasoning.map(|reasoning| reasoning.amount), amount, "{members}");
            let names: Vec<_> = chat.unheld.iter().map(|name| &**name).collect();
            assert_eq!(names, unheld, "{members}");
        };

        check(r#""thinking":{"type":"adaptive"}"#, Some(Amount::Adaptive), &[]);
        check(r#""thinking":{"type":"disabled"}"#, Some(Amount::Off), &[]);
        check(
            r#""thinking":{"type":"adaptive"},"output_config":{"effort":"max"}"#,
            Some(Amount::Effort(Effort::Most)),
            &[],
        );
        check(
            r#""output_config":{"effort":"low"}"#,
            Some(Amount::Effort(Effort::Low)),
            &[],
        );
        check(
            r#""output_config":{"effort":"low"},"thinking":{"type":"enabled","budget_tokens":2000}"#,
            Some(Amount::Budget(2000)),
            &["output_config.effort"],
        );
        check(r#""thinking":null"#, None, &[]);
    }

    #[test]
    fn cache_marks() {
        let chat = request("cached");

        let hour = Some(CacheMark::OneHour);
        let minutes = Some(CacheMark::FiveMinutes);
        assert_eq!(chat.instructions.first().map(|text| text.cache), Some(hour));
        assert_eq!(chat.tools.first().map(|tool| tool.cache), Some(minutes));
        let marks: Vec<_> = chat.turns.iter().flat_map(|turn| &turn.parts).map(cache_of).collect();
        assert_eq!(marks, [minutes, minutes, hour]);
    }

    fn cache_of(part: &Part) -> Option<CacheMark> {
        match part {
            Part::Text(text) => text.cache,
            Part::ToolCall(call) => call.cache,
            Part::ToolResult(result) => result.cache,
            Part::Media(media) => media.cache,
            Part::Thinking(_) | Part::Refusal(_) => None,
        }
    }

    #[test]
    fn a_cache_mark_on_the_request_is_one_on_its_last_block() {
        let chat = read_with(r#""cache_control":{"type":"ephemeral"}"#).expect("a request");

        let marks: Vec<_> = chat.turns.iter().flat_map(|turn| &turn.parts).map(cache_of).collect();
        assert_eq!(marks, [Some(CacheMark::FiveMinutes)]);
        assert!(chat.unheld.is_empty());
    }

    #[test]
    fn a_signed_call_of_gemini_comes_back_from_answers_and_streams() {
        let parts = vec![
            Part::ToolCall(call("a", r#"{"x":1}"#, signed(Maker::Gemini))),
            Part::ToolCall(call("b", "{}", None)),
            Part::ToolCall(call("c", "{}", signed(Maker::Gemini))),
        ];
        let whole = Answer {
            parts: parts.clone(),
            stop: Stop::ToolCalls,
            ..Answer::default()
        };
        let chat = Chat::default();
        let body = Anthropic.write_answer(&whole, &reply(&chat));
        assert_eq!(given_back(&blocks_of_body(&body)), parts);

        let mut events = vec![Event::Start { id: None, model: None }];
        for part in &parts {
            let Part::ToolCall(call) = part else {
                panic!("a call");
            };
            let (id, name) = (call.id.clone(), call.name.clone());
            events.push(Event::Open(Opening::ToolCall { id, name }));
            events.extend(call.signature.clone().map(Event::Sign));
            events.push(Event::Add(call.arguments.clone()));
            events.push(Event::Close);
        }
        events.push(Event::Stop(Stop::ToolCalls));
        assert_eq!(given_back(&blocks_of_stream(&encode(&events))), parts);
    }

    fn given_back(content: &serde_json::Value) -> Vec<Part> {
        let body =
            serde_json::json!({"model": "m", "max_tokens": 1, "messages": [{"role": "assistant", "content": content}]});
        let chat = read(&body.to_string()).expect("a request");
        chat.turns.into_iter().flat_map(|turn| turn.parts).collect()
    }

    fn blocks_of_body(body: &[u8]) -> serde_json::Value {
        let body: serde_json::Value = serde_json::from_slice(body).expect("JSON");
        body["content"].clone()
    }

    #[test]
    fn bad_requests_are_told_where_they_are_bad() {
        let check = |body: &str, param: Option<&str>, words: &str| {
            let error = read(body).expect_err(body);
            assert_eq!(error.param.as_deref(), param, "{body}");
            assert!(error.message.contains(words), "{} for {body}", error.message);
        };
        let with = |members: &str, param: &str, words: &str| {
            let error = read_with(members).expect_err(members);
            assert_eq!(error.param.as_deref(), Some(param), "{members}");
            assert!(error.message.contains(words), "{} for {members}", error.message);
        };
        let block = |role: &str, block: &str, param: &str, words: &str| {
            let body =
                format!(r#"{{"model":"m","max_tokens":1,"messages":[{{"role":"{role}","content":[{block}]}}]}}"#);
            let error = read(&body).expect_err(&body);
            assert_eq!(error.param.as_deref(), Some(param), "{body}");
            assert!(error.message.contains(words), "{} for {body}", error.message);
        };

        check("", None, "is empty");
        check("[]", None, "a JSON object was expected");
        check(
            r#"{"messages":[{"role":"user","content":"a"}],"max_tokens":1}"#,
            Some("model"),
            "missing",
        );
        check(r#"{"model":"m","max_tokens":1}"#, Some("messages"), "missing");
        check(
            r#"{"model":"m","max_tokens":1,"messages":[]}"#,
            Some("messages"),
            "is empty",
        );
        check(
            r#"{"model":"m","messages":[{"role":"user","content":"a"}]}"#,
            Some("max_tokens"),
            "missing",
        );
        check(
            r#"{"model":"m","max_tokens":1,"messages":[{"content":"a"}]}"#,
            Some("messages[0].role"),
            "missing",
        );
        check(
            r#"{"model":"m","max_tokens":1,"messages":[{"role":"tool","content":"a"}]}"#,
            Some("messages[0]"),
            "role",
        );
        check(
            r#"{"model":"m","max_tokens":1,"messages":[{"role":"user"}]}"#,
            Some("messages[0].content"),
            "missing",
        );
        check(
            r#"{"model":"m","max_tokens":1,"messages":[7]}"#,
            Some("messages[0]"),
            "an object",
        );
        with(r#""temperature":"hot""#, "temperature", "a number");
        with(r#""top_k":-1"#, "top_k", "not negative");
        with(r#""thread":{"type":"create"}"#, "thread", "send all of its messages");
        with(r#""mcp_servers":[{"type":"url"}]"#, "mcp_servers", "offer their tools");
        with(
            r#""tools":[{"type":"web_search_20250305","name":"web_search"}]"#,
            "tools[0]",
            "web_search_20250305",
        );
        with(r#""tools":[{"name":"a"}]"#, "tools[0].input_schema", "missing");
        with(r#""tool_choice":{"type":"tool"}"#, "tool_choice.name", "missing");
        with(r#""tool_choice":{"type":"some"}"#, "tool_choice", "'auto'");
        with(r#""thinking":{"type":"enabled"}"#, "thinking.budget_tokens", "missing");
        with(r#""thinking":{"type":"deep"}"#, "thinking", "'adaptive'");
        with(r#""output_config":{"effort":"some"}"#, "output_config.effort", "'low'");
        with(
            r#""output_config":{"format":{"type":"xml"}}"#,
            "output_config.format.type",
            "json_schema",
        );
        with(r#""system":[{"type":"image"}]"#, "system[0]", "only 'text'");
        let first = "messages[0].content[0]";
        block("user", r#"{"type":"server_tool_use"}"#, first, "server_tool_use");
        block(
            "user",
            r#"{"type":"tool_use","id":"a","name":"b","input":{}}"#,
            first,
            "'assistant'",
        );
        block(
            "assistant",
            r#"{"type":"tool_result","tool_use_id":"a"}"#,
            first,
            "'user'",
        );
        block(
            "assistant",
            r#"{"type":"tool_use","id":"a","name":"b","input":"{}"}"#,
            "messages[0].content[0].input",
            "an object",
        );
        block("user", r#"{"type":"text"}"#, "messages[0].content[0].text", "missing");
        block(
            "user",
            r#"{"type":"image","source":{"type":"base64","data":"a"}}"#,
            "messages[0].content[0].source.media_type",
            "missing",
        );
        block(
            "user",
            r#"{"type":"tool_result","tool_use_id":"a","content":[{"type":"tool_reference"}]}"#,
            "messages[0].content[0].content[0]",
            "tool_reference",
        );
    }

    #[test]
    fn members_without_a_place_are_named_once() {
        let chat = read(
            r#"{"model":"m","max_tokens":1,"container":"c","context_management":{},"mcp_servers":[],
                "tools":[{"name":"a","input_schema":{},"defer_loading":true},{"name":"b","input_schema":{},"defer_loading":true}],
                "messages":[{"role":"user","name":"Ada","content":"Hi."}]}"#,
        )
        .expect("a request");

        let names: Vec<_> = chat.unheld.iter().map(|name| &**name).collect();
        assert_eq!(
            names,
            [
                "container",
                "context_management",
                "tools.defer_loading",
                "messages.name"
            ]
        );
    }

    #[test]
    fn counting_needs_no_limit() {
        let body = br#"{"model":"m","messages":[{"role":"user","content":"Hi."}]}"#;

        let chat = read_count_request(body).expect("a request");

        assert_eq!(chat.turns, ask("Hi.").turns);
        assert_eq!(write_token_count(12), br#"{"input_tokens":12}"#);
    }
}

mod answers {
    use super::*;

    #[test]
    fn every_answer_is_read() {
        let input = (UsageUnit::InputUncached, 21);
        let usual = usage(&[input, (UsageUnit::OutputText, 9)]);
        let check = |name: &str, parts: Vec<Part>, stop: Stop, usage| {
            let expected = Answer {
                id: Some(
                    format!(
                        "msg_01{}",
                        name.trim_end_matches("-tools").replace("parallel-tools", "parallel")
                    )
                    .into(),
                ),
                model: Some("claude-sonnet-4-5-20250929".into()),
                parts,
                stop,
                usage,
            };
            assert_eq!(answer(name), Ok(expected), "{name}");
        };
        let called = |id: &str, name: &str, arguments: &str| {
            Part::ToolCall(ToolCall {
                name: name.into(),
                ..call(id, arguments, None)
            })
        };

        check(
            "basic",
            vec![Part::text("The path is longer at dusk.")],
            Stop::End,
            usual,
        );
        check(
            "tools",
            vec![
                Part::text("I will look."),
                called("toolu_01A", "get_weather", r#"{"city":"Oslo","unit":"celsius"}"#),
            ],
            Stop::ToolCalls,
            usual,
        );
        check(
            "parallel-tools",
            vec![
                called("toolu_01A", "get_weather", r#"{"city":"Oslo"}"#),
                called("toolu_01B", "get_time", "{}"),
            ],
            Stop::ToolCalls,
            usual,
        );
        check(
            "structured",
            vec![Part::text(r#"{"name":"Ada","age":36}"#)],
            Stop::End,
            usual,
        );
        check(
            "reasoning",
            reasoned("EqQBCgIYAhIM1gbcDa9GJwZA2b3h==", "EmwKAhgBEgy3va3pzix"),
            Stop::End,
            usage(&[
                (UsageUnit::InputUncached, 90),
                (UsageUnit::OutputText, 12),
                (UsageUnit::OutputReasoning, 48),
            ]),
        );
        check(
            "cached",
            vec![Part::text("As the handbook says.")],
            Stop::Sequence(Some("###".into())),
            usage(&[
                (UsageUnit::InputUncached, 5),
                (UsageUnit::InputCacheRead, 2000),
                (UsageUnit::InputCacheWrite5m, 100),
                (UsageUnit::InputCacheWrite1h, 200),
                (UsageUnit::OutputText, 7),
            ]),
        );
        check(
            "refusal",
            vec![Part::Refusal("This could help to make something harmful.".into())],
            Stop::Refused,
            usage(&[(UsageUnit::InputUncached, 30), (UsageUnit::OutputText, 1)]),
        );
        check("length", vec![Part::text("One, two, thr")], Stop::Length, usual);
    }

    fn reasoned(signature: &str, data: &str) -> Vec<Part> {
        let sealed = |maker, text: &str| {
            Some(Signature {
                maker,
                text: text.into(),
            })
        };
        vec![
            Part::Thinking(Thinking {
                text: "Below zero means a coat.".into(),
                signature: sealed(Maker::Anthropic, signature),
            }),
            Part::Thinking(Thinking {
                text: "".into(),
                signature: sealed(Maker::AnthropicRedacted, data),
            }),
            Part::text("Yes, take one."),
        ]
    }

    #[test]
    fn what_is_no_answer_is_a_failure() {
        let kind = |body: &str| Anthropic.read_answer(body.as_bytes()).expect_err(body).kind;

        let overloaded = answer("error-before").expect_err("an error");
        assert_eq!(overloaded.kind, FailureKind::Overloaded);
        assert_eq!(overloaded.message, "Overloaded");
        assert_eq!(overloaded.code.as_deref(), Some("overloaded_error"));
        let told = |kind: &str| format!(r#"{{"type":"error","error":{{"type":"{kind}","message":"no"}}}}"#);
        assert_eq!(kind(&told("rate_limit_error")), FailureKind::RateLimited);
        assert_eq!(kind(&told("invalid_request_error")), FailureKind::BadRequest);
        assert_eq!(kind(&told("authentication_error")), FailureKind::Credential);
        assert_eq!(kind(&told("api_error")), FailureKind::Server);
        assert_eq!(kind(&told("novel_error")), FailureKind::ErrorEvent);
        assert_eq!(kind("<html>"), FailureKind::Malformed);
        assert_eq!(kind(r#"{"content":[{"type":"text","#), FailureKind::Malformed);
        assert_eq!(kind(r#"{"id":"msg_1"}"#), FailureKind::Malformed);
    }

    #[test]
    fn an_answer_is_read_as_it_was_written() {
        let chat = Chat::default();
        for (name, _) in ANSWERS.iter().filter(|(name, _)| *name != "error-before") {
            let mut original = answer(name).expect(name);

            let body = Anthropic.write_answer(&original, &reply(&chat));

            // Anthropic has no blocks for refusals; callers see their text.
            for part in &mut original.parts {
                if let Part::Refusal(text) = part {
                    *part = Part::text(text.clone());
                }
            }
            assert_eq!(Anthropic.read_answer(&body), Ok(original.clone()), "{name}");
            let facts = Anthropic.read_facts(&body).expect(name);
            assert_eq!(facts.usage, original.usage, "{name}");
        }
    }

    #[test]
    fn an_answer_has_every_member_that_sdks_want() {
        let refused = Answer {
            parts: vec![
                Part::text(""),
                Part::Refusal("No.".into()),
                Part::ToolCall(call("a", "[1", None)),
                Part::Thinking(Thinking {
                    text: "Hm.".into(),
                    signature: signed(Maker::Openai),
                }),
            ],
            ..Answer::default()
        };

        let chat = Chat::default();
        let body: serde_json::Value =
            serde_json::from_slice(&Anthropic.write_answer(&refused, &reply(&chat))).expect("JSON");

        let expected = serde_json::json!({
            "id": "msg_req_1",
            "type": "message",
            "role": "assistant",
            "model": "claude-sonnet-4-5",
            "content": [
                {"type": "text", "text": "No."},
                {"type": "tool_use", "id": "a", "name": "look", "input": {"INVALID_JSON": "[1"}},
                {"type": "thinking", "thinking": "Hm.", "signature": "openai-responses-v1:c2lnbmVk"},
            ],
            "stop_reason": "refusal",
            "stop_sequence": null,
            "usage": {
                "input_tokens": 0,
                "cache_creation_input_tokens": 0,
                "cache_read_input_tokens": 0,
                "cache_creation": {"ephemeral_5m_input_tokens": 0, "ephemeral_1h_input_tokens": 0},
                "output_tokens": 0,
            },
        });
        assert_eq!(body, expected);
    }

    #[test]
    fn facts_are_read_without_the_answer() {
        let facts = |name: &str| Anthropic.read_facts(fixture(&ANSWERS, name).as_bytes());

        for (name, _) in ANSWERS.iter().filter(|(name, _)| *name != "error-before") {
            let told = facts(name).expect(name);
            assert_eq!(told.usage, answer(name).expect(name).usage, "{name}");
        }
        let failure = facts("error-before").expect_err("an error").into_failure();
        assert_eq!(failure.message, "Overloaded");
    }
}

mod streams {
    use super::*;

    fn stream(name: &str) -> Vec<Event> {
        decode(fixture(&STREAMS, name).as_bytes())
    }

    fn start(name: &str) -> Event {
        Event::Start {
            id: Some(format!("msg_01{name}").into()),
            model: Some("claude-sonnet-4-5-20250929".into()),
        }
    }

    fn used(counts: &[(UsageUnit, u64)]) -> Event {
        Event::Usage(usage(counts).expect("usage"))
    }

    fn used_text(input: u64, output: u64) -> Event {
        used(&[(UsageUnit::InputUncached, input), (UsageUnit::OutputText, output)])
    }

    fn add(text: &str) -> Event {
        Event::Add(text.into())
    }

    fn open_call(id: &str, name: &str) -> Event {
        Event::Open(Opening::ToolCall {
            id: id.into(),
            name: name.into(),
        })
    }

    #[test]
    fn text_in_pieces() {
        let expected = [
            start("basic"),
            used_text(21, 1),
            Event::Open(Opening::Text),
            add("The path"),
            add("  is longer — "),
            add("at dusk."),
            Event::Close,
            used_text(21, 9),
            Event::Stop(Stop::End),
        ];
        assert_eq!(stream("basic"), expected);
        assert!(stream("structured").contains(&add(r#""Ada","age":36}"#)));
        assert_eq!(stream("length").last(), Some(&Event::Stop(Stop::Length)));
    }

    #[test]
    fn calls_with_and_without_arguments() {
        let expected = [
            start("parallel"),
            used_text(21, 1),
            open_call("toolu_01A", "get_weather"),
            add(r#"{"city":"Oslo"}"#),
            Event::Close,
            open_call("toolu_01B", "get_time"),
            add("{}"),
            Event::Close,
            used_text(21, 55),
            Event::Stop(Stop::ToolCalls),
        ];
        assert_eq!(stream("parallel-tools"), expected);
        let pieces: Vec<_> = stream("tools")
            .into_iter()
            .filter(|event| matches!(event, Event::Add(_)))
            .collect();
        let expected = ["I will look.", r#"{"city": "Os"#, r#"lo", "unit": "celsius"}"#];
        assert_eq!(pieces, expected.map(add));
    }

    #[test]
    fn thinking_open_and_sealed() {
        let sign = |maker, text: &str| {
            Event::Sign(Signature {
                maker,
                text: text.into(),
            })
        };
        let expected = [
            start("reasoning"),
            used_text(21, 1),
            Event::Open(Opening::Thinking),
            add("Below zero "),
            add("means a coat."),
            sign(Maker::Anthropic, "EqQBCgIYAhIM1gbcDa9GJwZA2b3h=="),
            Event::Close,
            Event::Open(Opening::Thinking),
            sign(Maker::AnthropicRedacted, "EmwKAhgBEgy3va3pzix"),
            Event::Close,
            Event::Open(Opening::Text),
            add("Yes, take one."),
            Event::Close,
            used(&[
                (UsageUnit::InputUncached, 21),
                (UsageUnit::OutputText, 12),
                (UsageUnit::OutputReasoning, 48),
            ]),
            Event::Stop(Stop::End),
        ];
        assert_eq!(stream("reasoning"), expected);
    }

    #[test]
    fn usage_is_replaced_and_never_summed() {
        let events = stream("cached");

        let last = events.iter().rev().find_map(|event| match event {
            Event::Usage(usage) => Some(*usage),
            _ => None,
        });
        let expected = usage(&[
            (UsageUnit::InputUncached, 5),
            (UsageUnit::InputCacheRead, 2000),
            (UsageUnit::InputCacheWrite5m, 100),
            (UsageUnit::InputCacheWrite1h, 200),
            (UsageUnit::OutputText, 7),
        ]);
        assert_eq!(last, expected);
        assert_eq!(events.last(), Some(&Event::Stop(Stop::Sequence(Some("###".into())))));
    }

    #[test]
    fn a_refusal_is_explained() {
        let events = stream("refusal");

        let tail = &events[events.len() - 5..];
        let expected = [
            used_text(21, 4),
            Event::Open(Opening::Refusal),
            add("This could help to make something harmful."),
            Event::Close,
            Event::Stop(Stop::Refused),
        ];
        assert_eq!(tail, expected);
    }

    #[test]
    fn streams_that_break_off_have_failed() {
        let failure = |name: &str| match stream(name).pop() {
            Some(Event::Failed(failure)) => failure,
            other => panic!("a failure, not {other:?}"),
        };

        let told = failure("error-midstream");
        assert_eq!((told.kind, &*told.message), (FailureKind::Overloaded, "Overloaded"));
        assert_eq!(failure("stall").kind, FailureKind::Malformed);
        assert_eq!(failure("cut").kind, FailureKind::Malformed);
    }

    #[test]
    fn either_a_reason_or_the_last_event_ends_a_stream() {
        let whole = fixture(&STREAMS, "length");

        let without_end = whole.replace("event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n", "");
        assert_ne!(without_end, whole);
        assert_eq!(decode(without_end.as_bytes()).last(), Some(&Event::Stop(Stop::Length)));
        let without_reason = whole.replace("\"max_tokens\"", "null");
        assert_eq!(decode(without_reason.as_bytes()).last(), Some(&Event::Stop(Stop::End)));
    }

    #[test]
    fn blocks_of_anthropics_own_tools_are_passed_over() {
        let bytes = b"data: {\"type\":\"message_start\",\"message\":{}}\n\n\
            data: {\"type\":\"content_block_start\",\"index\":0,\"content_block\":{\"type\":\"server_tool_use\",\"id\":\"a\",\"name\":\"web_search\",\"input\":{}}}\n\n\
            data: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"input_json_delta\",\"partial_json\":\"{}\"}}\n\n\
            data: {\"type\":\"content_block_stop\",\"index\":0}\n\n\
            data: {\"type\":\"content_block_start\",\"index\":1,\"content_block\":{\"type\":\"text\",\"text\":\"\"}}\n\n\
            data: {\"type\":\"content_block_delta\",\"index\":1,\"delta\":{\"type\":\"citations_delta\",\"citation\":{\"text\":\"x\"}}}\n\n\
            data: {\"type\":\"content_block_delta\",\"index\":1,\"delta\":{\"type\":\"text_delta\",\"text\":\"Found.\"}}\n\n\
            data: {\"type\":\"message_stop\"}\n\n";

        let expected = [
            Event::Start { id: None, model: None },
            Event::Open(Opening::Text),
            add("Found."),
            Event::Close,
            Event::Stop(Stop::End),
        ];
        assert_eq!(decode(bytes), expected);
    }

    #[test]
    fn arguments_at_the_beginning_of_a_call_count_when_none_follow() {
        let bytes = b"data: {\"type\":\"content_block_start\",\"index\":0,\"content_block\":{\"type\":\"tool_use\",\"id\":\"a\",\"name\":\"look\",\"input\":{\"x\":1}}}\n\n\
            data: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"tool_use\"}}\n\n";

        assert!(decode(bytes).contains(&add(r#"{"x":1}"#)));
    }

    #[test]
    fn a_stream_is_read_as_it_was_written() {
        for (name, _) in STREAMS {
            let mut events = stream(name);
            if matches!(events.last(), Some(Event::Failed(_))) {
                continue;
            }

            let again = decode(encode(&events).as_bytes());

            // Anthropic has no blocks for refusals; callers see their text.
            for event in &mut events {
                if *event == Event::Open(Opening::Refusal) {
                    *event = Event::Open(Opening::Text);
                }
            }
            let order = |events: Vec<Event>| {
                let (usage, others): (Vec<_>, Vec<_>) =
                    events.into_iter().partition(|event| matches!(event, Event::Usage(_)));
                (usage, others)
            };
            assert_eq!(order(again), order(events), "{name}");
        }
    }

    #[test]
    fn an_encoded_stream_is_as_sdks_insist() {
        let events = [
            Event::Start {
                id: None,
                model: Some("gpt-5".into()),
            },
            Event::Open(Opening::Thinking),
            Event::Close,
            Event::Open(Opening::Text),
            add("Hi"),
            Event::Close,
            open_call("call_1", "look"),
            add("{}"),
            Event::Close,
            Event::Stop(Stop::ToolCalls),
            used_text(3, 2),
        ];

        let expected = r#"event: message_start
data: {"type":"message_start","message":{"id":"msg_req_1","type":"message","role":"assistant","model":"gpt-5","content":[],"stop_reason":null,"stop_sequence":null,"usage":{"input_tokens":0,"cache_creation_input_tokens":0,"cache_read_input_tokens":0,"cache_creation":{"ephemeral_5m_input_tokens":0,"ephemeral_1h_input_tokens":0},"output_tokens":0}}}

event: content_block_start
data: {"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}

event: content_block_delta
data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"Hi"}}

event: content_block_stop
data: {"type":"content_block_stop","index":0}

event: content_block_start
data: {"type":"content_block_start","index":1,"content_block":{"type":"tool_use","id":"call_1","name":"look","input":{}}}

event: content_block_delta
data: {"type":"content_block_delta","index":1,"delta":{"type":"input_json_delta","partial_json":"{}"}}

event: content_block_stop
data: {"type":"content_block_stop","index":1}

event: message_delta
data: {"type":"message_delta","delta":{"stop_reason":"tool_use","stop_sequence":null},"usage":{"input_tokens":3,"cache_creation_input_tokens":0,"cache_read_input_tokens":0,"cache_creation":{"ephemeral_5m_input_tokens":0,"ephemeral_1h_input_tokens":0},"output_tokens":2}}

event: message_stop
data: {"type":"message_stop"}

"#;
        assert_eq!(encode(&events), expected);
    }

    #[test]
    fn a_failure_is_an_error_event_wherever_the_stream_stands() {
        let error = "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\",\"message\":\"the provider is overloaded\",\"details\":{\"error_code\":\"upstream_overloaded\"}},\"request_id\":\"req_1\"}\n\n";

        assert_eq!(fail(&[]), error);
        let begun = fail(&[
            Event::Start { id: None, model: None },
            Event::Open(Opening::Text),
            add("Hi"),
        ]);
        assert!(begun.starts_with("event: message_start\n"));
        assert!(begun.ends_with(&format!("\n\n{error}")));
    }

    #[test]
    fn a_passing_stream_is_understood() {
        for (name, text) in STREAMS {
            let (looked, told) = watch(text);
            let all = looked.iter().fold(Looked::default(), |all, one| Looked {
                content: all.content || one.content,
                finish: all.finish || one.finish,
                done: all.done || one.done,
                failed: all.failed.or_else(|| one.failed.clone()),
            });
            let whole = !matches!(name, "error-midstream" | "stall" | "cut");
            assert_eq!((all.content, all.finish, all.done), (true, whole, whole), "{name}");
            let kind = all.failed.map(|failure| failure.kind);
            assert_eq!(
                kind,
                (name == "error-midstream").then_some(FailureKind::Overloaded),
                "{name}"
            );
            let last = stream(name).into_iter().rev().find_map(|event| match event {
                Event::Usage(usage) => Some(usage),
                _ => None,
            });
            assert_eq!(told, last, "{name}");
        }
    }

    #[test]
    fn content_is_told_from_ceremony() {
        let content = |data: &str| Anthropic.watcher().look(data.as_bytes()).content;

        assert!(!content(r#"{"type":"message_start","message":{"content":[]}}"#));
        assert!(!content(
            r#"{"type":"content_block_start","content_block":{"type":"text","text":""}}"#
        ));
        assert!(!content(
            r#"{"type":"content_block_delta","delta":{"type":"text_delta","text":""}}"#
        ));
        assert!(!content(r#"{"type":"ping"}"#));
        assert!(content(
            r#"{"type":"content_block_start","content_block":{"type":"tool_use","input":{}}}"#
        ));
        assert!(content(
            r#"{"type":"content_block_delta","delta":{"type":"thinking_delta","thinking":"a"}}"#
        ));
        let failed = Anthropic.watcher().look(b"[DONE]").failed;
        assert_eq!(failed.map(|failure| failure.kind), Some(FailureKind::Malformed));
    }

    fn watch(text: &str) -> (Vec<Looked>, Option<Tokens>) {
        let mut watcher = Anthropic.watcher();
        let events = text.split_inclusive("\n\n").filter(|event| event.ends_with("\n\n"));
        let data = events.filter_map(|event| event.lines().find_map(|line| line.strip_prefix("data: ")));
        let looked = data.map(|data| watcher.look(data.as_bytes())).collect();
        (looked, watcher.usage())
    }
}

mod to_providers {
    use super::*;

    #[test]
    fn a_request_is_read_as_it_was_written() {
        for (name, _) in REQUESTS {
            let mut chat = request(name);

            let written = write(&chat).expect(name);

            let again = Anthropic.read_request(&written.body, PathFacts::default()).expect(name);
            let dropped: Vec<_> = written.dropped.iter().collect();
            let unheld: Vec<_> = chat.unheld.iter().map(|name| &**name).collect();
            assert_eq!(dropped, unheld, "{name}");
            chat.unheld.clear();
            assert_eq!(again, chat, "{name}");
        }
    }

    #[test]
    fn envelopes_differ_in_what_the_address_says() {
        let chat = Chat {
            stream: true,
            ..ask("Hi.")
        };
        let check = |envelope, members: &str| {
            let written = AnthropicOn(envelope)
                .write_request(&chat, target("claude-sonnet-4-5"))
                .expect("a request");
            let conversation =
                r#""max_tokens":4096,"messages":[{"role":"user","content":[{"type":"text","text":"Hi."}]}]"#;
            let expected = format!("{{{}}}", members.replace('…', conversation));
            assert_eq!(String::from_utf8(written.body).expect("text"), expected);
        };

        check(Envelope::Direct, r#""model":"claude-sonnet-4-5",…,"stream":true"#);
        check(
            Envelope::Vertex,
            r#""anthropic_version":"vertex-2023-10-16",…,"stream":true"#,
        );
        check(Envelope::Bedrock, r#""anthropic_version":"bedrock-2023-05-31",…"#);
    }

    #[test]
    fn vertex_and_bedrock_fetch_nothing() {
        for envelope in [Envelope::Vertex, Envelope::Bedrock] {
            let refused = AnthropicOn(envelope).write_request(&request("image"), target("claude-sonnet-4-5"));
            assert_eq!(refused.expect_err("a refusal").param, "messages");
        }
    }

    #[test]
    fn what_would_change_the_meaning_is_refused() {
        let check = |change: &dyn Fn(&mut Chat), param: &str| {
            let mut chat = ask("Hi.");
            change(&mut chat);
            assert_eq!(write(&chat).expect_err(param).param, param);
        };
        let media = |kind, media_type: &str| {
            Part::Media(Media {
                kind,
                source: Source::Base64("AAAA".into()),
                media_type: Some(media_type.into()),
                name: None,
                detail: None,
                cache: None,
            })
        };

        check(&|chat| chat.format = Format::Json, "response_format");
        check(&|chat| chat.sampling.choices = Some(2), "n");
        check(&|chat| chat.sampling.top_logprobs = Some(0), "logprobs");
        check(&|chat| chat.turns.clear(), "messages");
        for (kind, media_type) in [
            (MediaKind::Audio, "audio/wav"),
            (MediaKind::Video, "video/mp4"),
            (MediaKind::Image, "image/tiff"),
            (MediaKind::Document, "text/html"),
        ] {
            check(
                &|chat| chat.turns = vec![user(vec![media(kind, media_type)])],
                "messages",
            );
        }
    }

    #[test]
    fn sampling_is_fitted_and_what_is_lost_is_named() {
        let mut chat = ask("Hi.");
        chat.sampling.temperature = Some(2.into());
        chat.sampling.top_p = serde_json::Number::from_f64(0.5);
        chat.sampling.frequency_penalty = Some(1.into());
        chat.sampling.presence_penalty = Some(1.into());
        chat.sampling.seed = Some(7);
        chat.sampling.stop = vec!["\n".into(), "END".into()];
        chat.unheld = vec!["logit_bias".into()];

        let (body, dropped) = written(&chat, "claude-sonnet-4-5");

        assert_eq!(body["temperature"], 1);
        assert_eq!(body["top_p"], serde_json::Value::Null);
        assert_eq!(body["stop_sequences"], serde_json::json!(["END"]));
        assert_eq!(
            dropped,
            "logit_bias, frequency_penalty, presence_penalty, seed, temperature, top_p, stop"
        );
        let (body, dropped) = written(&chat, "claude-opus-4-7");
        assert_eq!(body["temperature"], serde_json::Value::Null);
        assert!(dropped.contains("temperature, top_p"));
    }

    #[test]
    fn thinking_is_asked_for_as_the_model_wants_it() {
        let check = |amount, model: &str, thinking: serde_json::Value, effort: serde_json::Value, dropped: &str| {
            let chat = Chat {
                reasoning: super::thinking(amount),
                ..ask("Hi.")
            };
            let (body, lost) = written(&chat, model);
            assert_eq!(
                (&body["thinking"], &body["output_config"]["effort"]),
                (&thinking, &effort),
                "{model} {amount:?}"
            );
            assert_eq!(lost, dropped, "{model} {amount:?}");
        };
        use serde_json::{Value, json};
        let (old, new) = ("claude-haiku-4-5", "claude-opus-5");

        let medium = json!({"type": "enabled", "budget_tokens": 8192});
        check(Amount::Effort(Effort::Medium), old, medium.clone(), Value::Null, "");
        check(Amount::Adaptive, old, medium, Value::Null, "");
        check(
            Amount::Budget(500),
            old,
            json!({"type": "enabled", "budget_tokens": 1024}),
            Value::Null,
            "reasoning",
        );
        check(Amount::Off, old, json!({"type": "disabled"}), Value::Null, "");
        let adaptive = json!({"type": "adaptive"});
        check(Amount::Effort(Effort::Most), new, adaptive.clone(), json!("max"), "");
        check(Amount::Budget(9000), new, adaptive.clone(), json!("high"), "");
        check(Amount::Adaptive, new, adaptive, Value::Null, "");
        check(Amount::Off, "claude-fable-5", Value::Null, json!("low"), "reasoning");
        check(Amount::Off, "claude-opus-4-8", Value::Null, Value::Null, "");
    }

    #[test]
    fn a_budget_and_the_limit_fit_together() {
        let check = |max_tokens, output_limit, budget, expected: (Option<u64>, u64), lost: &str| {
            let mut chat = Chat {
                reasoning: super::thinking(Amount::Budget(budget)),
                ..ask("Hi.")
            };
            chat.sampling.max_tokens = max_tokens;
            chat.sampling.temperature = serde_json::Number::from_f64(0.5);
            let facts = TargetFacts {
                model: "claude-sonnet-4-5",
                output_limit,
            };
            let written = Anthropic.write_request(&chat, facts).expect("a request");
            let body: serde_json::Value = serde_json::from_slice(&written.body).expect("JSON");
            let told = (
                body["thinking"]["budget_tokens"].as_u64(),
                body["max_tokens"].as_u64().expect("a number"),
            );
            assert_eq!(told, expected);
            assert_eq!(written.dropped.to_string(), lost);
        };

        check(None, None, 8192, (Some(8192), 12288), "temperature");
        check(None, Some(64000), 8192, (Some(8192), 64000), "temperature");
        check(Some(9000), None, 8192, (Some(8192), 9000), "temperature");
        check(Some(4000), None, 8192, (Some(3000), 4000), "reasoning, temperature");
        check(Some(1200), None, 8192, (Some(1024), 1200), "reasoning, temperature");
        check(Some(1024), None, 8192, (None, 1024), "reasoning");
    }

    #[test]
    fn a_forced_tool_comes_before_thinking() {
        let chat = Chat {
            reasoning: super::thinking(Amount::Effort(Effort::High)),
            tools: vec![tool("look")],
            tool_choice: ToolChoice::Required,
            ..ask("Hi.")
        };

        let (body, dropped) = written(&chat, "claude-sonnet-4-5");

        assert_eq!(body["thinking"]["type"], "disabled");
        assert_eq!(body["tool_choice"], serde_json::json!({"type": "any"}));
        assert_eq!(dropped, "reasoning");
    }

    #[test]
    fn thinking_of_others_is_left_out_and_not_gone_on_with() {
        let round = |signature| Chat {
            reasoning: super::thinking(Amount::Budget(2000)),
            tools: vec![tool("look")],
            turns: vec![
                user(vec![Part::text("Look.")]),
                assistant(vec![
                    Part::Thinking(Thinking {
                        text: "Hm.".into(),
                        signature,
                    }),
                    Part::ToolCall(call("a", "{}", signed(Maker::Gemini))),
                ]),
                user(vec![Part::ToolResult(ToolResult {
                    call: "a".into(),
                    name: None,
                    parts: vec![Part::text("Nothing.")],
                    failed: false,
                    cache: None,
                })]),
            ],
            ..Chat::default()
        };

        for foreign in [
            None,
            signed(Maker::Gemini),
            signed(Maker::Openai),
            signed(Maker::Bedrock),
        ] {
            let (body, dropped) = written(&round(foreign), "claude-sonnet-4-5");
            let call = serde_json::json!([{"type": "tool_use", "id": "a", "name": "look", "input": {}}]);
            assert_eq!(body["messages"][1]["content"], call);
            assert_eq!(body["thinking"]["type"], "disabled");
            assert_eq!(dropped, "reasoning");
        }
        let (body, dropped) = written(&round(signed(Maker::Anthropic)), "claude-sonnet-4-5");
        assert_eq!(body["messages"][1]["content"][0]["signature"], "c2lnbmVk");
        assert_eq!(body["thinking"]["type"], "enabled");
        assert_eq!(dropped, "");
    }

    #[test]
    fn turns_become_messages_that_anthropic_takes() {
        let result = |call: &str| {
            Part::ToolResult(ToolResult {
                call: call.into(),
                name: Some("look".into()),
                parts: vec![Part::text(" ")],
                failed: false,
                cache: None,
            })
        };
        let chat = Chat {
            turns: vec![
                user(vec![Part::text("Look.")]),
                assistant(vec![Part::text("")]),
                user(vec![Part::text("Please.")]),
                assistant(vec![
                    Part::ToolCall(call("functions.look:0", "", None)),
                    Part::ToolCall(call("b", "nothing", None)),
                ]),
                user(vec![Part::text("And?"), result("functions.look:0"), result("b")]),
            ],
            tools: vec![Tool {
                parameters: Json::parse("{}"),
                ..tool("look")
            }],
            parallel_tools: Some(false),
            user: Some("ada".into()),
            ..Chat::default()
        };

        let (body, dropped) = written(&chat, "claude-sonnet-4-5");

        let expected = serde_json::json!({
            "model": "claude-sonnet-4-5",
            "max_tokens": 4096,
            "messages": [
                {"role": "user", "content": [{"type": "text", "text": "Look."}, {"type": "text", "text": "Please."}]},
                {"role": "assistant", "content": [
                    {"type": "tool_use", "id": "functions_look_0", "name": "look", "input": {}},
                    {"type": "tool_use", "id": "b", "name": "look", "input": {"INVALID_JSON": "nothing"}},
                ]},
                {"role": "user", "content": [
                    {"type": "tool_result", "tool_use_id": "functions_look_0"},
                    {"type": "tool_result", "tool_use_id": "b"},
                    {"type": "text", "text": "And?"},
                ]},
            ],
            "tools": [{"name": "look", "input_schema": {"type": "object", "properties": {}}}],
            "tool_choice": {"type": "auto", "disable_parallel_tool_use": true},
            "metadata": {"user_id": "ada"},
        });
        assert_eq!(body, expected);
        assert_eq!(dropped, "");
    }
}

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
fn mutated(fixtures: &'static [(&'static str, &'static str)]) -> impl Strategy<Value = Vec<u8>> {
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
        (_, text) in proptest::sample::select(&STREAMS[..]),
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
    fn broken_requests_are_survived(bytes in mutated(&REQUESTS)) {
        read_everything(&bytes);
    }

    #[test]
    fn broken_answers_are_survived(bytes in mutated(&ANSWERS)) {
        read_everything(&bytes);
    }

    #[test]
    fn broken_streams_are_survived(bytes in mutated(&STREAMS)) {
        read_everything(&bytes);
    }
}

fn blocks_of_stream(stream: &str) -> serde_json::Value {
    let mut blocks: Vec<serde_json::Value> = Vec::new();
    let mut arguments = String::new();
    for data in stream.lines().filter_map(|line| line.strip_prefix("data: ")) {
        let event: serde_json::Value = serde_json::from_str(data).expect("JSON");
        match event["type"].as_str().expect("a type") {
            "content_block_start" => {
                assert_eq!(event["index"].as_u64(), Some(blocks.len() as u64));
                arguments.clear();
                blocks.push(event["content_block"].clone());
            }
            "content_block_delta" => {
                let block = blocks.last_mut().expect("a block");
                let delta = &event["delta"];
                match delta["type"].as_str().expect("a type") {
                    "signature_delta" => block["signature"] = delta["signature"].clone(),
                    "input_json_delta" => {
                        arguments.push_str(delta["partial_json"].as_str().expect("a text"));
                        block["input"] = serde_json::from_str(&arguments).expect("whole JSON");
                    }
                    other => panic!("unexpected {other}"),
                }
            }
            _ => {}
        }
    }
    blocks.into()
}
