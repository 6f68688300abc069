//! What callers ask is read whole, or refused with its place.

use gatewright_llm::chat::{
    Amount, CacheMark, Chat, Effort, Format, Maker, Media, MediaKind, Part, Reasoning, Role, Source, Text, Thinking,
    ToolCall, ToolChoice, ToolResult,
};
use serde_json::{Value, json};

use crate::{call, fixture, read, refusal, request, signature};

#[test]
fn sampling_and_what_has_no_place_are_read() {
    let chat = request("basic");

    assert_eq!((&*chat.model, chat.stream), ("chat", false));
    let [turn] = &*chat.turns else {
        panic!("{:?}", chat.turns)
    };
    assert_eq!((turn.role, &*turn.parts), (Role::User, &[Part::text("Say hello.")][..]));
    let sampling = &chat.sampling;
    assert_eq!(sampling.max_tokens, Some(64));
    assert_eq!(sampling.temperature, serde_json::Number::from_f64(0.2));
    assert_eq!(sampling.top_p, serde_json::Number::from_f64(0.9));
    assert_eq!(sampling.frequency_penalty, serde_json::Number::from_f64(0.5));
    assert_eq!(sampling.presence_penalty, serde_json::Number::from_f64(-0.5));
    assert_eq!((sampling.seed, sampling.choices), (Some(7), Some(1)));
    assert_eq!(sampling.stop, ["\n\n".into(), "END".into()]);
    assert_eq!(chat.user.as_deref(), Some("u-1"));
    assert_eq!(chat.unheld, ["metadata".into(), "store".into(), "logit_bias".into()]);
}

#[test]
fn instructions_are_gathered_wherever_they_stand() {
    let chat = request("system");

    let instructions: Vec<_> = chat.instructions.iter().map(|text| &*text.text).collect();
    assert_eq!(
        instructions,
        ["You are terse.", "Answer in French.", "Now in Norwegian."]
    );
    let roles: Vec<_> = chat.turns.iter().map(|turn| turn.role).collect();
    assert_eq!(roles, [Role::User, Role::Assistant, Role::User]);
}

#[test]
fn a_stream_is_asked_for_with_usage() {
    let body = fixture("requests/stream.json");
    let chat = read(&body);

    assert!(chat.stream);
    assert_eq!(chat.unheld, ["messages.name".into()]);
    let [turn] = &*chat.turns else {
        panic!("{:?}", chat.turns)
    };
    assert_eq!(turn.parts, [Part::text("Hello"), Part::text("again")]);
}

