use proptest::prelude::*;

use super::*;
use crate::read_answer;

fn read(usage: &str) -> Option<Tokens> {
    read_answer(format!("{{\"usage\":{usage}}}").as_bytes())
        .expect("an answer")
        .usage
}

fn counts(tokens: Tokens) -> Vec<(UsageUnit, u64)> {
    tokens.iter().collect()
}

#[test]
fn openais_nested_numbers_become_disjoint() {
    let usage = r#"{"prompt_tokens":100,"completion_tokens":50,"total_tokens":150,
        "prompt_tokens_details":{"cached_tokens":60,"cache_write_tokens":10,"audio_tokens":5,"image_tokens":3},
        "completion_tokens_details":{"reasoning_tokens":30,"audio_tokens":4,"accepted_prediction_tokens":2}}"#;

    let tokens = read(usage).expect("usage");

    assert_eq!(
        counts(tokens),
        [
            (UsageUnit::InputUncached, 22),
            (UsageUnit::InputCacheRead, 60),
            (UsageUnit::InputCacheWrite5m, 10),
            (UsageUnit::InputAudio, 5),
            (UsageUnit::InputImage, 3),
            (UsageUnit::OutputText, 16),
            (UsageUnit::OutputReasoning, 30),
            (UsageUnit::OutputAudio, 4),
        ]
    );
    assert_eq!(
        (tokens.total_input(), tokens.total_output(), tokens.conflicting),
        (100, 50, false)
    );
}

#[test]
fn other_servers_numbers_are_understood() {
    let check = |usage: &str, expected: &[(UsageUnit, u64)], conflicting: bool| {
        let tokens = read(usage).expect(usage);
        assert_eq!(
            (counts(tokens).as_slice(), tokens.conflicting),
            (expected, conflicting),
            "{usage}"
        );
    };
    let (input, cached) = (UsageUnit::InputUncached, UsageUnit::InputCacheRead);
    let (text, reasoning) = (UsageUnit::OutputText, UsageUnit::OutputReasoning);

    let deepseek =
        r#"{"prompt_tokens":10,"completion_tokens":1,"prompt_cache_hit_tokens":8,"prompt_cache_miss_tokens":2}"#;
    check(deepseek, &[(input, 2), (cached, 8), (text, 1)], false);
    let xai = r#"{"prompt_tokens":10,"completion_tokens":5,"total_tokens":22,"completion_tokens_details":{"reasoning_tokens":7}}"#;
    check(xai, &[(input, 10), (text, 5), (reasoning, 7)], false);
    check(
        r#"{"prompt_tokens":3.0,"completion_tokens":null,"total_tokens":5,"prompt_tokens_details":null}"#,
        &[(input, 3), (text, 2)],
        false,
    );
    check(
        r#"{"completion_tokens":2,"total_tokens":5}"#,
        &[(input, 3), (text, 2)],
        false,
    );
    check(r#"{"total_tokens":5}"#, &[(input, 5)], false);
    check(
        r#"{"prompt_tokens":3,"completion_tokens":2,"total_tokens":9}"#,
        &[(input, 3), (text, 2)],
        true,
    );
    check(r#"{"prompt_tokens":5,"completion_tokens":-2}"#, &[(input, 5)], true);
    check(
        r#"{"prompt_tokens":5,"completion_tokens":0,"prompt_tokens_details":{"cached_tokens":9}}"#,
        &[(cached, 5)],
        true,
    );
}

#[test]
fn what_tells_no_totals_is_no_usage() {
    for usage in [
        "null",
        "{}",
        "[]",
        "7",
        r#"{"prompt_tokens":"12"}"#,
        r#"{"prompt_tokens_details":{"cached_tokens":1}}"#,
    ] {
        assert_eq!(read(usage), None, "{usage}");
    }
}

#[test]
fn tokens_are_written_as_a_map_of_what_was_used() {
    let mut tokens = Tokens::default();
    tokens.set(UsageUnit::InputCacheWrite5m, 3);
    tokens.set(UsageUnit::OutputText, 1);
    let check = |tokens: Tokens, text: &str| {
        assert_eq!(serde_json::to_string(&tokens).expect("a map"), text);
        assert_eq!(serde_json::from_str::<Tokens>(text).expect(text), tokens);
    };

    check(Tokens::default(), "{}");
    check(tokens, r#"{"input_cache_write_5m":3,"output_text":1}"#);
    check(
        Tokens {
            conflicting: true,
            ..tokens
        },
        r#"{"input_cache_write_5m":3,"output_text":1,"conflicting":true}"#,
    );
    let unknown = serde_json::from_str::<Tokens>(r#"{"output_smell":3}"#).expect_err("an unknown unit");
    assert_eq!(unknown.to_string(), "unknown unit 'output_smell' at line 1 column 15");
}

#[test]
fn every_unit_has_its_own_place() {
    let mut tokens = Tokens::default();
    for (count, unit) in (1..).zip(UsageUnit::ALL) {
        tokens.set(unit, count);
    }

    assert_eq!(counts(tokens), UsageUnit::ALL.into_iter().zip(1..).collect::<Vec<_>>());
    assert_eq!((tokens.total_input(), tokens.total_output()), (21, 24));
}

proptest! {
    #[test]
    fn the_parts_sum_to_the_providers_totals(
        prompt in 0_u64..1_000, completion in 0_u64..1_000,
        cached in 0_u64..600, written in 0_u64..600, audio in 0_u64..600, reasoning in 0_u64..600, spoken in 0_u64..600,
    ) {
        let total = prompt + completion;
        let usage = format!(
            r#"{{"prompt_tokens":{prompt},"completion_tokens":{completion},"total_tokens":{total},
            "prompt_tokens_details":{{"cached_tokens":{cached},"cache_write_tokens":{written},"audio_tokens":{audio}}},
            "completion_tokens_details":{{"reasoning_tokens":{reasoning},"audio_tokens":{spoken}}}}}"#
        );

        let tokens = read(&usage).expect("usage");

        prop_assert_eq!((tokens.total_input(), tokens.total_output()), (prompt, completion));
        let fits = cached + written + audio <= prompt && reasoning + spoken <= completion;
        prop_assert_eq!(tokens.conflicting, !fits);
    }
}
