//! Providers get what they take, under their names, and nothing they refuse.

use gatewright_llm::chat::{Amount, Chat, Media, MediaKind, Part, Reasoning, Source, ToolChoice};
use gatewright_llm::dialect::Outbound;
use gatewright_llm::dialect::openai_chat::vendors::{VENDORS, vendor};
use gatewright_llm::dialect::openai_chat::{OpenaiChatTo, Quirks};
use serde_json::{Value, json};

use crate::{TARGET, fixture, names, read, request, written};

#[test]
fn every_request_is_understood_again_by_who_takes_all_of_it() {
    let openrouter = vendor("openrouter").expect("a row").quirks;
    for name in names("requests") {
        let chat = read(&fixture(&name));

        let written = OpenaiChatTo(openrouter).write_request(&chat, TARGET).expect(&name);
        let again = read(&written.body);

        let mut expected = chat.clone();
        expected.model = "their-model".into();
        expected.unheld.clear();
        expected.sampling.choices = None;
        assert_eq!(again, expected, "{name}");
        let dropped: Vec<_> = written.dropped.iter().map(Box::from).collect();
        assert_eq!(dropped, chat.unheld, "{name}");
    }
}

#[test]
fn openai_gets_a_request_under_the_names_it_knows() {
    let (basic, dropped) = written(Quirks::OPENAI, &request("basic"));
    let (tools, _) = written(Quirks::OPENAI, &request("tools"));
    let (system, _) = written(Quirks::OPENAI, &request("system"));
    let (reasoning, _) = written(Quirks::OPENAI, &request("reasoning"));
    let (stream, _) = written(Quirks::OPENAI, &request("stream"));
    let (_, cached) = written(Quirks::OPENAI, &request("cached"));

    assert_eq!(
        (&basic["max_completion_tokens"], &basic["max_tokens"]),
        (&json!(64), &Value::Null)
    );
    assert_eq!(
        (&basic["model"], &basic["seed"], &basic["user"]),
        (&json!("their-model"), &json!(7), &json!("u-1"))
    );
    assert_eq!(dropped, "metadata, store, logit_bias");
    assert_eq!(cached, "prompt_cache_key, cache_control");
    let messages = tools["messages"].as_array().expect("messages");
    let roles: Vec<_> = messages
        .iter()
        .map(|message| message["role"].as_str().expect("a role"))
        .collect();
    assert_eq!(roles, ["user", "assistant", "tool", "tool", "user"]);
    // Null, not absent: some servers insist on it.
    assert_eq!(messages[1].get("content"), Some(&Value::Null));
    assert_eq!(
        messages[3],
        json!({ "role": "tool", "tool_call_id": "call_b2", "content": "{\"celsius\":19}" })
    );
    assert_eq!(system["messages"][0]["role"], "developer");
    assert_eq!(reasoning["reasoning_effort"], "high");
    // No thoughts of anybody else's.
    assert_eq!(
        reasoning["messages"][1],
        json!({ "role": "assistant", "content": "Let me look.", "tool_calls":
            [{ "id": "call_a1", "type": "function", "function": { "name": "get_weather", "arguments": "{\"city\":\"Oslo\"}" } }] })
    );
    assert_eq!(
        (&stream["stream"], &stream["stream_options"]),
        (&json!(true), &json!({ "include_usage": true }))
    );
}

#[test]
fn a_careful_request_has_nothing_that_servers_refuse() {
    let (basic, dropped) = written(Quirks::COMPATIBLE, &request("basic"));
    let (system, _) = written(Quirks::COMPATIBLE, &request("system"));
    let (_, tools) = written(Quirks::COMPATIBLE, &request("parallel-tools"));
    let (_, reasoning) = written(Quirks::COMPATIBLE, &request("reasoning"));

    assert_eq!((&basic["max_tokens"], &basic["user"]), (&json!(64), &Value::Null));
    assert_eq!(dropped, "metadata, store, logit_bias, user");
    let joined = "You are terse.\n\nAnswer in French.\n\nNow in Norwegian.";
    assert_eq!(system["messages"][0], json!({ "role": "system", "content": joined }));
    assert_eq!(tools, "tools.strict, parallel_tool_calls");
    assert_eq!(reasoning, "tools.strict, reasoning");
}

