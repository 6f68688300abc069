//! One answer in all the forms in which it can be asked for: whole, as a stream, in other dialects.

use harness::chat::{question, streaming};
use harness::http::{Answer, Request};
use harness::sse;
use harness::upstream::{Script, Upstream};
use serde_json::{Value, json};

use super::{ask, cache, organization};

#[tokio::test]
async fn a_stream_and_a_whole_answer_are_one_for_the_cache() {
    let upstream = Upstream::start().await;
    let (organization, key) = organization(&upstream, &json!({})).await;
    let mut with_usage = streaming("m");
    with_usage["stream_options"] = json!({"include_usage": true});

    let streamed = ask(&organization, &key, &streaming("m"), &[]).await.expect(200);
    let replayed = ask(&organization, &key, &streaming("m"), &[]).await.expect(200);
    let whole = ask(&organization, &key, &question("m"), &[]).await.expect(200);
    let usage = ask(&organization, &key, &with_usage, &[]).await.expect(200);

    assert_eq!(
        [&streamed, &replayed, &whole, &usage].map(cache),
        ["miss", "hit", "hit", "hit"]
    );
    assert_eq!(upstream.seen().len(), 1);
    let without_comments = |answer: &Answer| {
        let text = answer.text();
        let events = text.split_inclusive("\n\n").filter(|event| !event.starts_with(':'));
        events.collect::<String>()
    };
    assert_eq!(replayed.text(), without_comments(&streamed));
    assert_eq!(replayed.headers.need("content-type"), "text/event-stream");
    let whole = whole.json();
    assert_eq!(whole["choices"][0]["message"]["content"], "Hello there");
    assert_eq!(whole["usage"]["total_tokens"], 11);
    assert_eq!(sse::text(&usage.body), "Hello there");
    let last = sse::chunks(&usage.body).pop().expect("chunks");
    assert_eq!(last["usage"]["total_tokens"], 11);
    assert!(sse::is_done(&usage.body) && sse::is_done(&replayed.body));
}

#[tokio::test]
async fn tools_and_usage_come_through_a_whole_answer_that_is_replayed_as_a_stream() {
    let upstream = Upstream::start().await;
    let call = json!({"id": "call_1", "type": "function", "function": {"name": "f", "arguments": "{\"a\":1}"}});
    let said = json!({"id": "c1", "object": "chat.completion", "created": 1, "model": "m", "choices": [{"index": 0,
        "message": {"role": "assistant", "content": null, "tool_calls": [call]}, "finish_reason": "tool_calls"}],
        "usage": {"prompt_tokens": 9, "completion_tokens": 4, "total_tokens": 13}});
    upstream.on("m", Script::json(200, &said));
    let (organization, key) = organization(&upstream, &json!({})).await;
    let mut asked = question("m");
    asked["tools"] = json!([{"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}]);
    ask(&organization, &key, &asked, &[]).await.expect(200);

    asked["stream"] = json!(true);
    asked["stream_options"] = json!({"include_usage": true});
    let replayed = ask(&organization, &key, &asked, &[]).await.expect(200);

    assert_eq!((cache(&replayed), upstream.seen().len()), ("hit", 1));
    let chunks = sse::chunks(&replayed.body);
    let calls: Vec<_> = chunks
        .iter()
        .flat_map(|chunk| {
            chunk["choices"][0]["delta"]["tool_calls"]
                .as_array()
                .cloned()
                .unwrap_or_default()
        })
        .collect();
    let arguments: String = calls
        .iter()
        .filter_map(|call| call["function"]["arguments"].as_str())
        .collect();
    assert_eq!(
        (calls[0]["id"].as_str(), arguments.as_str()),
        (Some("call_1"), "{\"a\":1}")
    );
    assert!(
        chunks
            .iter()
            .any(|chunk| chunk["choices"][0]["finish_reason"] == "tool_calls")
    );
    assert!(chunks.iter().any(|chunk| chunk["usage"]["total_tokens"] == 13));
}

#[tokio::test]
async fn other_dialects_are_kept_in_all_of_their_forms() {
    struct Case {
        whole: (&'static str, Value),
        stream: (&'static str, Value),
        text: &'static str,
    }
    let message = json!({"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": "Hi"}]});
    let response = json!({"model": "m", "input": "Hi", "store": false});
    let contents = json!({"contents": [{"role": "user", "parts": [{"text": "Hi"}]}]});
    let streamed = |body: &Value| {
        let mut body = body.clone();
        body["stream"] = json!(true);
        body
    };
    let cases = [
        Case {
            whole: ("/v1/messages", message.clone()),
            stream: ("/v1/messages", streamed(&message)),
            text: "/content/0/text",
        },
        Case {
            whole: ("/v1/responses", response.clone()),
            stream: ("/v1/responses", streamed(&response)),
            text: "/output/0/content/0/text",
        },
        Case {
            whole: ("/v1beta/models/m:generateContent", contents.clone()),
            stream: ("/v1beta/models/m:streamGenerateContent?alt=sse", contents.clone()),
            text: "/candidates/0/content/parts/0/text",
        },
        Case {
            whole: ("/v1beta/models/m:generateContent", contents.clone()),
            stream: ("/v1beta/models/m:streamGenerateContent", contents),
            text: "/candidates/0/content/parts/0/text",
        },
    ];
    for Case { whole, stream, text } in cases {
        for whole_first in [true, false] {
            let upstream = Upstream::start().await;
            let (organization, key) = organization(&upstream, &json!({})).await;
            let send = async |(path, body): &(&str, Value)| {
                let request = Request::new("POST", path).header("x-api-key", &key.secret);
                let sent = request.json(body).send(organization.chat(&key).address).await;
                sent.expect("the data plane answers").expect(200)
            };
            let (one, other) = if whole_first {
                (&whole, &stream)
            } else {
                (&stream, &whole)
            };

            let first = send(one).await;
            let same = send(one).await;
            let converted = send(other).await;

            let told = format!("{} {whole_first}", stream.0);
            assert_eq!([&first, &same, &converted].map(cache), ["miss", "hit", "hit"], "{told}");
            assert_eq!(upstream.seen().len(), 1, "{told}");
            let told_whole = if whole_first { &same } else { &converted };
            assert_eq!(told_whole.json().pointer(text), Some(&json!("Hello there")), "{told}");
            let told_stream = if whole_first { &converted } else { &same };
            assert!(told_stream.text().contains("there"), "{told} {}", told_stream.text());
            let kind = if stream.0.ends_with("streamGenerateContent") {
                "application/json"
            } else {
                "text/event-stream"
            };
            assert_eq!(told_stream.headers.need("content-type"), kind, "{told}");
        }
    }
}
