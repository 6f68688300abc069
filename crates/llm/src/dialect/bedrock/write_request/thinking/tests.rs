use super::*;
use crate::chat::{Role, Thinking as Thoughts};
use crate::chat::{Signature, Tool, ToolCall, ToolResult, Turn};

fn chat(amount: Amount) -> Chat {
    Chat {
        reasoning: Some(Reasoning { amount, shown: None }),
        ..Chat::default()
    }
}

fn tool() -> Tool {
    Tool {
        name: "t".into(),
        description: None,
        parameters: None,
        strict: None,
        cache: None,
    }
}

/// The model's fields, the effort and what was dropped.
fn check(model: &str, chat: &Chat, fields: &str, effort: Option<&str>, dropped: &str) {
    let mut noted = Dropped::default();
    let plan = plan(chat, Family::of(model), None, &mut noted);
    let written = serde_json::to_string(&plan.fields).expect("JSON");
    assert_eq!(
        (written.as_str(), plan.effort, noted.to_string().as_str()),
        (fields, effort, dropped),
        "{model} {:?}",
        chat.reasoning
    );
}

#[test]
fn claudes_are_told_to_think_in_the_words_of_their_generation() {
    const ADAPTIVE: &str = r#"{"thinking":{"type":"adaptive"}}"#;
    const DISABLED: &str = r#"{"thinking":{"type":"disabled"}}"#;
    let high = chat(Amount::Effort(Effort::High));
    let off = chat(Amount::Off);

    check("anthropic.claude-3-haiku-20240307-v1:0", &high, "{}", None, NAME);
    check("anthropic.claude-3-haiku-20240307-v1:0", &off, "{}", None, "");
    check(
        "anthropic.claude-sonnet-4-5-20250929-v1:0",
        &high,
        r#"{"thinking":{"type":"enabled","budget_tokens":24576}}"#,
        None,
        "",
    );
    check("anthropic.claude-sonnet-4-5-20250929-v1:0", &off, "{}", None, "");
    check("anthropic.claude-opus-4-6-v1", &high, ADAPTIVE, Some("high"), "");
    check("anthropic.claude-opus-4-8", &chat(Amount::Adaptive), ADAPTIVE, None, "");
    check("anthropic.claude-opus-4-8", &off, "{}", None, "");
    check(
        "anthropic.claude-opus-5",
        &chat(Amount::Budget(30_000)),
        ADAPTIVE,
        Some("max"),
        "",
    );
    check("anthropic.claude-opus-5", &off, DISABLED, None, "");
    check("anthropic.claude-opus-5", &Chat::default(), "{}", None, "");
    check("anthropic.claude-fable-5", &off, "{}", None, NAME);
    let mut shown = high;
    shown.reasoning = Some(Reasoning {
        amount: Amount::Effort(Effort::Minimal),
        shown: Some(true),
    });
    check(
        "anthropic.claude-opus-5",
        &shown,
        r#"{"thinking":{"type":"adaptive","display":"summarized"}}"#,
        Some("low"),
        "",
    );
}

#[test]
fn a_forced_call_goes_before_thinking() {
    let mut forced = chat(Amount::Effort(Effort::Low));
    forced.tools = vec![tool()];
    forced.tool_choice = ToolChoice::Required;
    const DISABLED: &str = r#"{"thinking":{"type":"disabled"}}"#;

    check("anthropic.claude-sonnet-4-5-20250929-v1:0", &forced, "{}", None, NAME);
    check("anthropic.claude-opus-4-6-v1", &forced, "{}", None, NAME);
    check("anthropic.claude-opus-5", &forced, DISABLED, None, NAME);
    forced.reasoning = None;
    check("anthropic.claude-opus-5", &forced, DISABLED, None, "");
}