#[test]
fn results_of_one_turn_are_in_one_turn() {
    let chat = request("tools");

    let [_, calls, results] = &*chat.turns else {
        panic!("{:?}", chat.turns)
    };
    let oslo = call("call_a1", "get_weather", r#"{"city":"Oslo"}"#);
    let rome = call("call_b2", "get_weather", r#"{"city":"Rome"}"#);
    assert_eq!(calls.parts, [Part::ToolCall(oslo), Part::ToolCall(rome)]);
    let result = |call: &str, text| {
        Part::ToolResult(ToolResult {
            call: call.into(),
            name: None,
            parts: vec![Part::text(text)],
            failed: false,
            cache: None,
        })
    };
    assert_eq!(
        results.parts,
        [
            result("call_a1", r#"{"celsius":3}"#),
            result("call_b2", r#"{"celsius":19}"#),
            Part::text("Which is warmer?")
        ]
    );
    let [tool] = &*chat.tools else {
        panic!("{:?}", chat.tools)
    };
    assert_eq!(
        (tool.strict, tool.description.as_deref()),
        (Some(true), Some("The weather at a place."))
    );
    assert!(chat.unheld.is_empty(), "{:?}", chat.unheld);
}

#[test]
fn tools_are_chosen_by_word_by_name_or_from_a_list() {
    let parallel = request("parallel-tools");
    let forced = request("forced-tool");
    let allowed = |mode: &str, name: &str| {
        let mut body: Value = serde_json::from_slice(&fixture("requests/parallel-tools.json")).expect("JSON");
        body["tool_choice"]["allowed_tools"] =
            json!({ "mode": mode, "tools": [{ "type": "function", "function": { "name": name } }] });
        body
    };
    let one = read(allowed("auto", "get_time").to_string().as_bytes());

    assert_eq!(
        (parallel.tools.len(), &parallel.tool_choice),
        (2, &ToolChoice::Required)
    );
    assert_eq!(parallel.parallel_tools, Some(true));
    assert_eq!(forced.tool_choice, ToolChoice::Named("get_time".into()));
    assert_eq!(forced.parallel_tools, Some(false));
    let names: Vec<_> = one.tools.iter().map(|tool| &*tool.name).collect();
    assert_eq!((&*names, one.tool_choice), (&["get_time"][..], ToolChoice::Auto));
    assert_eq!(refusal(&allowed("auto", "nothing")).0, "tool_choice");
}

#[test]
fn images_documents_and_sounds_are_read() {
    let image = request("image");
    let document = request("document");
    let audio = read(
        json!({ "model": "m", "messages": [{ "role": "user", "content": [
            { "type": "input_audio", "input_audio": { "data": "YWJj", "format": "mp3" } },
            { "type": "file", "file": { "file_id": "file-1" } }
        ] }] })
        .to_string()
        .as_bytes(),
    );

    let parts = |chat: &Chat| -> Vec<Media> {
        let parts = chat.turns.iter().flat_map(|turn| turn.parts.clone());
        let media = parts.filter_map(|part| match part {
            Part::Media(media) => Some(media),
            _ => None,
        });
        media.collect()
    };
    let media = |kind, source: Source, media_type: Option<&str>| Media {
        kind,
        source,
        media_type: media_type.map(Into::into),
        name: None,
        detail: None,
        cache: None,
    };
    let [png, cat] = &*parts(&image) else {
        panic!("{image:?}")
    };
    assert!(matches!(&png.source, Source::Base64(data) if data.starts_with("iVBORw0")));
    assert_eq!(
        (png.media_type.as_deref(), png.detail.as_deref()),
        (Some("image/png"), Some("low"))
    );
    let url = Source::Url("https://example.com/cat.jpg".into());
    assert_eq!(*cat, media(MediaKind::Image, url, None));
    let [pdf] = &*parts(&document) else {
        panic!("{document:?}")
    };
    assert_eq!(
        (pdf.kind, pdf.media_type.as_deref()),
        (MediaKind::Document, Some("application/pdf"))
    );
    assert_eq!(pdf.name.as_deref(), Some("empty.pdf"));
    assert_eq!(
        parts(&audio),
        [
            media(MediaKind::Audio, Source::Base64("YWJj".into()), Some("audio/mpeg")),
            media(MediaKind::Document, Source::File("file-1".into()), None)
        ]
    );
}

#[test]
fn a_schema_is_kept_as_it_was_written() {
    let Format::Schema(schema) = request("structured").format else {
        panic!("no schema");
    };

    assert_eq!((&*schema.name, schema.strict), ("person", Some(true)));
    // The members' order matters to models.
    assert!(schema.schema.text().find("\"name\"") < schema.schema.text().find("\"age\""));
}

#[test]
fn thoughts_come_back_with_their_signatures() {
    let chat = request("reasoning");

    let expected = Reasoning {
        amount: Amount::Effort(Effort::High),
        shown: Some(true),
    };
    assert_eq!(chat.reasoning, Some(expected));
    let turn = chat.turns.get(1).expect("an answer");
    let thinking = Thinking {
        text: "The user wants the weather.".into(),
        signature: Some(signature(Maker::Anthropic, "EqRkLmNv")),
    };
    let call = ToolCall {
        signature: Some(signature(Maker::Gemini, "Q2hhdA==")),
        ..call("call_a1", "get_weather", r#"{"city":"Oslo"}"#)
    };
    assert_eq!(
        turn.parts,
        [
            Part::Thinking(thinking),
            Part::text("Let me look."),
            Part::ToolCall(call)
        ]
    );
}

#[test]
fn reasoning_is_asked_for_in_all_its_notations() {
    let check = |members: Value, expected: Option<Amount>| {
        let mut body = json!({ "model": "m", "messages": [{ "role": "user", "content": "x" }] });
        body.as_object_mut()
            .expect("an object")
            .extend(members.as_object().expect("an object").clone());
        let chat = read(body.to_string().as_bytes());
        assert_eq!(chat.reasoning.map(|reasoning| reasoning.amount), expected, "{members}");
    };

    check(json!({ "reasoning_effort": "none" }), Some(Amount::Off));
    check(
        json!({ "reasoning_effort": "minimal" }),
        Some(Amount::Effort(Effort::Minimal)),
    );
    check(
        json!({ "reasoning_effort": "xhigh" }),
        Some(Amount::Effort(Effort::Most)),
    );
    check(json!({ "reasoning_effort": "max" }), Some(Amount::Effort(Effort::Most)));
    check(json!({ "reasoning": { "max_tokens": 500 } }), Some(Amount::Budget(500)));
    check(json!({ "reasoning": { "enabled": true } }), Some(Amount::Adaptive));
    check(
        json!({ "reasoning": { "enabled": false, "effort": "high" } }),
        Some(Amount::Off),
    );
    check(json!({ "reasoning": { "exclude": true } }), None);
    check(json!({ "reasoning": null }), None);
}

#[test]
fn cache_marks_of_both_kinds_are_read() {
    let chat = request("cached");

    let marks: Vec<_> = chat.instructions.iter().map(|text| text.cache).collect();
    assert_eq!(marks, [Some(CacheMark::OneHour)]);
    let turn = chat.turns.first().expect("a turn");
    let marked = Text {
        text: "A long letter.".into(),
        cache: Some(CacheMark::FiveMinutes),
    };
    assert_eq!(turn.parts, [Part::Text(marked), Part::text("Summarise it.")]);
    assert_eq!(chat.tools.first().expect("a tool").cache, Some(CacheMark::FiveMinutes));
    assert_eq!(chat.unheld, ["prompt_cache_key".into()]);
}

#[test]
fn a_mark_on_a_message_is_on_its_end() {
    let mark = json!({ "type": "ephemeral" });
    let chat = read(
        json!({ "model": "m", "messages": [
            { "role": "user", "content": [{ "type": "text", "text": "a" }, { "type": "text", "text": "b" }], "cache_control": mark },
            { "role": "assistant", "tool_calls": [{ "id": "c", "type": "function", "function": { "name": "f" } }] },
            { "role": "tool", "tool_call_id": "c", "content": "x", "cache_control": mark }
        ] })
        .to_string()
        .as_bytes(),
    );

    let marked = |part: &Part| match part {
        Part::Text(text) => text.cache,
        Part::ToolResult(result) => result.cache,
        other => panic!("{other:?}"),
    };
    let ends = [chat.turns.first(), chat.turns.last()]
        .map(|turn| turn.expect("a turn").parts.iter().map(marked).collect::<Vec<_>>());
    let mark = Some(CacheMark::FiveMinutes);
    assert_eq!(ends, [vec![None, mark], vec![mark]]);
}

#[test]
fn what_cannot_be_read_is_refused_with_its_place() {
    let with = |members: Value| {
        let mut body = json!({ "model": "m", "messages": [{ "role": "user", "content": "x" }] });
        body.as_object_mut()
            .expect("an object")
            .extend(members.as_object().expect("an object").clone());
        body
    };
    let message = |message: Value| with(json!({ "messages": [message] }));
    let part = |part: Value| message(json!({ "role": "user", "content": [part] }));
    let check = |body: Value, param: &str| assert_eq!(refusal(&body).0, param, "{body}");

    check(json!({ "messages": [] }), "messages");
    check(json!({ "model": "m" }), "messages");
    check(json!({ "messages": [{ "role": "user", "content": "x" }] }), "model");
    check(
        message(json!({ "role": "function", "name": "f", "content": "x" })),
        "messages[0]",
    );
    check(message(json!({ "role": "robot", "content": "x" })), "messages[0]");
    check(message(json!({ "content": "x" })), "messages[0].role");
    check(message(json!({ "role": "user" })), "messages[0].content");
    check(message(json!({ "role": "user", "content": 7 })), "messages[0].content");
    check(
        message(json!({ "role": "tool", "content": "x" })),
        "messages[0].tool_call_id",
    );
    check(
        message(json!({ "role": "assistant", "content": null, "function_call": { "name": "f", "arguments": "" } })),
        "messages[0].function_call",
    );
    check(
        message(json!({ "role": "assistant", "audio": { "id": "a" } })),
        "messages[0].audio",
    );
    check(
        message(json!({ "role": "assistant", "tool_calls": [{ "id": "a", "type": "custom", "custom": {} }] })),
        "messages[0].tool_calls[0].custom.name",
    );
    check(
        message(json!({ "role": "assistant", "tool_calls": [{ "type": "function", "function": { "name": "f" } }] })),
        "messages[0].tool_calls[0].id",
    );
    check(
        message(json!({ "role": "assistant", "reasoning_details": {} })),
        "messages[0].reasoning_details",
    );
    check(
        message(json!({ "role": "system", "content": [{ "type": "image_url", "image_url": { "url": "https://a" } }] })),
        "messages[0].content[0]",
    );
    check(part(json!({ "type": "hologram" })), "messages[0].content[0]");
    check(part(json!({ "text": "x" })), "messages[0].content[0].type");
    check(part(json!({ "type": "text" })), "messages[0].content[0].text");
    check(
        part(json!({ "type": "refusal", "refusal": "x" })),
        "messages[0].content[0]",
    );
    for url in ["data:image/png;base64,%%", "data:image/png,abc", "cat.png"] {
        check(
            part(json!({ "type": "image_url", "image_url": { "url": url } })),
            "messages[0].content[0].image_url.url",
        );
    }
    check(
        part(json!({ "type": "file", "file": { "file_data": "JVBERi0=" } })),
        "messages[0].content[0].file.file_data",
    );
    check(
        part(json!({ "type": "input_audio", "input_audio": { "data": "?", "format": "wav" } })),
        "messages[0].content[0].input_audio.data",
    );
    check(
        part(json!({ "type": "text", "text": "x", "cache_control": { "type": "for ever" } })),
        "messages[0].content[0].cache_control",
    );
    check(with(json!({ "functions": [] })), "functions");
    check(with(json!({ "web_search_options": {} })), "web_search_options");
    check(with(json!({ "modalities": ["text", "audio"] })), "modalities[1]");
    check(with(json!({ "tools": [{ "type": "mcp", "mcp": {} }] })), "tools[0]");
    check(with(json!({ "tools": [{ "type": "custom" }] })), "tools[0].custom");
    check(
        with(json!({ "tools": [{ "type": "custom", "custom": {} }] })),
        "tools[0].custom.name",
    );
    check(with(json!({ "tools": [{ "type": "function" }] })), "tools[0].function");
    check(with(json!({ "tool_choice": "always" })), "tool_choice");
    check(
        with(json!({ "tool_choice": { "type": "custom" } })),
        "tool_choice.custom",
    );
    check(
        with(json!({ "response_format": { "type": "grammar" } })),
        "response_format",
    );
    check(
        with(json!({ "response_format": { "type": "json_schema", "json_schema": { "name": "n" } } })),
        "response_format.json_schema.schema",
    );
    check(with(json!({ "reasoning_effort": "extreme" })), "reasoning_effort");
    check(with(json!({ "temperature": "hot" })), "temperature");
    check(with(json!({ "max_tokens": -1 })), "max_tokens");
    check(with(json!({ "n": 0 })), "n");
    check(with(json!({ "stop": [1] })), "stop[0]");
    check(with(json!({ "top_logprobs": 3 })), "top_logprobs");
    assert_eq!(
        refusal(&with(json!({ "tools": [{ "type": "mcp" }] }))).1,
        "'tools[0]' is a tool of type 'mcp', which the model you named does not have; offer tools of type 'function' or \
         'custom'"
    );
}
