//! A conversation that is kept elsewhere: what is kept of each request and response, and how a later request is read that
//! continues them.

use bytes::Bytes;
use gatewright_llm::chat::{Json, Part, Role, Text};
use gatewright_llm::dialect::openai_responses::OpenaiResponses;
use gatewright_llm::dialect::openai_responses::stored::{id_of, input_items, output_items};
use gatewright_llm::dialect::{Inbound, PathFacts, ReplyFacts};
use gatewright_llm::event::{Answer, Stop};
use gatewright_llm::{BadRequest, Flow, Request, UsageChunk};
use gatewright_types::api::Dialect;
use serde_json::{Value, json};

use crate::fixtures::{call, signature};

fn request(body: &Value) -> Request {
    Request::parse(
        Dialect::OpenaiResponses,
        Bytes::from(body.to_string()),
        PathFacts::default(),
    )
    .expect("a request")
}

fn values(items: &[Json]) -> Vec<Value> {
    let texts = items.iter().map(Json::text);
    texts.map(|text| serde_json::from_str(text).expect("JSON")).collect()
}

/// What is kept of a request and its answer.
fn kept(body: &Value, answer: &Answer) -> Vec<Json> {
    let request = request(body);
    let chat = request.read().expect("a request");
    let facts = ReplyFacts {
        request_id: "req_1",
        model: "real",
        created: 1,
        usage_wanted: true,
        chat: &chat,
    };
    let response = OpenaiResponses.write_answer(answer, &facts);
    assert_eq!(id_of(&response).as_deref(), Some("resp_1"));
    let mut items = input_items(request.body(), "resp_1").expect("items");
    items.extend(output_items(&response));
    items
}

