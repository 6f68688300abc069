//! Requests to Google: they say what was read, or tell what they do not.

use gatewright_llm::chat::{
    Amount, CacheMark, Chat, Effort, Maker, Media, MediaKind, Part, Reasoning, Role, Signature, Source, Thinking,
    ToolChoice, ToolResult,
};
use gatewright_llm::dialect::gemini::Gemini;
use gatewright_llm::dialect::{Inbound, Outbound, TargetFacts};

use crate::{SIGNATURE, call, path, read, result, turn};

fn write(chat: &Chat, model: &str) -> (serde_json::Value, String) {
    let target = TargetFacts {
        model,
        output_limit: None,
    };
    let written = Gemini.write_request(chat, target).expect("a request");
    let body = serde_json::from_slice(&written.body).expect("JSON");
    (body, written.dropped.to_string())
}

/// What Google's form says and a request written anew does not: what stands for the same, made the same.
fn comparable(mut chat: Chat) -> Chat {
    chat.unheld.clear();
    chat.sampling.choices = None;
    for part in chat.turns.iter_mut().flat_map(|turn| &mut turn.parts) {
        if let Part::Media(media) = part {
            media.name = None;
        }
    }
    for turn in &mut chat.turns {
        turn.parts.retain(|part| match part {
            Part::Thinking(thinking) => thinking.signature.is_some(),
            _ => true,
        });
    }
    chat
}

#[test]
fn a_request_written_and_read_again_is_the_same() {
    for case in [
        "basic",
        "stream",
        "tools",
        "parallel-tools",
        "forced-tool",
        "image",
        "document",
        "system",
        "structured",
        "reasoning",
        "cached",
    ] {
        let chat = read(case);
        let target = TargetFacts {
            model: "gemini-3.8-pro",
            output_limit: None,
        };

        let written = Gemini.write_request(&chat, target).expect(case);
        let again = Gemini.read_request(&written.body, path(false)).expect(case);

        assert_eq!(comparable(again), comparable(chat), "{case}");
    }
}

/// A conversation of another model: its thinking, its calls, results with a picture.
fn foreign() -> Chat {
    let foreign = Signature {
        maker: Maker::Anthropic,
        text: "EqoB".into(),
    };
    let picture = Part::Media(Media {
        kind: MediaKind::Image,
        source: Source::Base64("Zg==".into()),
        media_type: Some("image/png".into()),
        name: None,
        detail: Some("low".into()),
        cache: None,
    });
    let Part::ToolResult(mut shown) = result("toolu_1", "draw", "here", false) else {
        panic!("a result");
    };
    shown.name = None;
    shown.parts.push(picture);
    let asked = [
        Part::Thinking(Thinking {
            text: "Hm.".into(),
            signature: Some(foreign),
        }),
        call("toolu_1", "draw", "{}", None),
        call("toolu_2", "draw", "not JSON", None),
    ];
    Chat {
        turns: vec![
            turn(Role::User, [Part::text("Draw.")]),
            turn(Role::Assistant, asked),
            turn(
                Role::User,
                [Part::ToolResult(shown), result("toolu_2", "draw", "bad", true)],
            ),
        ],
        ..Chat::default()
    }
}

#[test]
fn a_history_of_another_model_passes_googles_check() {
    let chat = foreign();

    let (body, dropped) = write(&chat, "gemini-3.8-flash");

    let placeholder = "skip_thought_signature_validator";
    let inline = serde_json::json!({"inlineData": {"mimeType": "image/png", "data": "Zg=="}});
    let expected = serde_json::json!([
        {"role": "user", "parts": [{"text": "Draw."}]},
        {"role": "model", "parts": [
            {"functionCall": {"id": "toolu_1", "name": "draw", "args": {}}, "thoughtSignature": placeholder},
            {"functionCall": {"id": "toolu_2", "name": "draw", "args": {"_raw": "not JSON"}}},
        ]},
        {"role": "user", "parts": [
            {"functionResponse": {"id": "toolu_1", "name": "draw", "response": {"result": "here"}, "parts": [inline]}},
            {"functionResponse": {"id": "toolu_2", "name": "draw", "response": {"error": "bad"}}},
        ]},
    ]);
    assert_eq!(body["contents"], expected);
    assert_eq!(dropped, "image_url.detail");
}

