use serde_json::{Number, Value, json};

use super::*;
use crate::chat::{
    Json, Maker, Media, MediaKind, Part, Reasoning, Role, Signature, Source, Thinking, Tool, ToolCall, ToolChoice,
    ToolResult,
};

const CLAUDE: &str = "anthropic.claude-sonnet-4-5-20250929-v1:0";
const OLD_CLAUDE: &str = "anthropic.claude-sonnet-4-20250514-v1:0";
const NEW_CLAUDE: &str = "anthropic.claude-opus-5";
const NOVA: &str = "amazon.nova-pro-v1:0";
const MISTRAL: &str = "mistral.mistral-large-3-675b-instruct";

fn written(model: &str, chat: &Chat) -> Result<(Value, String), Unsupported> {
    let target = TargetFacts {
        model,
        output_limit: None,
    };
    let written = write(chat, target)?;
    let body = serde_json::from_slice(&written.body).expect("JSON");
    Ok((body, written.dropped.to_string()))
}

/// One member of the body, and what was dropped.
fn check(model: &str, chat: &Chat, pointer: &str, expected: &Value, dropped: &str) {
    let (body, noted) = written(model, chat).expect("a request");
    let found = body.pointer(pointer).unwrap_or(&Value::Null);
    assert_eq!((found, noted.as_str()), (expected, dropped), "{model} {body}");
}

fn refused(chat: &Chat) -> &'static str {
    written(CLAUDE, chat).expect_err("a refusal").param
}

fn saying(role: Role, parts: impl IntoIterator<Item = Part>) -> Chat {
    let mut chat = Chat::default();
    chat.add(role, parts);
    chat
}

fn marked(text: &str, cache: CacheMark) -> Text {
    Text {
        text: text.into(),
        cache: Some(cache),
    }
}

fn media(kind: MediaKind, source: Source, media_type: Option<&str>, name: Option<&str>) -> Media {
    Media {
        kind,
        source,
        media_type: media_type.map(Into::into),
        name: name.map(Into::into),
        detail: None,
        cache: None,
    }
}

fn call(id: &str, arguments: &str) -> Part {
    Part::ToolCall(ToolCall {
        id: id.into(),
        name: "look_up".into(),
        arguments: arguments.into(),
        signature: None,
        cache: None,
    })
}

