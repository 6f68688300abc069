use proptest::prelude::*;
use serde_json::{Value as Json, json};

use super::*;

fn request(dialect: Dialect, body: &str) -> Request {
    let parsed = Request::parse(dialect, Bytes::copy_from_slice(body.as_bytes()), PathFacts::default());
    parsed.unwrap_or_else(|bad| panic!("{bad}: {body}"))
}

fn cached(dialect: Dialect, by: CachedBy, body: &str) -> Option<String> {
    let cached = request(dialect, body).cached(by, "org_acme", "m")?;
    Some(String::from_utf8(cached.body().to_vec()).expect("text"))
}

fn marked(body: &str) -> Option<String> {
    cached(Dialect::AnthropicMessages, CachedBy::Marks, body)
}

/// A system prompt that is long enough.
fn long() -> String {
    "word ".repeat(900)
}

#[test]
fn a_long_prompt_is_marked_at_the_ends_of_its_parts_and_else_stays_as_it_is() {
    let long = long();
    let tools = |mark: &str| format!(r#""tools":[{{"name":"a"}}, {{"name":"{long}" {mark}}} ]"#);
    let system = |mark: &str| format!(r#""system" : [{{"type":"text","text":"Be brief."{mark}}}]"#);
    let messages = |mark: &str| {
        format!(
            r#""messages":[{{"role":"user","content":"a"}},{{"content":[{{"type":"text","text":"b"}},{{"type":"tool_result","tool_use_id":"t"{mark}}}],"role":"user"}},{{"role":"assistant","content":"So "}}]"#
        )
    };
    let body = |mark: &str| {
        format!(
            r#"{{ "model":"m","max_tokens": 1e1,{},{},{},"x":[ 1 ]}} "#,
            messages(mark),
            tools(mark),
            system(mark)
        )
    };

    assert_eq!(
        marked(&body("")).as_deref(),
        Some(&*body(r#","cache_control":{"type":"ephemeral"}"#))
    );
}

#[test]
fn a_text_is_marked_as_the_block_that_it_stands_for() {
    let long = long();
    let body = format!(r#"{{"model":"m","messages":[{{"role":"user","content":"Why?"}}],"system":"{long}"}}"#);

    let mark = r#""cache_control":{"type":"ephemeral"}"#;
    let expected = format!(
        r#"{{"model":"m","messages":[{{"role":"user","content":[{{"type":"text","text":"Why?",{mark}}}]}}],"system":[{{"type":"text","text":"{long}",{mark}}}]}}"#
    );
    assert_eq!(marked(&body), Some(expected));
}

#[test]
fn what_cannot_or_need_not_be_marked_is_left_alone() {
    let long = long();
    let user = format!(r#"{{"role":"user","content":"{long}"}}"#);
    for members in [
        // Too short for any model.
        r#""messages":[{"role":"user","content":"hi"}],"system":"Be brief.""#.to_owned(),
        // The caller knows what it wants.
        format!(r#""messages":[{user}],"cache_control":{{"type":"ephemeral"}}"#),
        format!(r#""messages":[{user}],"tools":[{{"name":"a","cache_control":{{"type":"ephemeral"}}}}]"#),
        // There is nothing that a mark could be put on.
        format!(r#""messages":[{{"role":"assistant","content":"{long}"}}]"#),
        format!(r#""messages":[{{"role":"user","content":[{{"type":"text","text":" "}}]}}],"x":"{long}""#),
    ] {
        assert_eq!(marked(&format!(r#"{{"model":"m",{members}}}"#)), None, "{members}");
    }
    let said = format!(r#"{{"model":"m","messages":[{{"role":"user","content":"{long} \"cache_control\""}}]}}"#);
    assert!(marked(&said).is_some(), "who only speaks of it did not ask for it");
    let deferred = format!(r#""tools":[{{"name":"{long}","defer_loading":true}}]"#);
    let told = marked(&format!(
        r#"{{"model":"m","messages":[{{"role":"user","content":"hi"}}],{deferred}}}"#
    ));
    assert!(told.is_some_and(|told| told.contains(&deferred)));
}

#[test]
fn a_key_is_put_before_all_else() {
    let rest = r#""model":"m","messages":[{"role":"system","content":"Be brief."},{"role":"user","content":"Why?"}]"#;
    let told = cached(Dialect::OpenaiChat, CachedBy::Key, &format!(" {{{rest}}}")).expect("a key");
    let (key, after) = told
        .strip_prefix(r#" {"prompt_cache_key":""#)
        .and_then(|told| told.split_once("\","))
        .expect("a key");

    assert_eq!(after, format!("{rest}}}"));
    assert!(key.starts_with("gw-") && !key.contains("acme"), "{key}");
    let of = |dialect, members: &str| cached(dialect, CachedBy::Key, &format!(r#"{{"model":"m",{members}}}"#));
    let grown = rest.replace(
        "}]",
        r#"},{"role":"assistant","content":"So."},{"role":"user","content":"And?"}]"#,
    );
    assert!(
        of(
            Dialect::OpenaiChat,
            grown.strip_prefix(r#""model":"m","#).expect("it names the model")
        )
        .is_some_and(|told| told.contains(key))
    );

    assert_eq!(
        of(Dialect::OpenaiChat, r#""messages":[1],"prompt_cache_key":"mine""#),
        None
    );
    assert_eq!(of(Dialect::OpenaiCompletions, r#""prompt":"a""#), None);
    let response = of(Dialect::OpenaiResponses, r#""input":"Why?","instructions":"Be brief.""#);
    let other = of(Dialect::OpenaiResponses, r#""input":"Why?","instructions":"Be long.""#);
    assert_ne!(response.expect("a key").get(..40), other.expect("a key").get(..40));
}

#[test]
fn what_was_noted_of_a_request_is_true_of_the_cached_one() {
    let long = long();
    let body = format!(r#"{{"model":"n","stream":true,"messages":[{{"role":"user","content":"{long}"}}]}}"#);
    let request = request(Dialect::AnthropicMessages, &body);
    let cached = request.cached(CachedBy::Marks, "org", "m").expect("a mark");

    assert_eq!((cached.model(), cached.stream()), ("n", true));
    let forwarded: Vec<u8> = cached.forward("claude").into_iter().flatten().collect();
    let told: Json = serde_json::from_slice(&forwarded).expect("JSON");
    assert_eq!(
        (&told["model"], &told["messages"][0]["content"][0]["cache_control"]),
        (&json!("claude"), &json!({"type": "ephemeral"}))
    );
}

fn content() -> impl Strategy<Value = Json> {
    let block = ".{1,30}".prop_map(|text| json!({"type": "text", "text": text}));
    prop_oneof![
        ".{0,30}".prop_map(Json::from),
        proptest::collection::vec(block, 0..4).prop_map(Json::from)
    ]
}

/// Whether one text is another with more put in between.
fn is_within(sent: &str, told: &str) -> bool {
    let mut told = told.bytes();
    sent.bytes().all(|byte| told.any(|other| other == byte))
}

/// Without marks, and with the texts that were made blocks to be marked.
fn unmarked(value: &Json) -> Json {
    let is_made = |block: &Json| block["cache_control"].is_object() && block["type"] == "text";
    match value {
        Json::Array(blocks) => match blocks.as_slice() {
            [only] if is_made(only) && only.as_object().is_some_and(|only| only.len() == 3) => only["text"].clone(),
            blocks => blocks.iter().map(unmarked).collect(),
        },
        Json::Object(members) => {
            let kept = members.iter().filter(|(name, _)| *name != "cache_control");
            Json::Object(kept.map(|(name, value)| (name.clone(), unmarked(value))).collect())
        }
        other => other.clone(),
    }
}

/// A list of one text is the same as the text.
fn plain(value: &Json) -> Json {
    match value {
        Json::Array(blocks) => match blocks.as_slice() {
            [only] if only["type"] == "text" => only["text"].clone(),
            blocks => blocks.iter().map(plain).collect(),
        },
        Json::Object(members) => members
            .iter()
            .map(|(name, value)| (name.clone(), plain(value)))
            .collect(),
        other => other.clone(),
    }
}

proptest! {
    #[test]
    fn marks_are_all_that_is_put_in(
        system in proptest::option::of(content()),
        messages in proptest::collection::vec((any::<bool>(), content()), 1..5),
        tools in 0..3_usize,
        pretty: bool,
        padding in 0..6_000_usize,
    ) {
        let message = |(user, content): &(bool, Json)| json!({"role": if *user { "user" } else { "assistant" }, "content": content});
        let mut body = json!({"model": "m", "messages": messages.iter().map(message).collect::<Vec<_>>()});
        if let Some(system) = system {
            body["system"] = system;
        }
        if tools > 0 {
            body["tools"] = (0..tools).map(|number| json!({"name": "x".repeat(padding + number)})).collect();
        }
        let sent = if pretty { serde_json::to_string_pretty(&body) } else { serde_json::to_string(&body) }.expect("JSON");
        prop_assume!(!sent.contains("cache_control"));
        let Some(told) = marked(&sent) else { return Ok(()) };

        let marks = told.matches(MARK).count();
        prop_assert!((1..=3).contains(&marks), "{}", told);
        prop_assert!(is_within(&sent, &told));
        let most = marks * (MARK.len() + r#"[{"type":"text","text":,}]"#.len());
        prop_assert!(told.len() - sent.len() <= most);
        let told: Json = serde_json::from_str(&told).expect("JSON");
        prop_assert_eq!(plain(&unmarked(&told)), plain(&body));
    }
}
