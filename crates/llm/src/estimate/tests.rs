use std::fmt::Write as _;

use super::*;

fn counted(body: &str) -> u64 {
    count_request("gpt-5", body.as_bytes())
}

#[test]
fn a_request_is_counted_by_what_a_model_reads_of_it() {
    let check = |body: &str, expected: u64| assert_eq!(counted(body), expected, "{body}");

    // "user" is a token, "Say hello." are three; three around the message and three before the answer.
    let plain =
        r#"{"model":"m","messages":[{"role":"user","content":"Say hello."}],"temperature":0.5,"user":"somebody"}"#;
    check(plain, 1 + 3 + 3 + 3);
    // The same in other words.
    check(
        r#"{"contents":[{"role":"user","parts":[{"text":"Say hello."}]}],"generationConfig":{"stopSequences":["x"]}}"#,
        10,
    );
    check(
        r#"{"messages":[{"role":"user","content":[{"type":"text","text":"Say hello.","cache_control":{"type":"ephemeral"}}]}]}"#,
        10,
    );
    check(r#"{"input":"Say hello.","model":"m"}"#, 3);
    check(r#"{"input":["Say hello.","Say hello."]}"#, 6);
    check(r#"{"input":[[1,2,3],[4]]}"#, 4);
    check(r#"{"prompt":"Say hello."}"#, 3);
    check("{}", 0);
    check("Say hello.", 3);
}

#[test]
fn pictures_are_not_read_as_text() {
    let data = "QUJD".repeat(10_000);
    let url = format!(
        r#"{{"messages":[{{"role":"user","content":[{{"type":"image_url","image_url":{{"url":"data:image/png;base64,{data}"}}}}]}}]}}"#
    );
    let inline = format!(
        r#"{{"contents":[{{"role":"user","parts":[{{"inlineData":{{"mimeType":"image/png","data":"{data}"}}}}]}}]}}"#
    );
    let source = format!(
        r#"{{"messages":[{{"role":"user","content":[{{"type":"image","source":{{"type":"base64","media_type":"image/png","data":"{data}"}}}}]}}]}}"#
    );

    for body in [url, inline, source] {
        assert_eq!(counted(&body), 258 + 1 + 3 + 3);
    }
}

#[test]
fn tools_and_their_calls_are_read_as_they_are_written() {
    let tools = r#"[{"type":"function","function":{"name":"f","parameters":{"type":"object"}}}]"#;
    let with_tools = format!(r#"{{"messages":[{{"role":"user","content":"Say hello."}}],"tools":{tools}}}"#);
    let call = r#"{"messages":[{"role":"assistant","content":[{"type":"tool_use","id":"toolu_0123456789","name":"f","input":{"a":1}}]}]}"#;
    let tokens = |text: &str| {
        let mut counter = Counter::of("gpt-5");
        counter.add(text);
        counter.tokens()
    };

    assert_eq!(counted(&with_tools), 10 + tokens(tools));
    assert_eq!(
        counted(call),
        tokens("assistant") + tokens("f") + tokens(r#"{"a":1}"#) + 6
    );
}

#[test]
fn an_answer_is_counted_as_far_as_it_was_delivered() {
    let mut delivered = Delivered::default();
    delivered.think("Hello, world!");
    delivered.say("Say ");
    delivered.say("hello.");
    let uncounted = Uncounted::new("gpt-5", Bytes::from_static(b"{}"), delivered);

    let tokens = uncounted.count();

    assert_eq!(
        tokens.iter().collect::<Vec<_>>(),
        [(UsageUnit::OutputText, 3), (UsageUnit::OutputReasoning, 4)]
    );
}

/// Without a bound these take minutes: one piece of a million bytes, levels without end, members without end.
#[test]
fn hostile_requests_are_counted_in_bounded_time() {
    let nested = format!(r#"{{"messages":{}{}}}"#, "[".repeat(100), "]".repeat(100));
    let mut many = String::from(r#"{"messages":[{"role":"user""#);
    for number in 0..50_000 {
        write!(many, r#","{number}":"^""#).expect("a string takes all");
    }
    many.push_str("}]}");
    let mut bodies = vec![nested, many];
    for run in ["a", " ", "^", "\u{2603}", "\\n", "ab"] {
        bodies.push(format!(r#"{{"prompt":"{}"}}"#, run.repeat(4 << 20)));
    }

    for body in bodies {
        assert!(counted(&body) < body.len() as u64);
    }
}