#[test]
fn a_conversation_is_continued_with_its_calls_and_their_signatures() {
    let signed = Part::ToolCall(gatewright_llm::chat::ToolCall {
        signature: signature(gatewright_llm::chat::Maker::Gemini, "abc"),
        ..call("c", "f", r#"{"city":"Oslo"}"#)
    });
    let answer = Answer {
        parts: vec![Part::text("Let me look."), signed.clone()],
        stop: Stop::ToolCalls,
        ..Answer::default()
    };
    let earlier = kept(
        &json!({"model": "m", "instructions": "Be rude.", "input": "weather?"}),
        &answer,
    );
    let next = request(
        &json!({"model": "m", "previous_response_id": "resp_1", "instructions": "Be brief.",
        "input": [{"type": "function_call_output", "call_id": "c", "output": "4 degrees"}]}),
    );

    let chat = next
        .continuing(&earlier)
        .and_then(|next| next.read())
        .expect("a request");

    let roles: Vec<_> = chat.turns.iter().map(|turn| turn.role).collect();
    assert_eq!(roles, [Role::User, Role::Assistant, Role::User]);
    assert_eq!(chat.turns[0].parts, [Part::text("weather?")]);
    assert_eq!(chat.turns[1].parts, [Part::text("Let me look."), signed]);
    assert!(matches!(&*chat.turns[2].parts, [Part::ToolResult(result)] if &*result.call == "c"));
    assert_eq!(
        chat.instructions,
        [Text::new("Be brief.")],
        "each request gives its own"
    );
    assert_eq!(chat.continues.as_deref(), Some("resp_1"));
}

#[test]
fn the_input_of_a_continuing_request_is_a_text_a_list_or_wrong() {
    let earlier = [Json::parse(r#"{"role":"user","content":"one"}"#).expect("JSON")];
    let read = |input: Value| {
        let next = request(&json!({"model": "m", "input": input, "previous_response_id": "r"}));
        let chat = next.continuing(&earlier).and_then(|next| next.read())?;
        Ok(chat.turns[0].parts.clone())
    };
    let both = Ok(vec![Part::text("one"), Part::text("two")]);

    assert_eq!(read(json!("two")), both);
    assert_eq!(read(json!([{"role": "user", "content": "two"}])), both);
    assert_eq!(read(json!([])), Ok(vec![Part::text("one")]));
    let wrong: Result<Vec<Part>, BadRequest> = read(json!(7));
    assert_eq!(wrong.expect_err("no input").param.as_deref(), Some("input"));
    let next = request(&json!({"model": "m", "previous_response_id": "r"}));
    let missing = next.continuing(&earlier).and_then(|next| next.read());
    assert_eq!(missing.expect_err("no input").param.as_deref(), Some("input"));
}

#[test]
fn nobody_follows_the_pointer_of_a_request_that_was_not_continued() {
    let alone = request(&json!({"model": "m", "input": "x", "previous_response_id": "resp_1"}));

    let refused = alone.read().expect_err("it points to nothing");

    assert_eq!(refused.param.as_deref(), Some("previous_response_id"));
}

#[test]
fn items_are_listed_in_the_long_form_with_identifiers() {
    let check = |input: Value, expected: Value| {
        let body = json!({"model": "m", "input": input}).to_string();
        let items = input_items(body.as_bytes(), "resp_1").expect("items");
        assert_eq!(Value::from(values(&items)), expected);
    };

    check(
        json!("hi"),
        json!([{"id": "msg_1_in0", "type": "message", "role": "user", "status": "completed",
            "content": [{"type": "input_text", "text": "hi"}]}]),
    );
    check(
        json!([{"role": "assistant", "content": "ho"},
            {"type": "message", "id": "msg_x", "role": "user", "content": [{"type": "input_image", "image_url": "data:"}]},
            {"type": "function_call_output", "call_id": "c", "output": "4"},
            {"type": "reasoning", "summary": []}]),
        json!([{"id": "msg_1_in0", "type": "message", "role": "assistant", "status": "completed",
                "content": [{"type": "output_text", "text": "ho", "annotations": []}]},
            {"type": "message", "id": "msg_x", "role": "user", "status": "completed",
                "content": [{"type": "input_image", "image_url": "data:"}]},
            {"id": "fco_1_in2", "type": "function_call_output", "call_id": "c", "output": "4", "status": "completed"},
            {"id": "rs_1_in3", "type": "reasoning", "summary": []}]),
    );
}

#[test]
fn an_answer_repeats_what_it_continues() {
    let next = request(&json!({"model": "m", "input": "x", "previous_response_id": "resp_0"}));
    let chat = next.continuing(&[]).and_then(|next| next.read()).expect("a request");
    let facts = ReplyFacts {
        request_id: "req_1",
        model: "real",
        created: 1,
        usage_wanted: true,
        chat: &chat,
    };

    let told: Value = serde_json::from_slice(&OpenaiResponses.write_answer(&Answer::default(), &facts)).expect("JSON");
    let mut ended = Vec::new();
    OpenaiResponses.encoder(&facts).end(&mut ended);

    assert_eq!(told["previous_response_id"], "resp_0");
    assert!(String::from_utf8_lossy(&ended).contains(r#""previous_response_id":"resp_0""#));
}

#[test]
fn a_stream_that_passes_by_tells_under_which_name_it_can_be_found() {
    let mut flow = Flow::passed(Dialect::OpenaiResponses, UsageChunk::Keep);
    assert_eq!(flow.answer_id(), None);

    let event = json!({"type": "response.created", "response": {"id": "resp_9", "status": "in_progress"}});
    flow.push(format!("event: response.created\ndata: {event}\n\n").into());

    assert_eq!(flow.answer_id(), Some("resp_9"));
}

#[test]
fn items_that_are_only_named_are_found_and_put_in_their_place() {
    let body = json!({"model": "m", "stream": true, "input": [
        {"type": "message", "role": "user", "content": "a"},
        {"type": "item_reference", "id": "fc_1_0"},
        {"type": "function_call", "id": "fc_1_1", "call_id": "c", "name": "f", "arguments": "{}"},
    ]});
    let named = request(&body);
    assert_eq!(named.references(), ["fc_1_0".into()]);
    let kept = json!({"type": "function_call", "id": "fc_1_0", "call_id": "b", "name": "f", "arguments": "{}"});
    let item = Json::parse(&kept.to_string()).expect("JSON");

    let whole = named
        .with_items(|id| (id == "fc_1_0").then_some(&item))
        .expect("it is there");

    let mut expected = body.clone();
    expected["input"][1] = kept;
    let got: Value = serde_json::from_slice(whole.body()).expect("JSON");
    assert_eq!((got, whole.stream()), (expected, true));
    let missing = named.with_items(|_| None).expect_err("it is not there");
    assert_eq!(missing.param.as_deref(), Some("input[1]"));
    assert!(request(&json!({"model": "m", "input": "a"})).references().is_empty());
}