#[test]
fn vendors_get_what_they_insist_on() {
    let quirks = |name| vendor(name).expect(name).quirks;
    let mut chat = request("reasoning");
    if let Some(Part::Thinking(thinking)) = chat.turns.get_mut(1).and_then(|turn| turn.parts.first_mut()) {
        thinking.signature = None;
    }
    chat.sampling.seed = Some(3);

    let (deepseek, deepseek_dropped) = written(quirks("deepseek"), &chat);
    let (mistral, _) = written(quirks("mistral"), &chat);
    let (openrouter, _) = written(quirks("openrouter"), &chat);

    assert_eq!(deepseek["thinking"], json!({ "type": "enabled" }));
    assert_eq!(deepseek["reasoning_effort"], "high");
    // Without it, DeepSeek refuses the tool's result.
    assert_eq!(
        deepseek["messages"][1]["reasoning_content"],
        "The user wants the weather."
    );
    assert_eq!(deepseek_dropped, "seed, tools.strict");
    assert_eq!((&mistral["random_seed"], &mistral["seed"]), (&json!(3), &Value::Null));
    let id = mistral["messages"][1]["tool_calls"][0]["id"].as_str().expect("an id");
    assert!(
        id.len() == 9 && id.bytes().all(|byte| byte.is_ascii_alphanumeric()),
        "{id}"
    );
    assert_eq!(mistral["messages"][2]["tool_call_id"], id);
    assert_eq!(openrouter["reasoning"], json!({ "effort": "high", "exclude": false }));
    assert_eq!(openrouter["messages"][1]["reasoning_details"][1]["id"], "call_a1");
    let off = Reasoning {
        amount: Amount::Off,
        shown: None,
    };
    chat.reasoning = Some(off);
    let (xai, _) = written(quirks("xai"), &chat);
    let (perplexity, dropped) = written(quirks("perplexity"), &chat);
    assert_eq!(
        (&xai["reasoning_effort"], perplexity.get("reasoning_effort")),
        (&json!("none"), None)
    );
    assert_eq!(dropped, "seed, tools.strict, reasoning");
    let mut unique: Vec<_> = VENDORS.iter().map(|vendor| vendor.name).collect();
    unique.sort_unstable();
    unique.dedup();
    assert_eq!(unique.len(), VENDORS.len());
}

#[test]
fn a_choice_among_no_tools_is_not_written() {
    let choice = |case: &str| {
        let mut chat = request(case);
        chat.tool_choice = ToolChoice::None;
        written(Quirks::OPENAI, &chat).0.get("tool_choice").cloned()
    };

    assert_eq!((choice("basic"), choice("tools")), (None, Some(json!("none"))));
}

#[test]
fn images_in_results_go_into_the_users_message() {
    let mut chat = request("tools");
    let image = Media {
        kind: MediaKind::Image,
        source: Source::Base64("AAAA".into()),
        media_type: Some("image/png".into()),
        name: None,
        detail: None,
        cache: None,
    };
    let Some(Part::ToolResult(result)) = chat.turns.get_mut(2).and_then(|turn| turn.parts.first_mut()) else {
        panic!("no result");
    };
    result.parts.push(Part::Media(image));
    result.failed = true;

    let (body, dropped) = written(Quirks::OPENAI, &chat);

    assert_eq!(body["messages"][2]["content"], "{\"celsius\":3}");
    assert_eq!(
        body["messages"][4]["content"],
        json!([{ "type": "image_url", "image_url": { "url": "data:image/png;base64,AAAA" } }, { "type": "text", "text": "Which is warmer?" }])
    );
    assert_eq!(dropped, "is_error");
}

#[test]
fn what_would_change_the_meaning_is_unsupported() {
    let check = |quirks: Quirks, change: &dyn Fn(&mut Chat), param: &str| {
        let mut chat = request("structured");
        change(&mut chat);
        let error = OpenaiChatTo(quirks).write_request(&chat, TARGET).expect_err(param);
        assert_eq!(error.param, param);
    };
    let media = |kind, source: Source| {
        Part::Media(Media {
            kind,
            source,
            media_type: None,
            name: None,
            detail: None,
            cache: None,
        })
    };
    let with = |part: Part| {
        move |chat: &mut Chat| {
            if let Some(turn) = chat.turns.first_mut() {
                turn.parts.push(part.clone());
            }
        }
    };

    check(Quirks::OPENAI, &|chat| chat.sampling.choices = Some(2), "n");
    check(Quirks::OPENAI, &|chat| chat.sampling.top_logprobs = Some(0), "logprobs");
    check(vendor("deepseek").expect("a row").quirks, &|_| {}, "response_format");
    let url = || Source::Url("https://example.com".into());
    check(Quirks::OPENAI, &with(media(MediaKind::Video, url())), "messages");
    check(Quirks::OPENAI, &with(media(MediaKind::Document, url())), "messages");
    check(Quirks::OPENAI, &with(media(MediaKind::Audio, url())), "messages");
    check(
        Quirks::OPENAI,
        &with(media(MediaKind::Image, Source::File("f".into()))),
        "messages",
    );
    let pdf = || Source::Base64("JVBERi0=".into());
    check(Quirks::COMPATIBLE, &with(media(MediaKind::Document, pdf())), "messages");
}