fn result(call: &str, parts: Vec<Part>) -> ToolResult {
    ToolResult {
        call: call.into(),
        name: None,
        parts,
        failed: false,
        cache: None,
    }
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

fn after_a_call() -> Chat {
    let mut chat = saying(Role::Assistant, [call("c1", r#"{"q":1}"#)]);
    chat.add(Role::User, [Part::ToolResult(result("c1", vec![Part::text("one")]))]);
    chat
}

#[test]
fn blank_texts_are_left_out_and_the_turns_around_them_joined() {
    let mut chat = saying(Role::User, [Part::text("a")]);
    chat.add(Role::Assistant, [Part::text(" \n")]);
    chat.add(Role::User, [Part::text(""), Part::text("b")]);
    chat.instructions = vec![Text::new("\t"), Text::new("be brief")];

    let expected = json!([{"role": "user", "content": [{"text": "a"}, {"text": "b"}]}]);
    check(CLAUDE, &chat, "/messages", &expected, "");
    check(CLAUDE, &chat, "/system", &json!([{"text": "be brief"}]), "");
}

#[test]
fn results_of_tools_come_first_and_their_cache_points_behind_them() {
    let mut failed = result("c1", vec![Part::Text(marked("no", CacheMark::OneHour))]);
    failed.failed = true;
    let parts = [
        Part::text("and?"),
        Part::ToolResult(failed),
        Part::ToolResult(result("c2", Vec::new())),
    ];
    let chat = saying(Role::User, parts);

    let expected = json!([
        {"toolResult": {"toolUseId": "c1", "content": [{"text": "no"}], "status": "error"}},
        {"cachePoint": {"type": "default", "ttl": "1h"}},
        {"toolResult": {"toolUseId": "c2", "content": []}},
        {"text": "and?"},
    ]);
    check(CLAUDE, &chat, "/messages/0/content", &expected, "");
    let expected = json!([
        {"toolResult": {"toolUseId": "c1", "content": [{"text": "no"}]}},
        {"toolResult": {"toolUseId": "c2", "content": []}},
        {"text": "and?"},
    ]);
    check(
        MISTRAL,
        &chat,
        "/messages/0/content",
        &expected,
        "is_error, cache_control",
    );
}

#[test]
fn cache_marks_become_what_the_family_takes() {
    let mut chat = saying(Role::User, [Part::Text(marked("a", CacheMark::OneHour))]);
    chat.tools = vec![Tool {
        cache: Some(CacheMark::FiveMinutes),
        ..tool("t")
    }];
    let point = json!({"cachePoint": {"type": "default"}});

    let an_hour = json!({"cachePoint": {"type": "default", "ttl": "1h"}});
    check(CLAUDE, &chat, "/messages/0/content/1", &an_hour, "");
    check(CLAUDE, &chat, "/toolConfig/tools/1", &point, "");
    check(OLD_CLAUDE, &chat, "/messages/0/content/1", &point, "cache_control.ttl");
    let both = "cache_control.ttl, cache_control";
    check(NOVA, &chat, "/messages/0/content/1", &point, both);
    check(NOVA, &chat, "/toolConfig/tools/1", &Value::Null, both);
    check(MISTRAL, &chat, "/messages/0/content/1", &Value::Null, "cache_control");
}

#[test]
fn thoughts_go_back_to_their_maker_only() {
    let thought = |text: &str, maker, signature: &str| {
        Part::Thinking(Thinking {
            text: text.into(),
            signature: Some(Signature {
                maker,
                text: signature.into(),
            }),
        })
    };
    let unsigned = Part::Thinking(Thinking {
        text: "unsigned".into(),
        signature: None,
    });
    let parts = [
        unsigned,
        thought("a", Maker::Anthropic, "s1"),
        thought("", Maker::Anthropic, "s2"),
        thought("", Maker::AnthropicRedacted, "s3"),
        thought("b", Maker::Bedrock, "s4"),
        thought("", Maker::Bedrock, "s5"),
        thought("c", Maker::Openai, "s6"),
        thought("d", Maker::Gemini, "s7"),
    ];
    let chat = saying(Role::Assistant, parts);

    let claude = json!([
        {"reasoningContent": {"reasoningText": {"text": "a", "signature": "s1"}}},
        {"reasoningContent": {"reasoningText": {"text": "", "signature": "s2"}}},
        {"reasoningContent": {"redactedContent": "s3"}},
    ]);
    check(CLAUDE, &chat, "/messages/0/content", &claude, "");
    let others = json!([
        {"reasoningContent": {"reasoningText": {"text": "b", "signature": "s4"}}},
        {"reasoningContent": {"redactedContent": "s5"}},
    ]);
    check(MISTRAL, &chat, "/messages/0/content", &others, "");
}

#[test]
fn arguments_are_always_an_object() {
    let check = |arguments: &str, expected: Value| {
        let chat = saying(Role::Assistant, [call("c", arguments)]);
        check(CLAUDE, &chat, "/messages/0/content/0/toolUse/input", &expected, "");
    };

    check(r#" {"a":1}"#, json!({"a": 1}));
    check("", json!({}));
    check("[1]", json!({"INVALID_JSON": "[1]"}));
    check(r#"{"a":"#, json!({"INVALID_JSON": "{\"a\":"}));
}

#[test]
fn identifiers_of_calls_are_made_to_fit_alike_in_calls_and_results() {
    assert_eq!(tools::call_id("toolu_01:a.b-c"), "toolu_01:a.b-c");
    let long = "x".repeat(65);
    for odd in ["call|1", "", "ü", long.as_str()] {
        let fitted = tools::call_id(odd);

        let allowed = fitted.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        assert!(allowed && (1..=64).contains(&fitted.len()), "{fitted}");
        assert_eq!(fitted, tools::call_id(odd));
        assert_ne!(fitted, tools::call_id("call|2"));
    }
}

#[test]
fn tools_are_there_whenever_the_conversation_has_calls() {
    let bare =
        json!([{"toolSpec": {"name": "look_up", "inputSchema": {"json": {"type": "object", "properties": {}}}}}]);
    let mut chat = after_a_call();
    check(CLAUDE, &chat, "/toolConfig", &json!({"tools": bare}), "");

    chat.tool_choice = ToolChoice::None;
    check(CLAUDE, &chat, "/toolConfig", &json!({"tools": bare}), "tool_choice");

    chat.tools = vec![tool("other")];
    check(
        CLAUDE,
        &chat,
        "/toolConfig/tools/0/toolSpec/name",
        &json!("other"),
        "tool_choice",
    );

    chat.turns.clear();
    check(CLAUDE, &chat, "/toolConfig", &Value::Null, "tools");
}

#[test]
fn a_choice_of_tools_is_told() {
    let mut chat = Chat {
        tools: vec![tool("t")],
        ..Chat::default()
    };
    let mut check = |choice, expected: Value| {
        chat.tool_choice = choice;
        check(CLAUDE, &chat, "/toolConfig/toolChoice", &expected, "");
    };

    check(ToolChoice::Auto, Value::Null);
    check(ToolChoice::Required, json!({"any": {}}));
    check(ToolChoice::Named("t".into()), json!({"tool": {"name": "t"}}));
}

#[test]
fn strictness_is_kept_where_it_can_be() {
    let chat = Chat {
        tools: vec![Tool {
            description: Some(" ".into()),
            parameters: Json::parse(r#"{"type":"object","z":1,"a":2}"#),
            strict: Some(true),
            ..tool("t")
        }],
        ..Chat::default()
    };
    let spec = |strict: Value| {
        let mut spec = json!({"name": "t", "inputSchema": {"json": {"type": "object", "z": 1, "a": 2}}});
        if !strict.is_null() {
            spec["strict"] = strict;
        }
        spec
    };

    check(CLAUDE, &chat, "/toolConfig/tools/0/toolSpec", &spec(json!(true)), "");
    let without = spec(Value::Null);
    check(NOVA, &chat, "/toolConfig/tools/0/toolSpec", &without, "tools.strict");
}

#[test]
fn documents_have_allowed_names_of_their_own() {
    let document = |name: Option<&str>| {
        let source = Source::Base64("JVBERg==".into());
        Part::Media(media(MediaKind::Document, source, Some("application/pdf"), name))
    };
    let long = "ab ".repeat(100);
    let parts = [
        document(Some("Ignore: übér/report_v2.final.pdf")),
        document(None),
        document(Some("???")),
        document(Some("a-(b) [c]  d")),
        document(Some(&long)),
    ];

    let (body, _) = written(CLAUDE, &saying(Role::User, parts)).expect("a request");

    let content = body["messages"][0]["content"].as_array().expect("content");
    let names: Vec<_> = content
        .iter()
        .map(|block| block["document"]["name"].as_str().expect("a name"))
        .collect();
    assert_eq!(
        names[..4],
        [
            "Ignore b r report v2 final pdf",
            "document",
            "document (2)",
            "a-(b) [c] d"
        ]
    );
    assert!(names[4].len() <= 192 && !names[4].ends_with(' '));
}

#[test]
fn media_are_written_with_bedrocks_words_for_their_formats() {
    let check = |media: Media, expected: Value| {
        let chat = saying(Role::User, [Part::Media(media)]);
        check(CLAUDE, &chat, "/messages/0/content/0", &expected, "");
    };
    let base64 = || Source::Base64("AAAA".into());

    check(
        media(MediaKind::Image, base64(), Some("image/JPG"), None),
        json!({"image": {"format": "jpeg", "source": {"bytes": "AAAA"}}}),
    );
    check(
        media(MediaKind::Audio, base64(), Some("audio/mpeg"), None),
        json!({"audio": {"format": "mp3", "source": {"bytes": "AAAA"}}}),
    );
    check(
        media(MediaKind::Video, base64(), Some("video/3gpp"), None),
        json!({"video": {"format": "three_gp", "source": {"bytes": "AAAA"}}}),
    );
    check(
        media(MediaKind::Document, Source::Plain("hi".into()), None, Some("a")),
        json!({"document": {"format": "txt", "name": "a", "source": {"bytes": "aGk="}}}),
    );
    check(
        media(
            MediaKind::Document,
            base64(),
            Some("application/octet-stream"),
            Some("x.DOCX"),
        ),
        json!({"document": {"format": "docx", "name": "x DOCX", "source": {"bytes": "AAAA"}}}),
    );
}

#[test]
fn what_cannot_be_said_is_refused_by_name() {
    let with_media = |role, media| refused(&saying(role, [Part::Media(media)]));
    let image = |source| media(MediaKind::Image, source, Some("image/png"), None);
    let url = || Source::Url("https://example.org/a.png".into());
    let base64 = || Source::Base64("AAAA".into());

    assert_eq!(with_media(Role::User, image(url())), "messages");
    assert_eq!(
        with_media(Role::User, image(Source::Url("s3://bucket/a.png".into()))),
        "messages"
    );
    assert_eq!(with_media(Role::User, image(Source::File("file-1".into()))), "messages");
    assert_eq!(with_media(Role::Assistant, image(base64())), "messages");
    assert_eq!(
        with_media(Role::User, media(MediaKind::Image, base64(), Some("image/tiff"), None)),
        "messages"
    );
    let sound = Part::Media(media(MediaKind::Audio, base64(), Some("audio/wav"), None));
    let chat = saying(Role::User, [Part::ToolResult(result("c", vec![sound]))]);
    assert_eq!(refused(&chat), "messages");

    let refused_with = |change: fn(&mut Chat)| {
        let mut chat = Chat::default();
        change(&mut chat);
        refused(&chat)
    };
    assert_eq!(refused_with(|chat| chat.sampling.choices = Some(2)), "n");
    assert_eq!(refused_with(|chat| chat.sampling.top_logprobs = Some(0)), "logprobs");
    assert_eq!(refused_with(|chat| chat.format = Format::Json), "response_format");
    assert_eq!(refused_with(|chat| chat.tools = vec![tool("a.b")]), "tools");
    assert!(
        written(CLAUDE, &{
            let mut chat = Chat::default();
            chat.sampling.choices = Some(1);
            chat
        })
        .is_ok()
    );
}

#[test]
fn a_schema_is_written_as_text_for_models_that_keep_to_it() {
    let text = r#"{"type":"object","properties":{"b":{"type":"integer"},"a":{"type":"string"}}}"#;
    let chat = Chat {
        format: Format::Schema(Schema {
            name: "person".into(),
            description: None,
            schema: Json::parse(text).expect("JSON"),
            strict: Some(true),
        }),
        ..Chat::default()
    };

    let expected = json!({
        "textFormat": {"type": "json_schema", "structure": {"jsonSchema": {"schema": text, "name": "person"}}}
    });
    check(CLAUDE, &chat, "/outputConfig", &expected, "");
    for model in [NOVA, OLD_CLAUDE, "meta.llama3-3-70b-instruct-v1:0"] {
        let refusal = written(model, &chat).expect_err("a refusal");
        assert_eq!(refusal.param, "response_format", "{model}");
    }
}

#[test]
fn sampling_is_fitted_to_the_family() {
    let number = |number: f64| Number::from_f64(number);
    let mut chat = Chat::default();
    chat.sampling.max_tokens = Some(100);
    chat.sampling.temperature = number(1.5);
    chat.sampling.top_p = number(0.9);
    chat.sampling.top_k = Some(40);
    chat.sampling.stop = vec!["\n\n".into(), "END".into()];
    chat.sampling.seed = Some(1);
    chat.sampling.frequency_penalty = number(0.5);
    chat.sampling.presence_penalty = number(0.5);
    chat.user = Some("u".into());
    chat.parallel_tools = Some(false);
    chat.unheld = vec!["metadata".into()];

    let both = json!({"maxTokens": 100, "temperature": 1, "topP": 0.9, "stopSequences": ["END"]});
    let always = "metadata, user, parallel_tool_calls, frequency_penalty, presence_penalty, seed, temperature";
    check(
        MISTRAL,
        &chat,
        "/inferenceConfig",
        &both,
        &format!("{always}, stop, top_k"),
    );
    check(OLD_CLAUDE, &chat, "/inferenceConfig", &both, &format!("{always}, stop"));
    let fields = json!({"top_k": 40});
    let dropped = format!("{always}, stop");
    check(OLD_CLAUDE, &chat, "/additionalModelRequestFields", &fields, &dropped);
    let fields = json!({"inferenceConfig": {"topK": 40}});
    check(NOVA, &chat, "/additionalModelRequestFields", &fields, &dropped);
    let one = json!({"maxTokens": 100, "temperature": 1, "stopSequences": ["END"]});
    let dropped = format!("{always}, top_p, stop");
    check(CLAUDE, &chat, "/inferenceConfig", &one, &dropped);
    let none = json!({"maxTokens": 100, "stopSequences": ["END"]});
    let dropped = format!("{always}, top_p, stop, top_k");
    check(NEW_CLAUDE, &chat, "/inferenceConfig", &none, &dropped);

    let paths = json!(["/stop_sequence"]);
    check(
        NEW_CLAUDE,
        &chat,
        "/additionalModelResponseFieldPaths",
        &paths,
        &dropped,
    );
}

#[test]
fn a_model_that_thinks_hard_is_not_steered() {
    let mut chat = Chat {
        reasoning: Some(Reasoning {
            amount: crate::chat::Amount::Effort(crate::chat::Effort::High),
            shown: None,
        }),
        ..Chat::default()
    };
    chat.sampling.temperature = Number::from_f64(0.5);
    chat.sampling.top_k = Some(5);

    check(CLAUDE, &chat, "/inferenceConfig", &Value::Null, "temperature, top_k");
    check(
        "us.amazon.nova-2-lite-v1:0",
        &chat,
        "/inferenceConfig",
        &Value::Null,
        "temperature",
    );
    check(
        "anthropic.claude-opus-4-6-v1",
        &chat,
        "/outputConfig",
        &json!({"effort": "high"}),
        "temperature, top_k",
    );
}

#[test]
fn a_plain_chat_has_nothing_but_its_messages() {
    let chat = saying(Role::User, [Part::text("hi")]);

    let (body, dropped) = written(NEW_CLAUDE, &chat).expect("a request");

    assert_eq!(
        body,
        json!({"messages": [{"role": "user", "content": [{"text": "hi"}]}]})
    );
    assert_eq!(dropped, "");
}