#[test]
fn a_budget_leaves_room_for_the_answer() {
    let check = |amount, max_tokens, expected| assert_eq!(budget(amount, max_tokens), expected);

    check(Amount::Budget(5_000), Some(4_000), Some(3_999));
    check(Amount::Budget(100), Some(4_000), Some(1_024));
    check(Amount::Budget(100), None, Some(1_024));
    check(Amount::Budget(5_000), Some(1_024), None);
    check(Amount::Effort(Effort::High), Some(4_000), Some(2_000));
    check(Amount::Effort(Effort::Low), Some(2_000), None);
    check(Amount::Adaptive, Some(100_000), Some(24_576));
}

#[test]
fn a_claude_whose_thoughts_were_lost_is_not_asked_to_go_on_thinking() {
    let call = ToolCall {
        id: "1".into(),
        name: "t".into(),
        arguments: "{}".into(),
        signature: None,
        cache: None,
    };
    let result = ToolResult {
        call: "1".into(),
        name: None,
        parts: Vec::new(),
        failed: false,
        cache: None,
    };
    let mut chat = chat(Amount::Budget(2_000));
    chat.add(Role::Assistant, [Part::ToolCall(call)]);
    chat.add(Role::User, [Part::ToolResult(result)]);
    const THINKS: &str = r#"{"thinking":{"type":"enabled","budget_tokens":2000}}"#;

    check("anthropic.claude-sonnet-4-5-20250929-v1:0", &chat, "{}", None, NAME);

    let Some(Turn { parts, .. }) = chat.turns.first_mut() else {
        panic!("a turn was added");
    };
    let signature = Signature {
        maker: Maker::Anthropic,
        text: "sig".into(),
    };
    let thoughts = Thoughts {
        text: "hm".into(),
        signature: Some(signature),
    };
    parts.insert(0, Part::Thinking(thoughts));
    check("anthropic.claude-sonnet-4-5-20250929-v1:0", &chat, THINKS, None, "");
}

#[test]
fn other_families_have_their_own_words() {
    let most = chat(Amount::Effort(Effort::Most));
    let off = chat(Amount::Off);
    const NOVA_HIGH: &str = r#"{"reasoningConfig":{"type":"enabled","maxReasoningEffort":"high"}}"#;
    const NOVA_MEDIUM: &str = r#"{"reasoningConfig":{"type":"enabled","maxReasoningEffort":"medium"}}"#;

    check("us.amazon.nova-2-lite-v1:0", &most, NOVA_HIGH, None, "");
    check("us.amazon.nova-2-lite-v1:0", &off, "{}", None, "");
    check("amazon.nova-pro-v1:0", &most, "{}", None, NAME);
    check(
        "openai.gpt-oss-20b-1:0",
        &most,
        r#"{"reasoning_effort":"high"}"#,
        None,
        "",
    );
    check("openai.gpt-oss-20b-1:0", &off, "{}", None, NAME);
    check("openai.gpt-5.5", &most, r#"{"reasoning":{"effort":"xhigh"}}"#, None, "");
    check("moonshotai.kimi-k2.5", &most, r#"{"reasoning_effort":"max"}"#, None, "");
    check("deepseek.v3-v1:0", &most, "{}", None, NAME);
    check("deepseek.v3-v1:0", &chat(Amount::Off), "{}", None, "");
    let mut limited = most;
    limited.sampling.max_tokens = Some(100);
    check("us.amazon.nova-2-lite-v1:0", &limited, NOVA_MEDIUM, None, NAME);
}

#[test]
fn a_budget_leaves_room_in_the_longest_answer_that_the_model_gives() {
    let chat = chat(Amount::Effort(Effort::High));

    let plan = plan(
        &chat,
        Family::of("anthropic.claude-sonnet-4-5-20250929-v1:0"),
        Some(8_192),
        &mut Dropped::default(),
    );

    let written = serde_json::to_string(&plan.fields).expect("JSON");
    assert_eq!(written, r#"{"thinking":{"type":"enabled","budget_tokens":4096}}"#);
}
