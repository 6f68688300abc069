//! Whatever numbers a provider tells, the disjoint parts of a usage sum to its totals, and numbers that contradict each
//! other are fitted and flagged: for every reader of usage.

use gatewright_llm::embed::EmbedDialect;
use gatewright_llm::{Purpose, Tokens};
use gatewright_types::api::Dialect;
use proptest::prelude::*;

fn used(purpose: Purpose, body: &str) -> Tokens {
    let facts = purpose.used(body.as_bytes()).expect("an answer");
    facts.usage.expect("usage")
}

/// Counts that fit into each other often, and often do not.
fn small() -> std::ops::Range<u64> {
    0..400
}

fn chat(usage: &str) -> String {
    format!(r#"{{"choices":[],"usage":{usage}}}"#)
}

proptest! {
    #[test]
    fn of_chat_completions(
        (prompt, completion) in (1_u64..1_000, 0_u64..1_000),
        (cached, written, audio, image) in (small(), small(), small(), small()),
        (reasoning, spoken) in (small(), small()),
    ) {
        let total = prompt + completion;
        let usage = format!(
            r#"{{"prompt_tokens":{prompt},"completion_tokens":{completion},"total_tokens":{total},
            "prompt_tokens_details":{{"cached_tokens":{cached},"cache_write_tokens":{written},"audio_tokens":{audio},"image_tokens":{image}}},
            "completion_tokens_details":{{"reasoning_tokens":{reasoning},"audio_tokens":{spoken}}}}}"#
        );
        let fits = cached + written + audio + image <= prompt && reasoning + spoken <= completion;

        for dialect in [Dialect::OpenaiChat, Dialect::OpenaiCompletions] {
            let tokens = used(Purpose::Spoken(dialect), &chat(&usage));

            prop_assert_eq!((tokens.total_input(), tokens.total_output()), (prompt, completion));
            prop_assert_eq!(tokens.conflicting, !fits);
        }
    }

    #[test]
    fn of_chat_completions_that_leave_reasoning_out(prompt in 1_u64..1_000, completion in 0_u64..1_000, reasoning in 1_u64..400) {
        let total = prompt + completion + reasoning;
        let usage = format!(
            r#"{{"prompt_tokens":{prompt},"completion_tokens":{completion},"total_tokens":{total},
            "completion_tokens_details":{{"reasoning_tokens":{reasoning}}}}}"#
        );

        let tokens = used(Purpose::Spoken(Dialect::OpenaiChat), &chat(&usage));

        prop_assert_eq!((tokens.total_input(), tokens.total_output()), (prompt, completion + reasoning));
        prop_assert!(!tokens.conflicting);
    }

    #[test]
    fn of_responses(
        (input, output) in (1_u64..1_000, 0_u64..1_000),
        (cached, written, long, reasoning) in (small(), small(), small(), small()),
    ) {
        let total = input + output;
        let body = format!(
            r#"{{"status":"completed","output":[],"usage":{{"input_tokens":{input},"output_tokens":{output},"total_tokens":{total},
            "input_tokens_details":{{"cached_tokens":{cached},"cache_write_tokens":{written},
            "cache_write_tokens_details":{{"ttl_12h_tokens":{long}}}}},"output_tokens_details":{{"reasoning_tokens":{reasoning}}}}}}}"#
        );

        let tokens = used(Purpose::Spoken(Dialect::OpenaiResponses), &body);

        prop_assert_eq!((tokens.total_input(), tokens.total_output()), (input, output));
        let fits = cached + written <= input && long <= written && reasoning <= output;
        prop_assert_eq!(tokens.conflicting, !fits);
    }

    #[test]
    fn of_messages(
        (input, read, written) in (1_u64..1_000, small(), small()),
        (for_minutes, for_an_hour) in (small(), small()),
        (output, thinking) in (0_u64..1_000, small()),
    ) {
        let body = format!(
            r#"{{"type":"message","content":[],"usage":{{"input_tokens":{input},"cache_read_input_tokens":{read},
            "cache_creation_input_tokens":{written},"cache_creation":{{"ephemeral_5m_input_tokens":{for_minutes},
            "ephemeral_1h_input_tokens":{for_an_hour}}},"output_tokens":{output},
            "output_tokens_details":{{"thinking_tokens":{thinking}}}}}}}"#
        );

        for purpose in [Purpose::Spoken(Dialect::AnthropicMessages), Purpose::InvokeClaude] {
            let tokens = used(purpose, &body);

            prop_assert_eq!((tokens.total_input(), tokens.total_output()), (input + read + written, output));
            let fits = for_minutes + for_an_hour <= written && thinking <= output;
            prop_assert_eq!(tokens.conflicting, !fits);
        }
    }

    #[test]
    fn of_generated_content(
        (prompt, tool_use, cached) in (1_u64..1_000, small(), small()),
        (candidates, thoughts) in (0_u64..1_000, small()),
        (audio, image, spoken) in (small(), small(), small()),
    ) {
        let total = prompt + tool_use + candidates + thoughts;
        let body = format!(
            r#"{{"candidates":[],"usageMetadata":{{"promptTokenCount":{prompt},"toolUsePromptTokenCount":{tool_use},
            "cachedContentTokenCount":{cached},"candidatesTokenCount":{candidates},"thoughtsTokenCount":{thoughts},
            "totalTokenCount":{total},"promptTokensDetails":[{{"modality":"AUDIO","tokenCount":{audio}}},
            {{"modality":"IMAGE","tokenCount":{image}}}],"candidatesTokensDetails":[{{"modality":"AUDIO","tokenCount":{spoken}}}]}}}}"#
        );

        let tokens = used(Purpose::Spoken(Dialect::GeminiGenerate), &body);

        prop_assert_eq!((tokens.total_input(), tokens.total_output()), (prompt + tool_use, candidates + thoughts));
        let fits = cached + audio + image <= prompt + tool_use && spoken <= candidates;
        prop_assert_eq!(tokens.conflicting, !fits);
    }

    #[test]
    fn of_converse(
        (input, output) in (0_u64..1_000, 0_u64..1_000),
        (read, written, for_minutes, for_an_hour) in (small(), small(), small(), small()),
        (in_total, off) in (any::<bool>(), 0_u64..3),
    ) {
        let cached = if in_total { read + written } else { 0 };
        let total = input + output + cached + off;
        let body = format!(
            r#"{{"output":{{"message":{{"content":[]}}}},"stopReason":"end_turn","usage":{{"inputTokens":{input},"outputTokens":{output},
            "totalTokens":{total},"cacheReadInputTokens":{read},"cacheWriteInputTokens":{written},
            "cacheDetails":[{{"ttl":"5m","inputTokens":{for_minutes}}},{{"ttl":"1h","inputTokens":{for_an_hour}}}]}}}}"#
        );

        let tokens = used(Purpose::Converse, &body);

        prop_assert_eq!((tokens.total_input(), tokens.total_output()), (input + read + written, output));
        let without_cache = input + output;
        let total_fits = [without_cache, without_cache + read + written].contains(&total);
        let detailed = for_minutes + for_an_hour;
        prop_assert_eq!(tokens.conflicting, !total_fits || (detailed != 0 && detailed != written));
    }

    #[test]
    fn of_coheres_chat(billed in small(), output in small(), unbilled in small(), cached in 0_u64..800) {
        let seen = billed + unbilled;
        let body = format!(
            r#"{{"message":{{"content":[]}},"finish_reason":"COMPLETE","usage":{{"billed_units":{{"input_tokens":{billed},
            "output_tokens":{output}}},"tokens":{{"input_tokens":{seen},"output_tokens":{output}}},"cached_tokens":{cached}}}}}"#
        );

        let tokens = used(Purpose::CohereChat, &body);

        prop_assert_eq!((tokens.total_input(), tokens.total_output()), (billed, output));
        prop_assert_eq!(tokens.conflicting, cached > seen);
    }

    #[test]
    fn of_embeddings(input in 0_u64..1_000) {
        let openai = format!(r#"{{"object":"list","data":[],"usage":{{"prompt_tokens":{input},"total_tokens":{input}}}}}"#);
        let cohere = format!(r#"{{"embeddings":{{"float":[]}},"meta":{{"billed_units":{{"input_tokens":{input}}}}}}}"#);
        let titan = format!(r#"{{"embedding":[],"inputTextTokenCount":{input}}}"#);

        for (purpose, body) in [
            (Purpose::Spoken(Dialect::OpenaiEmbeddings), openai),
            (Purpose::Embed(EmbedDialect::Cohere), cohere),
            (Purpose::Embed(EmbedDialect::Titan), titan),
        ] {
            let tokens = used(purpose, &body);

            prop_assert_eq!((tokens.total_input(), tokens.total_output()), (input, 0));
            prop_assert!(!tokens.conflicting);
        }
    }
}
