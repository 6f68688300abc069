//! What callers ask, as it is read from the fixtures, and what is refused.

use std::borrow::Cow;

use gatewright_llm::chat::{
    Amount, Effort, Format, Json, MediaKind, Part, Reasoning, Role, Source, Text, Tool, ToolChoice,
};
use gatewright_llm::dialect::gemini::{self, Gemini};
use gatewright_llm::dialect::{Inbound, PathFacts};

use crate::{call, fixture, own_signature, path, read, result, sealed, thought, turn};

fn refused(body: &str) -> (Option<String>, String) {
    let error = Gemini.read_request(body.as_bytes(), path(false)).expect_err(body);
    (error.param.map(Cow::into_owned), error.message)
}

#[test]
fn a_plain_request_is_read() {
    let chat = read("basic");

    let sampling = &chat.sampling;
    assert_eq!((&*chat.model, chat.stream), ("house-model", false));
    assert_eq!(
        chat.turns,
        [turn(Role::User, [Part::text("What is the capital of France?")])]
    );
    assert_eq!((sampling.max_tokens, sampling.top_k), (Some(256), Some(40)));
    assert_eq!((sampling.seed, sampling.choices), (Some(7), Some(1)));
    let numbers = [
        &sampling.temperature,
        &sampling.top_p,
        &sampling.presence_penalty,
        &sampling.frequency_penalty,
    ];
    let numbers = numbers.map(|number| number.as_ref().map(ToString::to_string).unwrap_or_default());
    assert_eq!(numbers, ["0.2", "0.9", "0.5", "-0.5"]);
    assert_eq!(*sampling.stop, [Box::from("END")]);
    assert_eq!(chat.unheld, [Box::from("safetySettings")]);
}

#[test]
fn pieces_of_the_models_text_are_joined() {
    let body = fixture("requests/stream.json");
    let chat = Gemini.read_request(&body, path(true)).expect("a request");

    assert!(chat.stream);
    let expected = [
        turn(Role::User, [Part::text("Count to three.")]),
        turn(Role::Assistant, [Part::text("One, two, three.")]),
        turn(Role::User, [Part::text("Now backwards.")]),
    ];
    assert_eq!(chat.turns, expected);
}

