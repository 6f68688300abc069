use super::*;
use crate::dialect::PathFacts;
use crate::{PassedStream, Request, UsageChunk, read_answer};
use gatewright_types::api::Dialect;

fn parse_chat(body: Bytes) -> Result<Request, crate::BadRequest> {
    Request::parse(Dialect::OpenaiChat, body, PathFacts::default())
}

fn sandbox_of(request: &Request, model: &str, id: &str, created: i64) -> Script {
    sandbox(request.body(), request.stream(), model, id, created)
}

fn request(text: &str, rest: &str) -> Request {
    let text = serde_json::to_string(text).expect("text");
    let body = format!(
        r#"{{"model":"m","messages":[{{"role":"system","content":"Be brief."}},{{"role":"user","content":{text}}}]{rest}}}"#
    );
    parse_chat(body.into()).expect("a request")
}

fn played(text: &str, rest: &str) -> Script {
    sandbox_of(&request(text, rest), "sandbox-small", "req_1", 1_700_000_000)
}

fn content(script: &Script) -> String {
    let mut content = String::new();
    for step in &script.steps {
        let Step::Send(bytes) = step else { continue };
        for line in bytes.split(|byte| *byte == b'\n') {
            let line = line.strip_prefix(b"data: ").unwrap_or(line);
            let Ok(value) = serde_json::from_slice::<serde_json::Value>(line) else {
                continue;
            };
            let choice = &value["choices"][0];
            content += choice["message"]["content"]
                .as_str()
                .or(choice["delta"]["content"].as_str())
                .unwrap_or_default();
        }
    }
    content
}

fn sends(script: &Script) -> usize {
    script.steps.iter().filter(|step| matches!(step, Step::Send(_))).count()
}

fn error_message(script: &Script) -> String {
    let Some(Step::Send(body)) = script.steps.first() else {
        return String::new();
    };
    let value: serde_json::Value = serde_json::from_slice(body).expect("JSON");
    value["error"]["message"].as_str().expect("a message").to_owned()
}

