//! A signature that a provider gave with its thoughts or calls comes back to it with the next request, whatever dialect
//! the caller keeps the conversation in.

use bytes::Bytes;
use gatewright_llm::chat::{Part, Signature};
use gatewright_llm::dialect::TargetFacts;
use gatewright_llm::event::Answer;
use gatewright_types::api::Dialect;
use serde_json::{Value, json};

use crate::callers::Caller;
use crate::providers::Provider;
use crate::translated::Told;

pub(crate) fn check(caller: Caller, provider: Provider, told: &Told) -> Result<(), String> {
    let Told::Asked(exchange) = told else {
        return Ok(());
    };
    let Some(answer) = &exchange.answer else {
        return Ok(());
    };
    let signatures: Vec<_> = signatures(&answer.said).collect();
    let body: Value = serde_json::from_slice(&answer.body).expect("JSON");
    let Some(next) = next_request(caller, &body).filter(|_| !signatures.is_empty() && takes_back(provider)) else {
        return Ok(());
    };
    let request = caller.parse(Bytes::from(next.to_string()), false);
    let chat = request
        .and_then(|request| request.read())
        .map_err(|bad| format!("the next request is bad: {bad}\n{next}"))?;
    let target = TargetFacts {
        model: provider.model(),
        output_limit: None,
    };
    let written = provider
        .outbound()
        .write_request(&chat, target)
        .map_err(|unsupported| format!("the next request is refused: {unsupported}"))?;
    let written = String::from_utf8(written.body).expect("text");
    match signatures.iter().find(|signature| !written.contains(&*signature.text)) {
        Some(lost) => Err(format!("{lost:?} is lost\n{next}\n{written}")),
        None => Ok(()),
    }
}

fn signatures(answer: &Answer) -> impl Iterator<Item = &Signature> {
    answer.parts.iter().filter_map(|part| match part {
        Part::Thinking(thinking) => thinking.signature.as_ref(),
        Part::ToolCall(call) => call.signature.as_ref(),
        Part::Text(_) | Part::Media(_) | Part::ToolResult(_) | Part::Refusal(_) => None,
    })
}

/// Chat completions have no place for signatures of their own.
fn takes_back(provider: Provider) -> bool {
    match provider {
        Provider::Responses | Provider::Anthropic | Provider::Gemini | Provider::Bedrock | Provider::Invoke => true,
        Provider::Openai | Provider::Compatible | Provider::Cohere => false,
    }
}

/// The answer put into the history as the vendors' guides say, each call answered.
fn next_request(caller: Caller, answer: &Value) -> Option<Value> {
    let question = "Why?";
    match caller.0 {
        Dialect::OpenaiChat => {
            let message = &answer["choices"][0]["message"];
            let mut messages = vec![json!({"role": "user", "content": question}), message.clone()];
            let calls = message["tool_calls"].as_array().into_iter().flatten();
            messages
                .extend(calls.map(|call| json!({"role": "tool", "tool_call_id": call["id"], "content": "3 degrees"})));
            Some(json!({"model": "m", "reasoning_effort": "high", "messages": messages}))
        }
        Dialect::OpenaiResponses => {
            let mut input = vec![json!({"role": "user", "content": question})];
            let output = answer["output"].as_array().expect("output");
            input.extend(output.iter().cloned());
            let calls = output.iter().filter(|item| item["type"] == "function_call");
            input.extend(calls.map(
                |call| json!({"type": "function_call_output", "call_id": call["call_id"], "output": "3 degrees"}),
            ));
            Some(json!({
                "model": "m", "input": input, "reasoning": {"effort": "high"}, "include": ["reasoning.encrypted_content"],
            }))
        }
        Dialect::AnthropicMessages => {
            let content = answer["content"].as_array().expect("content");
            let mut messages = vec![
                json!({"role": "user", "content": question}),
                json!({"role": "assistant", "content": content}),
            ];
            let calls = content.iter().filter(|block| block["type"] == "tool_use");
            let results: Vec<_> = calls
                .map(|call| json!({"type": "tool_result", "tool_use_id": call["id"], "content": "3 degrees"}))
                .collect();
            if !results.is_empty() {
                messages.push(json!({"role": "user", "content": results}));
            }
            let thinking = json!({"type": "enabled", "budget_tokens": 2_048});
            Some(json!({"model": "m", "max_tokens": 8_192, "thinking": thinking, "messages": messages}))
        }
        Dialect::GeminiGenerate => {
            let content = answer["candidates"][0]["content"].clone();
            let calls = content["parts"].as_array().into_iter().flatten();
            let results: Vec<_> = calls
                .filter(|part| part["functionCall"].is_object())
                .map(|part| {
                    let call = &part["functionCall"];
                    json!({"functionResponse": {"id": call["id"], "name": call["name"], "response": {"degrees": 3}}})
                })
                .collect();
            let mut contents = vec![json!({"role": "user", "parts": [{"text": question}]}), content];
            if !results.is_empty() {
                contents.push(json!({"role": "user", "parts": results}));
            }
            Some(json!({"contents": contents, "generationConfig": {"thinkingConfig": {"includeThoughts": true}}}))
        }
        Dialect::OpenaiCompletions
        | Dialect::OpenaiEmbeddings
        | Dialect::GeminiEmbed
        | Dialect::GeminiBatchEmbed
        | Dialect::Native(_) => None,
    }
}
