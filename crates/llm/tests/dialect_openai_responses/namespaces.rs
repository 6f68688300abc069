//! Tools that a caller has in namespaces, and those that only OpenAI could carry out.

use gatewright_llm::chat::{Chat, Namespaced, Part, Role, ToolCall};
use gatewright_llm::dialect::Inbound;
use gatewright_llm::dialect::openai_responses::OpenaiResponses;
use gatewright_llm::event::{Answer, Event, Opening, Stop};
use serde_json::{Value, json};

use crate::fixtures::{call, data, read, reply};

const REQUEST: &str = r#"{"model": "m", "input": [
    {"role": "user", "content": "Close it."},
    {"type": "function_call", "call_id": "c_1", "namespace": "agents", "name": "close", "arguments": "{\"id\":1}"},
    {"type": "function_call_output", "call_id": "c_1", "output": "done"}
], "tools": [
    {"type": "function", "name": "echo", "parameters": {"type": "object"}},
    {"type": "namespace", "name": "agents", "description": "All about agents.", "tools": [
        {"type": "function", "name": "close", "description": "Closes one.", "parameters": {"type": "object"}}
    ]},
    {"type": "web_search", "external_web_access": false}
]}"#;

fn asked() -> Chat {
    read(REQUEST).expect("a request")
}

#[test]
fn a_tool_in_a_namespace_is_offered_and_called_by_both_names_in_one() {
    let chat = asked();

    let names: Vec<_> = chat.tools.iter().map(|tool| &*tool.name).collect();
    assert_eq!(names, ["echo", "agents__close"]);
    let namespaced = Namespaced {
        whole: "agents__close".into(),
        namespace: "agents".into(),
        name: "close".into(),
    };
    assert_eq!(chat.namespaced, [namespaced]);
    let said = chat.turns.iter().find(|turn| turn.role == Role::Assistant);
    let expected = call("c_1", "agents__close", r#"{"id":1}"#);
    assert_eq!(said.expect("a turn").parts, [Part::ToolCall(expected)]);
}

#[test]
fn what_cannot_be_offered_elsewhere_is_named() {
    let chat = asked();

    let unheld: Vec<_> = chat.unheld.iter().map(|name| &**name).collect();
    assert_eq!(unheld, ["tools.namespace.description", "tools.web_search"]);
}

#[test]
fn a_tool_in_a_namespace_is_a_function_and_nothing_else() {
    let nested = r#"{"type":"namespace","name":"n","tools":[{"type":"mcp","name":"x"}]}"#;
    let nameless = r#"{"type":"namespace","tools":[]}"#;
    for (tool, place) in [(nested, "tools[0].tools[0]"), (nameless, "tools[0].name")] {
        let error = read(&format!(r#"{{"model":"m","input":"hi","tools":[{tool}]}}"#)).expect_err(tool);
        assert_eq!(error.param.as_deref(), Some(place));
    }
}

/// A call's function by the names that the caller has for it.
fn names(item: &Value) -> [Option<&str>; 2] {
    ["namespace", "name"].map(|name| item.get(name).and_then(Value::as_str))
}

#[test]
fn a_call_comes_back_with_its_namespace() {
    let chat = asked();
    let calls: [ToolCall; 2] = [call("c_2", "agents__close", "{}"), call("c_3", "echo", "{}")];
    let expected = [[Some("agents"), Some("close")], [None, Some("echo")]];

    let answer = Answer {
        parts: calls.iter().cloned().map(Part::ToolCall).collect(),
        stop: Stop::ToolCalls,
        ..Answer::default()
    };
    let whole: Value =
        serde_json::from_slice(&OpenaiResponses.write_answer(&answer, &reply("req_1", &chat))).expect("JSON");
    let mut encoder = OpenaiResponses.encoder(&reply("req_1", &chat));
    let mut stream = Vec::new();
    for call in &calls {
        let (id, name) = (call.id.clone(), call.name.clone());
        encoder.write(&Event::Open(Opening::ToolCall { id, name }), &mut stream);
        encoder.write(&Event::Close, &mut stream);
    }
    encoder.write(&Event::Stop(Stop::ToolCalls), &mut stream);
    encoder.end(&mut stream);

    let output = whole.get("output").and_then(Value::as_array).expect("items");
    assert_eq!(output.iter().map(names).collect::<Vec<_>>(), expected);
    let events = data(&stream);
    for kind in ["response.output_item.added", "response.output_item.done"] {
        let of_kind = events.iter().filter(|event| event.get("type") == Some(&json!(kind)));
        let items: Vec<_> = of_kind.filter_map(|event| event.get("item")).map(names).collect();
        assert_eq!(items, expected, "{kind}");
    }
}