#[test]
fn older_models_get_pictures_beside_results_and_no_placeholder() {
    let chat = foreign();

    let (body, _) = write(&chat, "gemini-2.5-flash");

    let result = &body["contents"][2]["parts"];
    assert!(
        body["contents"][1]["parts"][0].get("thoughtSignature").is_none(),
        "{body}"
    );
    assert!(result[0]["functionResponse"].get("parts").is_none(), "{body}");
    assert_eq!(result[1]["inlineData"]["mimeType"], "image/png");
    assert_eq!(result[2]["functionResponse"]["id"], "toolu_2");
}

#[test]
fn a_signature_stands_with_the_text_it_came_with() {
    let (body, _) = write(&read("reasoning"), "gemini-3.8-flash");

    let expected = serde_json::json!([{"text": "391", "thoughtSignature": SIGNATURE}]);
    assert_eq!(body["contents"][1]["parts"], expected);
    assert_eq!(body["contents"][3]["parts"][0]["thoughtSignature"], SIGNATURE);
}

#[test]
fn what_cannot_be_carried_over_is_told() {
    let mut chat = read("parallel-tools");
    chat.user = Some("someone".into());
    chat.parallel_tools = Some(false);
    chat.tools[0].strict = Some(true);
    chat.tools[0].cache = Some(CacheMark::FiveMinutes);
    chat.sampling.seed = Some(1 << 40);
    chat.reasoning = Some(Reasoning {
        amount: Amount::Effort(Effort::Most),
        shown: None,
    });

    let (body, dropped) = write(&chat, "gemini-3.8-flash");

    let expected = "user, parallel_tool_calls, tools.strict, cache_control, seed, reasoning_effort";
    assert_eq!(dropped, expected);
    let thinking = serde_json::json!({"thinkingConfig": {"thinkingBudget": 24_576, "includeThoughts": true}});
    assert_eq!(body["generationConfig"], thinking);
}

#[test]
fn what_would_change_the_meaning_is_not_written() {
    let check = |change: fn(&mut Chat), param: &str| {
        let mut chat = read("basic");
        change(&mut chat);
        let target = TargetFacts {
            model: "gemini-3.8-flash",
            output_limit: None,
        };
        let error = Gemini.write_request(&chat, target).expect_err(param);
        assert_eq!(error.param, param);
    };

    check(|chat| chat.sampling.choices = Some(2), "n");
    check(|chat| chat.sampling.top_logprobs = Some(0), "logprobs");
    check(|chat| chat.turns.clear(), "messages");
    check(
        |chat| {
            chat.turns[0].parts.push(Part::ToolResult(ToolResult {
                call: "of nobody".into(),
                name: None,
                parts: Vec::new(),
                failed: false,
                cache: None,
            }));
        },
        "messages",
    );
    check(
        |chat| {
            chat.turns[0].parts.push(Part::Media(Media {
                kind: MediaKind::Image,
                source: Source::Url("https://images.example.com/cat".into()),
                media_type: None,
                name: None,
                detail: None,
                cache: None,
            }));
        },
        "messages",
    );
}

#[test]
fn turns_between_which_nothing_is_left_become_one() {
    let hidden = Part::Thinking(Thinking {
        text: "Hm.".into(),
        signature: None,
    });
    let chat = Chat {
        turns: vec![
            turn(Role::User, [Part::text("One.")]),
            turn(Role::Assistant, [hidden]),
            turn(Role::User, [Part::text("Two.")]),
        ],
        ..Chat::default()
    };

    let (body, _) = write(&chat, "gemini-3.8-flash");

    let expected = serde_json::json!([{"role": "user", "parts": [{"text": "One."}, {"text": "Two."}]}]);
    assert_eq!(body["contents"], expected);
}

#[test]
fn choices_of_tools_have_googles_names() {
    let check = |choice: ToolChoice, expected: serde_json::Value| {
        let mut chat = read("parallel-tools");
        chat.tool_choice = choice;
        let (body, _) = write(&chat, "gemini-3.8-flash");
        assert_eq!(body["toolConfig"]["functionCallingConfig"], expected);
    };

    check(ToolChoice::Auto, serde_json::Value::Null);
    check(ToolChoice::None, serde_json::json!({"mode": "NONE"}));
    check(ToolChoice::Required, serde_json::json!({"mode": "ANY"}));
    let named = serde_json::json!({"mode": "ANY", "allowedFunctionNames": ["get_time"]});
    check(ToolChoice::Named("get_time".into()), named);
}