#[test]
fn the_same_words_get_the_same_answer_streamed_or_not() {
    let whole = played("Good morning", "");
    let streamed = played("Good morning", r#","stream":true"#);

    let expected = "You said \"Good morning\". This is sandbox-small, which answers without a network: the same words get the same answer.";
    assert_eq!(
        (content(&whole), content(&streamed)),
        (expected.to_owned(), expected.to_owned())
    );
    assert_eq!((whole.status, whole.content_type), (200, "application/json"));
    assert_eq!((streamed.status, streamed.content_type), (200, "text/event-stream"));
    assert_eq!(played("Good morning", r#","stream":true"#), streamed);
}

#[test]
fn usage_counts_a_token_per_word_in_both_forms() {
    let whole = played("Good morning", "");
    let streamed = played("Good morning", r#","stream":true"#);
    let mut stream = PassedStream::chat(UsageChunk::Keep);

    let Some(Step::Send(body)) = whole.steps.first() else {
        panic!("a body")
    };
    let usage = read_answer(body).expect("an answer").usage.expect("usage");
    for step in streamed.steps {
        let Step::Send(bytes) = step else { panic!("only bytes") };
        stream.push(bytes);
    }
    let ended = stream.end();

    assert_eq!((usage.total_input(), usage.total_output()), (4, 19));
    assert_eq!(
        (ended.facts.usage, ended.done, ended.finish_seen, ended.content_events),
        (Some(usage), true, true, 19)
    );
}

#[test]
fn the_callers_limit_is_kept() {
    let script = played("Good morning", r#","max_tokens":99,"max_completion_tokens":3"#);

    let Some(Step::Send(body)) = script.steps.first() else {
        panic!("a body")
    };
    let value: serde_json::Value = serde_json::from_slice(body).expect("JSON");
    assert_eq!(content(&script), "You said \"Good");
    assert_eq!(
        (
            &value["choices"][0]["finish_reason"],
            &value["usage"]["completion_tokens"]
        ),
        (&"length".into(), &3.into())
    );
}

#[test]
fn the_mark_sets_length_pace_and_parts() {
    let script = played(
        "Hi [[sandbox delay=2s chunks=40 chunk_delay=50ms]]",
        r#","stream":true"#,
    );
    let tokens = played("[[sandbox tokens=100 chunks=7]]", r#","stream":true"#);

    assert_eq!((script.wait, sends(&script)), (Duration::from_secs(2), 42));
    let waits = script
        .steps
        .iter()
        .filter(|step| **step == Step::Wait(Duration::from_millis(50)))
        .count();
    assert_eq!((waits, content(&script).split(' ').count()), (39, 40));
    assert_eq!((sends(&tokens), content(&tokens).split(' ').count()), (9, 100));
}

#[test]
fn a_status_is_an_error_in_openais_envelope() {
    let check = |status: u16, code: &str| {
        let script = played(&format!("[[sandbox status={status} delay=1s]]"), r#","stream":true"#);
        let body = [Step::Send(
            error_body(&error_message(&script), kind_of(&script), None, code).into(),
        )];
        assert_eq!(
            (script.status, script.content_type, script.wait),
            (status, "application/json", Duration::from_secs(1))
        );
        assert_eq!(script.steps, body);
    };

    check(401, "invalid_api_key");
    check(404, "model_not_found");
    check(418, "invalid_request");
    check(429, "rate_limit_exceeded");
    check(500, "server_error");
    check(529, "server_error");
}

fn kind_of(script: &Script) -> &'static str {
    match script.status {
        401 => "authentication_error",
        429 => "rate_limit_error",
        500.. => "server_error",
        _ => "invalid_request_error",
    }
}

#[test]
fn faults_come_after_as_many_parts_as_told() {
    let check = |mark: &str, expected_sends: usize, last: &Step| {
        let script = played(&format!("Hi [[sandbox chunks=20 {mark}]]"), r#","stream":true"#);
        assert_eq!(
            (sends(&script), script.steps.last()),
            (expected_sends, Some(last)),
            "{mark}"
        );
    };

    check("cut=3", 4, &Step::Cut);
    check("cut=0", 0, &Step::Cut);
    check("cut=99", 21, &Step::Cut);
    check("stall=3", 4, &Step::Stall);
    let malformed = played("Hi [[sandbox chunks=20 malformed=3]]", r#","stream":true"#);
    let mut stream = PassedStream::chat(UsageChunk::Keep);
    let failures: Vec<usize> = malformed
        .steps
        .into_iter()
        .enumerate()
        .filter_map(|(index, step)| match step {
            Step::Send(bytes) => stream.push(bytes).failed.map(|_| index),
            Step::Wait(_) | Step::Cut | Step::Stall => None,
        })
        .collect();
    assert_eq!((failures, stream.end().content_events), (vec![4], 3));
}

#[test]
fn faults_of_an_answer_in_one_piece_leave_it_unfinished() {
    let check = |mark: &str, last: Option<Step>| {
        let script = played(&format!("Hi [[sandbox {mark}]]"), "");
        let Some(Step::Send(body)) = script.steps.first() else {
            panic!("some bytes")
        };
        assert!(read_answer(body).is_err(), "{mark}");
        assert_eq!(script.steps.get(1), last.as_ref(), "{mark}");
    };

    check("cut=3", Some(Step::Cut));
    check("stall=99", Some(Step::Stall));
    check("malformed=3", None);
    assert_eq!(played("[[sandbox cut=0]]", "").steps, [Step::Cut]);
}

#[test]
fn parts_of_content_and_odd_messages_are_read() {
    let body = r#"{"model":"m","messages":[{"role":"user","content":[{"type":"text","text":"one"},
        {"type":"image_url","image_url":{"url":"x"}},{"type":"text","text":"two"}]},{"role":"assistant","content":null}]}"#;

    let script = sandbox_of(&parse_chat(body.into()).expect("a request"), "echo", "r", 0);

    assert!(content(&script).starts_with("You said \"one two\". This is echo,"));
    assert!(content(&played("", "")).starts_with("You said nothing. This"));
}

#[test]
fn what_the_sandbox_cannot_read_is_refused() {
    let check = |script: &Script, message: &str| {
        assert_eq!((script.status, error_message(script).as_str()), (400, message));
    };
    let odd = parse_chat(Bytes::from_static(br#"{"model":"m","messages":[1]}"#)).expect("a request");

    check(
        &played("[[sandbox cut=x]]", ""),
        "cut of the sandbox mark must be a number from 0 to 10000, not 'x'",
    );
    check(
        &sandbox_of(&odd, "echo", "r", 0),
        "the sandbox cannot read the request: invalid type: integer `1`, expected a message with role and content at line 1 column 26",
    );
}