#[test]
fn calls_without_identifiers_find_their_results() {
    let chat = read("tools");

    let asked = [
        Part::text("Let me look."),
        call("call_0", "get_weather", r#"{"city":"Paris"}"#, Some(own_signature())),
        call("call_1", "get_weather", r#"{"city":"Rome"}"#, None),
    ];
    let answered = [
        result("call_0", "get_weather", "18 °C, dry", false),
        result("call_1", "get_weather", "no data", true),
    ];
    assert_eq!(
        chat.turns[1..],
        [turn(Role::Assistant, asked), turn(Role::User, answered)]
    );
}

#[test]
fn functions_are_read_in_both_forms() {
    let chat = read("parallel-tools");

    let tool = |name: &str, description: &str, schema: &str| Tool {
        name: name.into(),
        description: Some(description.into()),
        parameters: Json::parse(schema),
        strict: None,
        cache: None,
    };
    let weather = r#"{"type":"object","properties":{"city":{"type":"string"},"days":{"type":"integer"}},"required":["city"],"additionalProperties":false}"#;
    let time = r#"{"type":"object","properties":{"city":{"type":["string","null"]}}}"#;
    assert_eq!(
        chat.tools,
        [
            tool("get_weather", "The weather at a place.", weather),
            tool("get_time", "The time at a place.", time),
        ]
    );
    assert_eq!(chat.tool_choice, ToolChoice::Auto);
    assert_eq!(read("forced-tool").tool_choice, ToolChoice::Named("get_weather".into()));
}

#[test]
fn images_and_documents_are_read() {
    let image = read("image");
    let document = read("document");

    let [_, Part::Media(inline), Part::Media(linked)] = &image.turns[0].parts[..] else {
        panic!("{image:?}");
    };
    assert_eq!(
        (inline.kind, inline.media_type.as_deref()),
        (MediaKind::Image, Some("image/png"))
    );
    assert_eq!(
        (linked.kind, &linked.source),
        (
            MediaKind::Image,
            &Source::Url("https://images.example.com/cat.jpg".into())
        )
    );
    assert_eq!(image.unheld, [Box::from("contents.parts.mediaResolution")]);
    let Part::Media(pdf) = &document.turns[0].parts[0] else {
        panic!("{document:?}");
    };
    assert_eq!(
        (pdf.kind, pdf.name.as_deref()),
        (MediaKind::Document, Some("report.pdf"))
    );
    // Google's SDK sends the other alphabet of base64, which no other provider takes.
    assert!(
        matches!(&pdf.source, Source::Base64(data) if data.ends_with("Uj4+Cg==")),
        "{pdf:?}"
    );
}

#[test]
fn instructions_and_schemas_and_thinking_are_read() {
    assert_eq!(
        read("system").instructions,
        ["You are a pirate.", "Keep it short."].map(Text::new)
    );
    let Format::Schema(schema) = read("structured").format else {
        panic!("no schema");
    };
    let expected = r#"{"type":"object","title":"Recipe","required":["name","steps"],"properties":{"name":{"type":"string"},"steps":{"type":"array","items":{"type":"string"},"minItems":1}}}"#;
    assert_eq!((&*schema.name, schema.schema.text()), ("response", expected));
    let chat = read("reasoning");
    assert_eq!(
        chat.reasoning,
        Some(Reasoning {
            amount: Amount::Budget(2048),
            shown: Some(true)
        })
    );
    assert_eq!(
        chat.turns[1].parts,
        [
            thought("I multiply 17 by 20 and by 3."),
            sealed(own_signature()),
            Part::text("391")
        ]
    );
    assert_eq!(
        chat.turns[4].parts,
        [result("fc-1", "get_weather", r#"{"degrees":12}"#, false)]
    );
    assert_eq!(read("cached").unheld, [Box::from("labels")]);
}

#[test]
fn amounts_of_thinking_are_told_in_tokens_and_in_words() {
    let check = |config: &str, expected: Option<(Amount, Option<bool>)>| {
        let body = format!(
            r#"{{"contents":[{{"parts":[{{"text":"x"}}]}}],"generation_config":{{"thinking_config":{config}}}}}"#
        );
        let chat = Gemini.read_request(body.as_bytes(), path(false)).expect(config);
        let expected = expected.map(|(amount, shown)| Reasoning { amount, shown });
        assert_eq!(chat.reasoning, expected, "{config}");
    };

    check(r#"{"thinking_budget":-1}"#, Some((Amount::Adaptive, None)));
    check(r#"{"thinkingBudget":0}"#, Some((Amount::Off, None)));
    check(r#"{"thinkingLevel":"LOW"}"#, Some((Amount::Effort(Effort::Low), None)));
    check(r#"{"includeThoughts":true}"#, Some((Amount::Adaptive, Some(true))));
    check("{}", None);
}

#[test]
fn what_only_google_can_do_is_refused_by_name() {
    let contents = r#""contents":[{"parts":[{"text":"x"}]}]"#;
    let check = |members: &str, param: &str| {
        let (told, message) = refused(&format!("{{{contents},{members}}}"));
        assert_eq!(told.as_deref(), Some(param), "{message}");
        assert!(message.starts_with(&format!("'{param}' ")), "{message}");
    };

    check(r#""tools":[{"google_search":{}}]"#, "tools[0].google_search");
    check(r#""tools":[{"codeExecution":{}}]"#, "tools[0].codeExecution");
    check(r#""cachedContent":"cachedContents/x""#, "cachedContent");
    check(
        r#""generationConfig":{"responseModalities":["TEXT","IMAGE"]}"#,
        "generationConfig.responseModalities[1]",
    );
    check(
        r#""generationConfig":{"responseMimeType":"text/x.enum"}"#,
        "generationConfig.responseMimeType",
    );
    check(
        r#""generationConfig":{"thinkingConfig":{"thinkingBudget":5,"thinkingLevel":"LOW"}}"#,
        "generationConfig.thinkingConfig",
    );
    check(
        r#""toolConfig":{"functionCallingConfig":{"mode":"SOMETIMES"}}"#,
        "toolConfig.functionCallingConfig.mode",
    );
}

#[test]
fn mistakes_are_told_with_their_place() {
    let check = |contents: &str, param: &str| {
        let (told, message) = refused(&format!(r#"{{"contents":{contents}}}"#));
        assert_eq!(told.as_deref(), Some(param), "{message}");
    };

    check(r#"{"parts":[{"text":"x"}]}"#, "contents");
    check("[]", "contents");
    check(r#"[{"role":"system","parts":[{"text":"x"}]}]"#, "contents[0].role");
    check(r#"[{"role":"user"}]"#, "contents[0].parts");
    check(r#"[{"parts":[{}]}]"#, "contents[0].parts[0]");
    check(r#"[{"parts":[{"text":7}]}]"#, "contents[0].parts[0].text");
    check(
        r#"[{"parts":[{"inlineData":{"data":"Zg=="}}]}]"#,
        "contents[0].parts[0].inlineData.mimeType",
    );
    check(r#"[{"parts":[{"functionCall":{"name":"f"}}]}]"#, "contents[0].parts[0]");
    check(
        r#"[{"parts":[{"functionResponse":{"name":"f","response":{}}}]}]"#,
        "contents[0].parts[0]",
    );
    check(
        r#"[{"role":"model","parts":[{"executableCode":{}}]}]"#,
        "contents[0].parts[0].executableCode",
    );
    let nameless = Gemini.read_request(&fixture("requests/basic.json"), PathFacts::default());
    assert_eq!(nameless.expect_err("no model").param.as_deref(), Some("model"));
}

#[test]
fn a_choice_of_several_functions_is_noted() {
    let body = r#"{"contents":[{"parts":[{"text":"x"}]}],
        "toolConfig":{"functionCallingConfig":{"mode":"ANY","allowedFunctionNames":["a","b"]}}}"#;

    let chat = Gemini.read_request(body.as_bytes(), path(false)).expect("a request");

    assert_eq!(chat.tool_choice, ToolChoice::Required);
    assert_eq!(
        chat.unheld,
        [Box::from("toolConfig.functionCallingConfig.allowedFunctionNames")]
    );
}

#[test]
fn tokens_are_counted_for_contents_and_for_whole_requests() {
    let whole = r#"{"generateContentRequest":{"model":"models/m","contents":[{"parts":[{"text":"x"}]}],
        "systemInstruction":"Be brief."}}"#;

    let alone = gemini::read_count_request(&fixture("requests/system.json"), path(false)).expect("contents");
    let wrapped = gemini::read_count_request(whole.as_bytes(), PathFacts::default()).expect("a request");

    assert_eq!(alone, read("system"));
    assert_eq!(
        (&*wrapped.model, &*wrapped.instructions),
        ("m", &[Text::new("Be brief.")][..])
    );
    assert_eq!(gemini::write_token_count(42), br#"{"totalTokens":42}"#);
}

#[test]
fn members_without_a_place_are_noted_by_name() {
    let check = |members: &str, name: &str| {
        let body = format!(r#"{{"contents":[{{"parts":[{{"text":"x"}}]}}],{members}}}"#);
        let chat = Gemini.read_request(body.as_bytes(), path(false)).expect(members);
        assert_eq!(chat.unheld, [Box::from(name)]);
    };

    check(r#""generationConfig":{"logprobs":3}"#, "generationConfig.logprobs");
    check(
        r#""generation_config":{"media_resolution":"x"}"#,
        "generationConfig.mediaResolution",
    );
    check(r#""toolConfig":{"retrievalConfig":{}}"#, "toolConfig.retrievalConfig");
    check(
        r#""toolConfig":{"functionCallingConfig":{"mode":"VALIDATED"}}"#,
        "toolConfig.functionCallingConfig.mode",
    );
    check(
        r#""tools":[{"functionDeclarations":[{"name":"f","response":{}}]}]"#,
        "tools.functionDeclarations.response",
    );
}

#[test]
fn files_that_only_google_can_read_are_told_from_addresses() {
    let check = |file: &str, kind: MediaKind, source: Source| {
        let body = format!(r#"{{"contents":[{{"parts":[{{"fileData":{file}}}]}}]}}"#);
        let chat = Gemini.read_request(body.as_bytes(), path(false)).expect(file);
        let Part::Media(media) = &chat.turns[0].parts[0] else {
            panic!("{chat:?}");
        };
        assert_eq!((media.kind, &media.source), (kind, &source));
    };

    let uploaded = "https://generativelanguage.googleapis.com/v1beta/files/abc";
    check(
        &format!(r#"{{"fileUri":"{uploaded}","mimeType":"audio/mp3"}}"#),
        MediaKind::Audio,
        Source::File(uploaded.into()),
    );
    check(
        r#"{"file_uri":"gs://bucket/film.mp4"}"#,
        MediaKind::Video,
        Source::File("gs://bucket/film.mp4".into()),
    );
    check(
        r#"{"fileUri":"https://a.example/x.pdf"}"#,
        MediaKind::Document,
        Source::Url("https://a.example/x.pdf".into()),
    );
}
