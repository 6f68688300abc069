//! What callers send.

use gatewright_llm::chat::{
    Amount, CacheMark, Effort, Format, Maker, Media, MediaKind, Part, Reasoning, Role, Source, Text, Thinking,
    ToolChoice, Turn,
};
use gatewright_llm::dialect::openai_responses::stored::{Links, links, response_id};

use crate::fixtures::{call, read, request, signature};

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

fn unheld(chat: &gatewright_llm::chat::Chat) -> Vec<&str> {
    chat.unheld.iter().map(|name| &**name).collect()
}

#[test]
fn a_plain_request_is_read() {
    let chat = request("basic");

    assert_eq!(&*chat.model, "gpt-5.1");
    assert_eq!(chat.instructions, [Text::new("Answer in one word.")]);
    assert_eq!(chat.turns, [user(vec![Part::text("Say hello in Latin.")])]);
    assert_eq!(chat.sampling.max_tokens, Some(200));
    assert_eq!(
        chat.sampling.temperature.map(|number| number.to_string()).as_deref(),
        Some("0.2")
    );
    assert_eq!(
        chat.sampling.top_p.map(|number| number.to_string()).as_deref(),
        Some("0.9")
    );
    assert_eq!(chat.user.as_deref(), Some("user-7"));
    assert_eq!((chat.stream, chat.unheld.len()), (false, 0));
}

#[test]
fn a_message_needs_no_type() {
    let chat = request("stream");

    assert!(chat.stream);
    assert_eq!(chat.turns, [user(vec![Part::text("Count to three.")])]);
    assert_eq!(unheld(&chat), [""; 0]);
}

