//! Callers' requests, and what is wrong with some.

use gatewright_llm::chat::{
    Amount, CacheMark, Effort, Format, Maker, MediaKind, Part, Reasoning, Signature, Source, Text, Thinking,
    ToolChoice, ToolResult,
};
use gatewright_llm::dialect::anthropic::{read_count_request, write_token_count};

use crate::{ask, assistant, read, read_with, request, user};

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
    let older = read_with(r#""output_format":{"type":"json_schema","schema":{"type":"object"}}"#).expect("a request");
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
    check(
        r#""thinking":{"type":"adaptive","display":"updates"}"#,
        Some(Amount::Adaptive),
        &["thinking.display"],
    );
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
        let body = format!(r#"{{"model":"m","max_tokens":1,"messages":[{{"role":"{role}","content":[{block}]}}]}}"#);
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
