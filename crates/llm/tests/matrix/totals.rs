//! The totals of usage in each dialect, read from the JSON without the crate's help.

use gatewright_types::api::Dialect;
use serde_json::Value;

use crate::callers::Caller;
use crate::providers::Provider;

/// Tokens in and out.
pub(crate) type Totals = (u64, u64);

fn sum(usage: &Value, names: &[&str]) -> u64 {
    let count = |name: &&str| {
        let text = usage[*name].to_string();
        // Cohere's counts are floating-point numbers.
        text.trim_end_matches(".0").parse().unwrap_or(0)
    };
    names.iter().map(count).sum()
}

fn openai(usage: &Value) -> Totals {
    (sum(usage, &["prompt_tokens"]), sum(usage, &["completion_tokens"]))
}

fn responses(usage: &Value) -> Totals {
    (sum(usage, &["input_tokens"]), sum(usage, &["output_tokens"]))
}

fn anthropic(usage: &Value) -> Totals {
    let input = ["input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens"];
    (sum(usage, &input), sum(usage, &["output_tokens"]))
}

fn gemini(usage: &Value) -> Totals {
    let input = sum(usage, &["promptTokenCount", "toolUsePromptTokenCount"]);
    (input, sum(usage, &["candidatesTokenCount", "thoughtsTokenCount"]))
}

fn bedrock(usage: &Value) -> Totals {
    let input = ["inputTokens", "cacheReadInputTokens", "cacheWriteInputTokens"];
    (sum(usage, &input), sum(usage, &["outputTokens"]))
}

/// What is billed.
fn cohere(usage: &Value) -> Totals {
    responses(&usage["billed_units"])
}

/// The last usage that a stream tells in this member.
fn last<'a>(payloads: &'a [Value], usage: impl Fn(&'a Value) -> &'a Value) -> Option<&'a Value> {
    payloads.iter().map(usage).rfind(|usage| usage.is_object())
}

/// Anthropic's numbers replace each other one by one.
fn merged(payloads: &[Value]) -> Option<Value> {
    let mut merged = serde_json::Map::new();
    for payload in payloads {
        for usage in [&payload["message"]["usage"], &payload["usage"]] {
            merged.extend(usage.as_object().cloned().unwrap_or_default());
        }
    }
    (!merged.is_empty()).then_some(Value::Object(merged))
}

pub(crate) fn of_provider(provider: Provider, payloads: &[Value]) -> Option<Totals> {
    match provider {
        Provider::Openai | Provider::Compatible => last(payloads, |payload| &payload["usage"]).map(openai),
        Provider::Responses => of_responses(payloads),
        Provider::Anthropic | Provider::Invoke => merged(payloads).as_ref().map(anthropic),
        Provider::Gemini => last(payloads, |payload| &payload["usageMetadata"]).map(gemini),
        Provider::Bedrock => last(payloads, |payload| &payload["usage"]).map(bedrock),
        Provider::Cohere => last(payloads, |payload| &payload["usage"])
            .or_else(|| last(payloads, |payload| &payload["delta"]["usage"]))
            .map(cohere),
    }
}

fn of_responses(payloads: &[Value]) -> Option<Totals> {
    last(payloads, |payload| &payload["usage"])
        .or_else(|| last(payloads, |payload| &payload["response"]["usage"]))
        .map(responses)
}

pub(crate) fn of_caller(caller: Caller, payloads: &[Value]) -> Option<Totals> {
    match caller.0 {
        Dialect::OpenaiChat
        | Dialect::OpenaiCompletions
        | Dialect::OpenaiEmbeddings
        | Dialect::GeminiEmbed
        | Dialect::GeminiBatchEmbed
        | Dialect::Native(_) => {
            let usage = last(payloads, |payload| &payload["usage"])?;
            let (input, output) = openai(usage);
            assert_eq!(usage["total_tokens"], input + output, "the total");
            Some((input, output))
        }
        Dialect::OpenaiResponses => of_responses(payloads),
        Dialect::AnthropicMessages => merged(payloads).as_ref().map(anthropic),
        Dialect::GeminiGenerate => {
            let usage = last(payloads, |payload| &payload["usageMetadata"])?;
            let (input, output) = gemini(usage);
            assert_eq!(usage["totalTokenCount"], input + output, "the total");
            Some((input, output))
        }
    }
}
