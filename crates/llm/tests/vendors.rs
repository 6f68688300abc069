//! What each vendor of OpenAI's dialect is sent, recorded row by row; and no row says anything that shows nowhere.

mod recorded;

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use gatewright_llm::dialect::anthropic::Anthropic;
use gatewright_llm::dialect::openai_chat::vendors::VENDORS;
use gatewright_llm::dialect::openai_chat::{OpenaiChat, OpenaiChatTo, Quirks};
use gatewright_llm::dialect::{Inbound, Outbound, PathFacts, TargetFacts};
use serde_json::{Value, json};

use crate::recorded::compare;

const TARGET: TargetFacts<'static> = TargetFacts {
    model: "their-model",
    output_limit: None,
};

/// Takes one habit of another vendor's over.
type Give = fn(&mut Quirks, &Quirks);

/// Every habit that a row tells, by its name.
macro_rules! habits {
    ($($name:ident),* $(,)?) => {
        const HABITS: &[(&str, Give)] = &[$((stringify!($name), |quirks, other| quirks.$name = other.$name)),*];

        /// Does not compile when a habit is missing above. What is refused shows where requests pass as they are.
        #[expect(dead_code, reason = "it is only compiled")]
        fn all_are_listed(quirks: Quirks) {
            let Quirks { refuses: _, $($name: _),* } = quirks;
        }
    };
}

habits!(
    max_tokens,
    instructions,
    text_parts,
    refusals,
    documents,
    image_addresses,
    image_detail,
    usage_in_stream,
    parallel_tool_calls,
    strict_tools,
    call_ids,
    schemas,
    reasoning,
    thoughts_back,
    seed,
    penalties,
    top_k,
    user,
    cache_marks,
);

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/vendors")
}

/// What is asked of every vendor.
fn asked() -> Vec<(&'static str, &'static dyn Inbound, Value)> {
    let hello = json!([{ "role": "user", "content": "Hello" }]);
    let openai = |name, more: Value| {
        let mut body = json!({ "model": "m", "messages": hello });
        for (member, value) in more.as_object().into_iter().flatten() {
            body[member] = value.clone();
        }
        (name, &OpenaiChat as &dyn Inbound, body)
    };
    let effort = |name, effort: &str| openai(name, json!({ "reasoning_effort": effort }));
    let document = |name, source: Value| {
        let content = json!([{ "type": "document", "title": "paper", "source": source }]);
        let body = json!({ "model": "m", "max_tokens": 9, "messages": [{ "role": "user", "content": content }] });
        (name, &Anthropic as &dyn Inbound, body)
    };
    vec![
        openai(
            "sampling",
            json!({
                "stream": true, "max_tokens": 64, "temperature": 0.5, "top_p": 0.9, "top_k": 3, "seed": 7,
                "frequency_penalty": 0.1, "presence_penalty": 0.2, "stop": ["end"], "user": "somebody",
            }),
        ),
        openai("history", json!({ "messages": history() })),
        openai(
            "tools",
            json!({
                "tools": [{
                    "type": "function",
                    "cache_control": { "type": "ephemeral" },
                    "function": { "name": "look", "parameters": { "type": "object" }, "strict": true },
                }],
                "tool_choice": { "type": "function", "function": { "name": "look" } },
                "parallel_tool_calls": false,
            }),
        ),
        openai(
            "schema",
            json!({ "response_format": {
                "type": "json_schema",
                "json_schema": { "name": "found", "schema": { "type": "object" }, "strict": true },
            } }),
        ),
        openai("json", json!({ "response_format": { "type": "json_object" } })),
        effort("no thoughts", "none"),
        effort("few thoughts", "minimal"),
        effort("most thoughts", "xhigh"),
        openai("counted thoughts", json!({ "reasoning": { "max_tokens": 9000 } })),
        document(
            "document",
            json!({ "type": "base64", "media_type": "application/pdf", "data": "JVBERg==" }),
        ),
        openai(
            "address of a picture",
            json!({ "messages": [{
                "role": "user",
                "content": [{ "type": "image_url", "image_url": { "url": "https://a.example/b.png" } }],
            }] }),
        ),
        document(
            "address of a document",
            json!({ "type": "url", "url": "https://a.example/b.pdf" }),
        ),
    ]
}

fn history() -> Value {
    let marked = |text: &str| json!({ "type": "text", "text": text, "cache_control": { "type": "ephemeral" } });
    let text = |text: &str| json!({ "type": "text", "text": text });
    let picture = json!({
        "type": "image_url",
        "image_url": { "url": "data:image/png;base64,AAAA", "detail": "high" },
    });
    let thought = json!({
        "type": "reasoning.text", "text": "hm", "signature": "c2ln", "format": "anthropic-claude-v1", "index": 0,
    });
    // One that is too long for everybody, and one that is not.
    let (long, short) = ("toolu_01A09q90qw90lq917835lq9_and_more_of_it", "toolu_1");
    let called = |id| json!({ "id": id, "type": "function", "function": { "name": "look", "arguments": "{}" } });
    json!([
        { "role": "system", "content": [text("Be brief."), marked("Be kind.")] },
        { "role": "user", "content": [text("One."), text("Two.")] },
        { "role": "assistant", "content": null, "refusal": "No." },
        { "role": "user", "content": [text("Look."), picture] },
        { "role": "assistant", "content": null, "reasoning_details": [thought], "tool_calls": [called(long), called(short)] },
        { "role": "tool", "tool_call_id": long, "content": "seen" },
        { "role": "tool", "tool_call_id": short, "content": "seen again" },
    ])
}

/// All that a vendor of these habits is sent, and what callers are told of it.
fn told(quirks: Quirks) -> String {
    let mut told = String::new();
    for (name, caller, body) in asked() {
        let chat = caller
            .read_request(body.to_string().as_bytes(), PathFacts::default())
            .unwrap_or_else(|error| panic!("{name}: {error}"));
        writeln!(told, "== {name}").expect("a string takes all that is written");
        match OpenaiChatTo(quirks).write_request(&chat, TARGET) {
            Ok(written) => {
                let body: Value = serde_json::from_slice(&written.body).expect("JSON");
                let dropped = written.dropped.to_string();
                writeln!(told, "{body:#}").expect("a string takes all that is written");
                if !dropped.is_empty() {
                    writeln!(told, "dropped: {dropped}").expect("a string takes all that is written");
                }
            }
            Err(refused) => {
                writeln!(told, "refused: {}: {}", refused.param, refused.message)
                    .expect("a string takes all that is written");
            }
        }
    }
    told
}

#[test]
fn every_vendor_is_sent_what_is_recorded() {
    for vendor in &VENDORS {
        let path = folder().join(format!("{}.txt", vendor.name));
        compare(&path, told(vendor.quirks)).unwrap_or_else(|differs| panic!("{differs}"));
    }
    let count = fs::read_dir(folder()).expect("the goldens").count();
    assert_eq!(count, VENDORS.len(), "a golden belongs to no vendor");
}

#[test]
fn giving_up_any_habit_changes_what_is_recorded() {
    let mut silent = Vec::new();
    for vendor in &VENDORS {
        let recorded = fs::read_to_string(folder().join(format!("{}.txt", vendor.name))).expect(vendor.name);
        for other in VENDORS.iter().map(|other| other.quirks) {
            for (habit, give) in HABITS {
                let mut quirks = vendor.quirks;
                give(&mut quirks, &other);
                if quirks != vendor.quirks && told(quirks) == recorded {
                    silent.push(format!("{}: {habit}", vendor.name));
                }
            }
        }
    }
    assert!(silent.is_empty(), "these show nowhere: {silent:?}");
}
