use bytes::Bytes;
use proptest::prelude::*;

use super::*;
use crate::dialect::PathFacts;

pub(super) fn request(dialect: Dialect, members: &str) -> Request {
    let model = if dialect == Dialect::GeminiGenerate {
        ""
    } else {
        r#""model":"m","#
    };
    let body = format!("{{{model}{members}}}");
    let path = PathFacts {
        model: (dialect == Dialect::GeminiGenerate).then_some("m"),
        stream: false,
    };
    Request::parse(dialect, Bytes::from(body.clone()), path).expect(&body)
}

/// The capabilities, `reasoning` and the limit.
fn told(dialect: Dialect, members: &str) -> String {
    let needs = request(dialect, members).needs();
    let mut told: Vec<_> = needs.capabilities.iter().map(|one| one.as_str().to_owned()).collect();
    told.extend(needs.reasoning.then(|| "thinking".to_owned()));
    told.extend(needs.max_tokens.map(|limit| limit.to_string()));
    told.join(" ")
}

#[test]
fn chat_completions_say_what_they_need() {
    let check = |members: &str, expected: &str| assert_eq!(told(Dialect::OpenaiChat, members), expected, "{members}");
    let said =
        |part: &str| format!(r#""messages":[{{"role":"user","content":[{{"type":"text","text":"a"}},{part}]}}]"#);
    let plain = r#""messages":[{"role":"user","content":"hi"}]"#;

    check(plain, "");
    check(
        &format!(r#"{plain},"tools":[{{"type":"function"}}],"max_tokens":7"#),
        "tools 7",
    );
    check(
        &format!(r#"{plain},"tools":[ ],"functions":null,"tool_choice":"none""#),
        "",
    );
    check(
        &format!(r#"{plain},"functions":[{{"name":"f"}}],"max_completion_tokens":9"#),
        "tools 9",
    );
    check(
        &format!(r#"{plain},"response_format":{{"type":"json_schema","json_schema":{{}}}}"#),
        "structured_output",
    );
    check(&format!(r#"{plain},"response_format":{{"type":"json_object"}}"#), "");
    check(&format!(r#"{plain},"reasoning_effort":"low""#), "thinking");
    check(&format!(r#"{plain},"reasoning_effort":"none","max_tokens":null"#), "");
    check(&format!(r#"{plain},"modalities":["text","audio"]"#), "audio_output");
    check(
        &said(r#"{"type":"image_url","image_url":{"url":"data:image/png;base64,aa"}}"#),
        "vision",
    );
    check(
        &said(r#"{"input_audio":{"data":"aa"},"type":"input_audio"}"#),
        "audio_input",
    );
    check(&said(r#"{"type":"file","file":{"file_id":"f"}}"#), "documents");
    check(
        &said(r#"{"type":"text","text":"\"image_url\" and \"file\", {\"type\":\"file\"}"}"#),
        "",
    );
}

#[test]
fn responses_say_what_they_need() {
    let check =
        |members: &str, expected: &str| assert_eq!(told(Dialect::OpenaiResponses, members), expected, "{members}");

    check(
        r#""input":"hi","max_output_tokens":5,"reasoning":{"effort":"high"}"#,
        "thinking 5",
    );
    check(
        r#""input":"hi","text":{"format":{"type":"json_schema"}},"tools":[{"type":"custom"}]"#,
        "tools structured_output",
    );
    check(
        r#""input":"hi","text":{"format":{"type":"text"}},"reasoning":{"effort":"none"}"#,
        "",
    );
    check(
        r#""input":[{"role":"user","content":[{"type":"input_image","image_url":"https://a.example"}]}]"#,
        "vision",
    );
    check(
        r#""input":[{"type":"function_call_output","output":[{"type":"input_file","file_id":"f"}]}]"#,
        "documents",
    );
}

#[test]
fn messages_say_what_they_need() {
    let check =
        |members: &str, expected: &str| assert_eq!(told(Dialect::AnthropicMessages, members), expected, "{members}");
    let said = |part: &str| format!(r#""messages":[{{"role":"user","content":[{part}]}}],"max_tokens":1"#);

    check(&said(r#"{"type":"text","text":"hi"}"#), "1");
    check(
        &said(r#"{"type":"image","source":{"type":"url","url":"https://a.example"}}"#),
        "vision 1",
    );
    check(
        &said(r#"{"type":"document","source":{"type":"base64","data":"aa"}}"#),
        "documents 1",
    );
    check(&said(r#"{"type":"document","source":{"type":"text","data":"a"}}"#), "1");
    check(
        &said(r#"{"type":"tool_result","content":[{"type":"image","source":{}}]}"#),
        "vision 1",
    );
    check(
        &said(r#"{"type":"tool_use","input":{"type":"image","a":{"type":"document"}}}"#),
        "1",
    );
    check(
        &format!(
            r#"{},"thinking":{{"type":"adaptive"}},"output_config":{{"format":{{"type":"json_schema"}}}}"#,
            said("1")
        ),
        "structured_output thinking 1",
    );
    check(
        &format!(r#"{},"thinking":{{"type":"disabled"}},"tools":[1]"#, said("1")),
        "tools 1",
    );
}

#[test]
fn geminis_requests_say_what_they_need() {
    let check =
        |members: &str, expected: &str| assert_eq!(told(Dialect::GeminiGenerate, members), expected, "{members}");
    let said = |part: &str| format!(r#""contents":[{{"parts":[{part}]}}]"#);

    check(&said(r#"{"text":"inlineData"}"#), "");
    check(
        &said(r#"{"inlineData":{"mimeType":"image/png","data":"aa"}}"#),
        "vision",
    );
    check(
        &said(r#"{"inline_data":{"mime_type":"audio/wav","data":"aa"}}"#),
        "audio_input",
    );
    check(
        &said(r#"{"fileData":{"mimeType":"application/pdf","fileUri":"gs://a"}}"#),
        "documents",
    );
    check(&said(r#"{"fileData":{"fileUri":"https://youtu.be/a"}}"#), "video_input");
    check(
        &said(r#"{"functionCall":{"name":"f","args":{"inlineData":{"mimeType":"image/png"}}}}"#),
        "",
    );
    check(
        &format!(
            r#"{},"tools":[{{"functionDeclarations":[]}}],"generationConfig":{{"responseSchema":{{}},"maxOutputTokens":3,
            "thinkingConfig":{{"thinkingBudget":0}},"responseModalities":["AUDIO"]}}"#,
            said("{}")
        ),
        "tools structured_output audio_output 3",
    );
}

#[test]
fn what_a_model_lacks_is_named() {
    let request = request(
        Dialect::OpenaiChat,
        r#""messages":[{"content":[{"type":"image_url"}]}],"tools":[1]"#,
    );
    let mut there = Capabilities::default();
    there.set(Capability::Tools, true);

    assert_eq!(request.needs().lacking(there).collect::<Vec<_>>(), [Capability::Vision]);
}

#[test]
fn the_size_is_told_as_far_as_it_is_known() {
    let sizes = |dialect, members: &str| {
        let request = request(dialect, members);
        let needs = request.needs();
        (
            needs.input_tokens_at_most(),
            needs.input_tokens(),
            request.body_len() as u64,
        )
    };

    let (at_most, about, length) = sizes(Dialect::OpenaiChat, r#""messages":[{"role":"user","content":"hello"}]"#);
    assert_eq!((at_most, about), (Some(length), length.div_ceil(4)));

    let picture = format!(
        r#"{{"type":"image","source":{{"type":"base64","data":"{}"}}}}"#,
        "a".repeat(100_000)
    );
    let members = format!(r#""messages":[{{"role":"user","content":[{picture}]}}]"#);
    let (at_most, about, length) = sizes(Dialect::AnthropicMessages, &members);
    assert_eq!(
        (at_most, about),
        (None, (length - picture.len() as u64).div_ceil(4) + 258)
    );

    let (at_most, ..) = sizes(
        Dialect::OpenaiResponses,
        r#""input":"a","previous_response_id":"resp_1""#,
    );
    assert_eq!(at_most, None);
}

#[test]
fn a_conversation_that_was_found_again_is_part_of_the_size() {
    let request = request(
        Dialect::OpenaiResponses,
        r#""input":"a","previous_response_id":"resp_1""#,
    );
    let whole = request.continuing([]).expect("a request");

    assert_eq!(whole.needs().input_tokens_at_most(), Some(whole.body_len() as u64));
}

proptest! {
    #[test]
    fn texts_never_need_more_than_a_model_of_texts_has(text: String) {
        let text = serde_json::to_string(&text).expect("JSON");
        for (dialect, members) in [
            (Dialect::OpenaiChat, format!(r#""messages":[{{"role":"user","content":{text}}}]"#)),
            (Dialect::AnthropicMessages, format!(r#""messages":[{{"role":"user","content":[{{"type":"text","text":{text}}}]}}]"#)),
            (Dialect::OpenaiResponses, format!(r#""input":{text}"#)),
            (Dialect::GeminiGenerate, format!(r#""contents":[{{"parts":[{{"text":{text}}}]}}]"#)),
        ] {
            let request = request(dialect, &members);
            let needs = request.needs();
            prop_assert_eq!(needs.capabilities, Capabilities::default());
            let counted = crate::count_request("gpt-4o", request.body());
            prop_assert!(needs.input_tokens_at_most().is_some_and(|at_most| counted <= at_most));
        }
    }
}