#[test]
fn calls_and_their_results_become_turns() {
    let chat = request("tools");

    let [asked, called, results] = chat.turns.as_slice() else {
        panic!("{:?}", chat.turns);
    };
    assert_eq!(asked.role, Role::User);
    assert_eq!(
        *called,
        assistant(vec![
            Part::text("Let me look."),
            Part::ToolCall(call("call_turin", "get_weather", r#"{"place":"Turin","unit":null}"#)),
            Part::ToolCall(call("call_rome", "get_weather", r#"{"place":"Rome","unit":null}"#)),
        ])
    );
    let [Part::ToolResult(turin), Part::ToolResult(rome)] = results.parts.as_slice() else {
        panic!("{results:?}");
    };
    assert_eq!(
        (results.role, &*turin.call, &*rome.call),
        (Role::User, "call_turin", "call_rome")
    );
    assert_eq!(turin.parts, [Part::text(r#"{"sky":"clear","degrees":21}"#)]);
    assert!(matches!(
        rome.parts.as_slice(),
        [
            Part::Text(_),
            Part::Media(Media {
                kind: MediaKind::Image,
                ..
            })
        ]
    ));
    assert_eq!(chat.tools.len(), 1);
    assert_eq!(chat.tools[0].strict, Some(true));
    assert_eq!(chat.tools[0].description.as_deref(), Some("The weather at a place."));
    let schema = chat.tools[0].parameters.as_ref().expect("parameters").text();
    assert!(schema.contains("\"additionalProperties\": false"), "{schema}");
}

#[test]
fn the_choice_of_tools_is_read() {
    let chat = request("parallel-tools");
    assert_eq!(
        (chat.tools.len(), chat.parallel_tools, chat.stream),
        (2, Some(true), true)
    );

    let chat = request("forced-tool");
    assert_eq!(chat.tool_choice, ToolChoice::Named("get_weather".into()));
    assert_eq!(chat.parallel_tools, Some(false));

    let check = |choice: &str, expected: ToolChoice, noted: &[&str]| {
        let chat = read(&format!(r#"{{"model":"m","input":"x","tool_choice":{choice}}}"#)).expect(choice);
        assert_eq!(
            (&chat.tool_choice, unheld(&chat)),
            (&expected, noted.to_vec()),
            "{choice}"
        );
    };
    check(r#""none""#, ToolChoice::None, &[]);
    check(r#""required""#, ToolChoice::Required, &[]);
    check(
        r#"{"type":"allowed_tools","mode":"required","tools":[{"type":"function","name":"a"}]}"#,
        ToolChoice::Required,
        &["tool_choice.allowed_tools"],
    );
}

#[test]
fn images_come_as_data_or_by_address() {
    let chat = request("image");

    let [Part::Text(_), Part::Media(data), Part::Media(url)] = chat.turns[0].parts.as_slice() else {
        panic!("{:?}", chat.turns);
    };
    assert!(matches!(&data.source, Source::Base64(data) if data.starts_with("iVBORw0KGgo")));
    assert_eq!(
        (data.media_type.as_deref(), data.detail.as_deref()),
        (Some("image/png"), Some("low"))
    );
    assert_eq!(url.source, Source::Url("https://example.com/cat.jpg".into()));
    assert_eq!((url.kind, url.media_type.as_deref()), (MediaKind::Image, None));
}

#[test]
fn documents_come_in_four_ways() {
    let chat = request("document");
    let Part::Media(document) = &chat.turns[0].parts[0] else {
        panic!("{:?}", chat.turns);
    };
    assert_eq!(document.kind, MediaKind::Document);
    assert_eq!(
        (document.media_type.as_deref(), document.name.as_deref()),
        (Some("application/pdf"), Some("report.pdf"))
    );
    assert!(matches!(&document.source, Source::Base64(data) if data.starts_with("JVBERi0")));

    let check = |part: &str, source: Source, media_type: Option<&str>| {
        let body = format!(r#"{{"model":"m","input":[{{"role":"user","content":[{{"type":"input_file",{part}}}]}}]}}"#);
        let chat = read(&body).expect(part);
        let [Part::Media(media)] = chat.turns[0].parts.as_slice() else {
            panic!("{part}");
        };
        assert_eq!(
            (&media.source, media.media_type.as_deref()),
            (&source, media_type),
            "{part}"
        );
    };
    check(r#""file_id":"file-1""#, Source::File("file-1".into()), None);
    check(
        r#""file_url":"https://e.org/a""#,
        Source::Url("https://e.org/a".into()),
        None,
    );
    check(
        r#""file_data":"QUJD","filename":"A.CSV""#,
        Source::Base64("QUJD".into()),
        Some("text/csv"),
    );
    check(
        r#""file_data":"QUJD""#,
        Source::Base64("QUJD".into()),
        Some("application/pdf"),
    );
}

#[test]
fn sound_is_read() {
    let chat = read(
        r#"{"model":"m","input":[{"role":"user","content":[{"type":"input_audio","input_audio":{"data":"QUJD","format":"mp3"}}]}]}"#,
    )
    .expect("a request");

    let Part::Media(media) = &chat.turns[0].parts[0] else {
        panic!("{:?}", chat.turns);
    };
    assert_eq!(
        (media.kind, media.media_type.as_deref()),
        (MediaKind::Audio, Some("audio/mpeg"))
    );
}

#[test]
fn instructions_stand_before_system_messages() {
    let chat = request("system");

    let texts: Vec<&str> = chat.instructions.iter().map(|text| &*text.text).collect();
    assert_eq!(
        texts,
        ["You are a librarian.", "You are terse.", "Speak Latin from here on."]
    );
    let roles: Vec<Role> = chat.turns.iter().map(|turn| turn.role).collect();
    assert_eq!(roles, [Role::User, Role::Assistant, Role::User]);
}

#[test]
fn a_format_is_read_and_verbosity_noted() {
    let chat = request("structured");

    let Format::Schema(schema) = &chat.format else {
        panic!("{:?}", chat.format);
    };
    assert_eq!(
        (&*schema.name, schema.description.as_deref(), schema.strict),
        ("city", Some("A city"), Some(true))
    );
    assert!(schema.schema.text().starts_with('{'));
    assert_eq!(unheld(&chat), ["text.verbosity"]);
    let json = read(r#"{"model":"m","input":"x","text":{"format":{"type":"json_object"}}}"#).expect("a request");
    assert_eq!(json.format, Format::Json);
}

#[test]
fn thinking_comes_back_with_its_seal() {
    let chat = request("reasoning");

    assert_eq!(
        chat.turns[1].parts,
        [
            Part::Thinking(Thinking {
                text: "**Trying factors**\n\n91 is 7 times 13.\n\n**Answering**\n\nSo it is not.".into(),
                signature: signature(Maker::Openai, "gAAAAABnT2penai=="),
            }),
            Part::text("No: 7 × 13."),
        ]
    );
    let wanted = Reasoning {
        amount: Amount::Effort(Effort::High),
        shown: Some(true),
    };
    assert_eq!(chat.reasoning, Some(wanted));
}

#[test]
fn efforts_are_read() {
    let check = |reasoning: &str, expected: Option<(Amount, Option<bool>)>| {
        let chat = read(&format!(r#"{{"model":"m","input":"x","reasoning":{reasoning}}}"#)).expect(reasoning);
        let read = chat.reasoning.map(|reasoning| (reasoning.amount, reasoning.shown));
        assert_eq!(read, expected, "{reasoning}");
    };

    check(r#"{"effort":"none"}"#, Some((Amount::Off, None)));
    check(r#"{"effort":"xhigh"}"#, Some((Amount::Effort(Effort::Most), None)));
    check(
        r#"{"effort":null,"summary":"detailed"}"#,
        Some((Amount::Adaptive, Some(true))),
    );
    check(r#"{"effort":null,"summary":null}"#, None);
    check("{}", None);
}

#[test]
fn cache_marks_are_read_and_cache_keys_noted() {
    let chat = request("cached");

    let [Part::Text(marked), Part::Text(plain)] = chat.turns[0].parts.as_slice() else {
        panic!("{:?}", chat.turns);
    };
    assert_eq!((marked.cache, plain.cache), (Some(CacheMark::OneHour), None));
    assert_eq!(unheld(&chat), ["prompt_cache_key", "prompt_cache_retention"]);
}

#[test]
fn what_has_no_place_is_noted_once() {
    let chat = read(
        r#"{"model":"m","metadata":{"a":"b"},"truncation":"auto","service_tier":"flex","include":["a","b"],
            "reasoning":{"effort":"low","mode":"pro"},"stream_options":{"include_obfuscation":true},"max_tool_calls":3,
            "input":[{"role":"assistant","content":"a","phase":"commentary"},{"role":"assistant","content":"b","phase":"final_answer"},
            {"role":"user","content":[{"type":"input_text","text":"c","x":1}]}],
            "tools":[{"type":"function","name":"f","defer_loading":true}],"safety_identifier":"s","user":"u"}"#,
    )
    .expect("a request");

    assert_eq!(
        unheld(&chat),
        [
            "metadata",
            "truncation",
            "service_tier",
            "include",
            "reasoning.mode",
            "stream_options.include_obfuscation",
            "max_tool_calls",
            "input.phase",
            "input.content.x",
            "tools.defer_loading",
            "user",
        ]
    );
    assert_eq!(chat.user.as_deref(), Some("s"));
}

#[test]
fn what_says_nothing_is_not_noted() {
    let chat = read(
        r#"{"model":"m","input":"x","truncation":"disabled","service_tier":"auto","background":false,"store":true,
            "include":["reasoning.encrypted_content"],"previous_response_id":null,"conversation":null,"user":"u"}"#,
    )
    .expect("a request");

    assert_eq!((unheld(&chat), chat.user.as_deref()), (vec![], Some("u")));
}

#[test]
fn log_probabilities_are_asked_for_in_two_ways() {
    let check = |members: &str, expected: Option<u64>| {
        let chat = read(&format!(r#"{{"model":"m","input":"x"{members}}}"#)).expect(members);
        assert_eq!(chat.sampling.top_logprobs, expected, "{members}");
    };

    check("", None);
    check(r#","top_logprobs":0"#, None);
    check(r#","top_logprobs":3"#, Some(3));
    check(r#","include":["message.output_text.logprobs"]"#, Some(0));
    check(
        r#","include":["message.output_text.logprobs"],"top_logprobs":5"#,
        Some(5),
    );
}

#[test]
fn bad_requests_say_where_and_what() {
    let check = |body: &str, param: Option<&str>, words: &str| {
        let error = read(body).expect_err(body);
        assert_eq!(error.param.as_deref(), param, "{body}: {error}");
        assert!(error.message.contains(words), "{body}: {error}");
    };
    let with = |members: &str| format!(r#"{{"model":"m","input":"x",{members}}}"#);
    let item = |item: &str| format!(r#"{{"model":"m","input":[{item}]}}"#);
    let content = |part: &str| item(&format!(r#"{{"role":"user","content":[{part}]}}"#));

    check("", None, "empty");
    check(r#"{"input":"x"}"#, Some("model"), "missing");
    check(r#"{"model":"m"}"#, Some("input"), "missing");
    check(r#"{"model":"m","input":""}"#, Some("input"), "nothing to answer");
    check(r#"{"model":"m","input":[]}"#, Some("input"), "nothing to answer");
    check(r#"{"model":"m","input":{}}"#, Some("input"), "a string or an array");
    check(
        &with(r#""previous_response_id":"resp_1""#),
        Some("previous_response_id"),
        "cannot be resolved here",
    );
    check(
        &with(r#""conversation":{"id":"conv_1"}"#),
        Some("conversation"),
        "cannot be resolved here",
    );
    check(&with(r#""background":true"#), Some("background"), "not possible");
    check(&with(r#""prompt":{"id":"pmpt_1"}"#), Some("prompt"), "OpenAI only");
    check(
        &with(r#""moderation":{"model":"omni"}"#),
        Some("moderation"),
        "OpenAI only",
    );
    check(
        &with(r#""prompt_cache_options":{"prewarm":true}"#),
        Some("prompt_cache_options.prewarm"),
        "no answer",
    );
    check(&with(r#""temperature":"hot""#), Some("temperature"), "must be a number");
    check(
        &with(r#""max_output_tokens":-1"#),
        Some("max_output_tokens"),
        "not negative",
    );
    check(
        &with(r#""reasoning":{"effort":"huge"}"#),
        Some("reasoning.effort"),
        "xhigh",
    );
    check(
        &with(r#""text":{"format":{"type":"grammar"}}"#),
        Some("text.format"),
        "grammar",
    );
    check(
        &with(r#""text":{"format":{"type":"json_schema","name":"n"}}"#),
        Some("text.format.schema"),
        "missing",
    );
    check(&with(r#""tool_choice":{"type":"mcp"}"#), Some("tool_choice"), "'mcp'");
    check(&with(r#""tool_choice":"any""#), Some("tool_choice"), "required");
    check(
        &with(r#""tools":[{"type":"function"}]"#),
        Some("tools[0].name"),
        "missing",
    );
    for tool in [
        "file_search",
        "mcp",
        "shell",
        "apply_patch",
        "code_interpreter",
        "image_generation",
        "computer_use_preview",
        "local_shell",
    ] {
        let body = with(&format!(
            r#""tools":[{{"type":"function","name":"f"}},{{"type":"{tool}","name":"n"}}]"#
        ));
        check(&body, Some("tools[1]"), &format!("'{tool}'"));
    }
    check(
        &item(r#"{"type":"item_reference","id":"msg_1"}"#),
        Some("input[0]"),
        "send the item itself",
    );
    check(
        &item(r#"{"type":"web_search_call","id":"ws_1"}"#),
        Some("input[0]"),
        "'web_search_call'",
    );
    check(&item(r#"{"id":"msg_1"}"#), Some("input[0].type"), "missing");
    check(&item("7"), Some("input[0]"), "an object");
    check(
        &item(r#"{"role":"critic","content":"x"}"#),
        Some("input[0].role"),
        "'critic'",
    );
    check(&item(r#"{"role":"user"}"#), Some("input[0].content"), "missing");
    check(
        &item(r#"{"type":"function_call","name":"f","arguments":"{}"}"#),
        Some("input[0].call_id"),
        "missing",
    );
    check(
        &item(r#"{"type":"function_call_output","call_id":"c"}"#),
        Some("input[0].output"),
        "missing",
    );
    check(
        &content(r#"{"type":"input_video"}"#),
        Some("input[0].content[0]"),
        "'input_video'",
    );
    check(
        &content(r#"{"type":"input_text"}"#),
        Some("input[0].content[0].text"),
        "missing",
    );
    check(
        &content(r#"{"type":"refusal","refusal":"no"}"#),
        Some("input[0].content[0]"),
        "only assistants",
    );
    check(
        &content(r#"{"type":"input_image","image_url":"data:image/png,x"}"#),
        Some("input[0].content[0]"),
        "base64",
    );
    check(
        &content(r#"{"type":"input_audio","input_audio":{"data":"x","format":"ogg"}}"#),
        Some("input[0].content[0].input_audio.format"),
        "mp3 or wav",
    );
    let image = r#"[{"type":"input_image","image_url":"https://e.org/a.png"}]"#;
    check(
        &item(&format!(r#"{{"role":"system","content":{image}}}"#)),
        Some("input[0].content[0]"),
        "must be text",
    );
    check(
        &item(&format!(r#"{{"role":"assistant","content":{image}}}"#)),
        Some("input[0].content[0]"),
        "text or a refusal",
    );
}

#[test]
fn the_signature_of_a_call_is_found_on_either_side() {
    let sealed = r#"{"type":"reasoning","id":"rs","summary":[],"encrypted_content":"google-gemini-v1:abc"}"#;
    let called = |id: &str| format!(r#"{{"type":"function_call","call_id":"{id}","name":"f","arguments":"{{}}"}}"#);
    let signed = |id: &str| {
        let mut call = call(id, "f", "{}");
        call.signature = signature(Maker::Gemini, "abc");
        Part::ToolCall(call)
    };
    let plain = |id: &str| Part::ToolCall(call(id, "f", "{}"));
    let alone = || {
        Part::Thinking(Thinking {
            text: "".into(),
            signature: signature(Maker::Gemini, "abc"),
        })
    };
    let check = |items: &[&str], expected: &[Part]| {
        let body = format!(r#"{{"model":"m","input":[{}]}}"#, items.join(","));
        let chat = read(&body).expect("a request");
        assert_eq!(chat.turns, [assistant(expected.to_vec())], "{items:?}");
    };
    let (a, b) = (&*called("a"), &*called("b"));

    check(&[sealed, a], &[signed("a")]);
    check(&[a, sealed], &[signed("a")]);
    check(&[sealed, a, b], &[signed("a"), plain("b")]);
    check(&[a, sealed, b], &[signed("a"), plain("b")]);
    check(&[sealed, a, sealed, b], &[signed("a"), signed("b")]);
    check(&[sealed], &[alone()]);
    let said = r#"{"role":"assistant","content":"x"}"#;
    check(&[sealed, said, a], &[alone(), Part::text("x"), plain("a")]);
    // Another maker's seal is thinking, wherever it stands.
    let other = r#"{"type":"reasoning","summary":[],"encrypted_content":"gAAAA"}"#;
    let thinking = Part::Thinking(Thinking {
        text: "".into(),
        signature: signature(Maker::Openai, "gAAAA"),
    });
    check(&[a, other, b], &[plain("a"), thinking, plain("b")]);
}

#[test]
fn links_are_read_apart_from_the_rest() {
    let check = |body: &str, previous: Option<&str>, conversation: Option<&str>, store: bool| {
        let expected = Links {
            previous: previous.map(Into::into),
            conversation: conversation.map(Into::into),
            store,
            background: false,
        };
        assert_eq!(links(body.as_bytes()), Ok(expected), "{body}");
    };

    check(r#"{"model":"m","input":"x"}"#, None, None, true);
    check(
        r#"{"previous_response_id":"resp_1","store":false}"#,
        Some("resp_1"),
        None,
        false,
    );
    check(r#"{"conversation":"conv_1","store":null}"#, None, Some("conv_1"), true);
    check(r#"{"conversation":{"id":"conv_1"}}"#, None, Some("conv_1"), true);

    assert!(links(br#"{"background":true}"#).expect("a request").background);

    let param = |body: &str| {
        links(body.as_bytes())
            .expect_err(body)
            .param
            .map(std::borrow::Cow::into_owned)
    };
    assert_eq!(param(r#"{"store":"yes"}"#).as_deref(), Some("store"));
    assert_eq!(param(r#"{"conversation":{}}"#).as_deref(), Some("conversation.id"));
    assert_eq!(
        param(r#"{"conversation":"c","previous_response_id":"r"}"#).as_deref(),
        Some("previous_response_id")
    );
    assert_eq!(response_id("req_0198c2"), "resp_0198c2");
}
