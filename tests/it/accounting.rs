//! What a provider says of its own bill: the tier a request was served in, which decides its prices, and what it charges;
//! and what is counted where it says nothing.

use std::time::Duration;

use gatewright_types::api::{Outcome, ServedTier, UsageRow};
use gatewright_types::{Money, UsageUnit};
use harness::chat::{question, request_id, streaming};
use harness::http::Request;
use harness::installation::Installation;
use harness::organization::{Key, Organization, provider};
use harness::sse;
use harness::upstream::{Script, Upstream};
use harness::wait::{SOON, eventually};
use serde_json::{Value, json};
use tokio::time::Instant;

/// An organization that asks `m` of a provider of this kind, by the catalogue's price.
async fn organization(upstream: &Upstream, kind: &str, model: &str) -> (Organization, Key) {
    let provider = provider(kind, &upstream.base_url());
    Organization::with_model(Installation::shared().await, &provider, model).await
}

fn chat_answer(members: &Value) -> Value {
    let mut answer = json!({
        "id": "chatcmpl-1", "object": "chat.completion", "created": 1_794_200_000, "model": "x",
        "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "Hello."}}],
        "usage": {"prompt_tokens": 1000, "completion_tokens": 100, "total_tokens": 1100},
    });
    let into = answer.as_object_mut().expect("an object");
    into.extend(members.as_object().expect("an object").clone());
    answer
}

fn claude_answer(usage: &Value) -> Value {
    json!({
        "id": "msg_1", "type": "message", "role": "assistant", "model": "x", "stop_reason": "end_turn",
        "content": [{"type": "text", "text": "Hello."}], "usage": usage,
    })
}

fn gemini_answer(usage: &Value) -> Value {
    json!({
        "candidates": [{"content": {"role": "model", "parts": [{"text": "Hello."}]}, "finishReason": "STOP"}],
        "usageMetadata": usage,
    })
}

fn amount(money: Option<Money>) -> Option<String> {
    money.map(|money| money.amount.to_string())
}

async fn asked(organization: &Organization, key: &Key) -> UsageRow {
    let answer = organization.chat(key).ask("m").await.expect(200);
    let row = organization.usage(&request_id(&answer)).await;
    let told = amount(row.cost).unwrap_or_else(|| "unpriced".to_owned());
    assert_eq!(answer.headers.need("x-gw-cost-usd"), told);
    row
}

#[tokio::test]
async fn a_request_is_priced_by_the_tier_its_provider_says_it_was_served_in() {
    let check = async |kind: &str, model: &str, script: Script, tier: Option<ServedTier>, cost: Option<&str>| {
        let upstream = Upstream::start().await;
        let (organization, key) = organization(&upstream, kind, model).await;
        // Google's models are in the address.
        upstream.on(&format!("/v1/models/{model}:generateContent"), script.clone());
        upstream.on(model, script);

        let row = asked(&organization, &key).await;

        assert_eq!(
            (row.service_tier, amount(row.cost).as_deref()),
            (tier, cost),
            "{kind} {model}: {row:?}"
        );
        // Whether it is priced or not, what was used is known.
        let quantities: Vec<_> = row.lines.iter().map(|line| (line.unit, line.quantity)).collect();
        assert_eq!(
            quantities,
            [(UsageUnit::InputUncached, 1000), (UsageUnit::OutputText, 100)]
        );
        assert!(row.lines.iter().all(|line| line.price.is_some() == cost.is_some()));
    };
    let chat = |tier: Value| Script::json(200, &chat_answer(&json!({"service_tier": tier})));
    let claude = |members: Value| {
        let mut usage = json!({"input_tokens": 1000, "output_tokens": 100});
        let into = usage.as_object_mut().expect("an object");
        into.extend(members.as_object().expect("an object").clone());
        Script::json(200, &claude_answer(&usage))
    };
    let gemini = |tier: Value| {
        let mut usage = json!({"promptTokenCount": 1000, "candidatesTokenCount": 100, "totalTokenCount": 1100});
        usage
            .as_object_mut()
            .expect("an object")
            .insert("trafficType".to_owned(), tier);
        Script::json(200, &gemini_answer(&usage))
    };

    // 1.25 and 10.00 dollars per million, and what the catalogue says of the other tiers.
    check("openai", "gpt-5", chat(Value::Null), None, Some("0.00225")).await;
    let standard = Some(ServedTier::Standard);
    check("openai", "gpt-5", chat(json!("default")), standard, Some("0.00225")).await;
    check(
        "openai",
        "gpt-5",
        chat(json!("flex")),
        Some(ServedTier::Flex),
        Some("0.001125"),
    )
    .await;
    check(
        "openai",
        "gpt-5",
        chat(json!("priority")),
        Some(ServedTier::Priority),
        Some("0.0045"),
    )
    .await;
    check(
        "openai",
        "gpt-5",
        chat(json!("scale")),
        Some(ServedTier::Provisioned),
        None,
    )
    .await;
    check("openai", "gpt-5", chat(json!("warp")), Some(ServedTier::Unknown), None).await;
    let groq = "openai/gpt-oss-20b";
    check("groq", groq, chat(json!("on_demand")), standard, Some("0.000105")).await;
    check(
        "groq",
        groq,
        chat(json!("flex")),
        Some(ServedTier::Flex),
        Some("0.000105"),
    )
    .await;
    let opus = "claude-opus-4-8";
    check(
        "anthropic",
        opus,
        claude(json!({"service_tier": "standard"})),
        standard,
        Some("0.0075"),
    )
    .await;
    let fast = claude(json!({"service_tier": "standard", "speed": "fast"}));
    check("anthropic", opus, fast, Some(ServedTier::Fast), Some("0.015")).await;
    let priority = claude(json!({"service_tier": "priority"}));
    check("anthropic", opus, priority, Some(ServedTier::Priority), None).await;
    let flash = "gemini-2.5-pro";
    check("gemini", flash, gemini(json!("ON_DEMAND")), standard, Some("0.00225")).await;
    let flex = gemini(json!("ON_DEMAND_FLEX"));
    check("gemini", flash, flex, Some(ServedTier::Flex), Some("0.001125")).await;
    let by_header = gemini(Value::Null).header("x-gemini-service-tier", "priority");
    check("gemini", flash, by_header, Some(ServedTier::Priority), Some("0.00405")).await;
}

#[tokio::test]
async fn a_stream_tells_its_tier_too() {
    let upstream = Upstream::start().await;
    let (organization, key) = organization(&upstream, "openai", "gpt-5").await;
    let told = |event: String| event.replacen('{', r#"{"service_tier":"flex","#, 1);
    let pieces = [
        told(sse::content("Hello.")),
        told(sse::finish()),
        told(sse::usage(1000, 100)),
    ];
    upstream.on(
        "gpt-5",
        Script::stream(pieces.iter().map(String::as_str).chain([sse::DONE])),
    );

    let answer = organization.chat(&key).send(&streaming("m")).await.expect(200);

    assert!(answer.text().contains(r#""service_tier":"flex""#), "{}", answer.text());
    let row = organization.usage(&request_id(&answer)).await;
    assert_eq!(
        (row.service_tier, amount(row.cost).as_deref(), row.estimated),
        (Some(ServedTier::Flex), Some("0.001125"), false)
    );
}

#[tokio::test]
async fn a_price_of_ones_own_is_for_the_usual_tier() {
    let upstream = Upstream::start().await;
    let (organization, key) = organization(&upstream, "openai", "gpt-5").await;
    organization
        .price("up", "gpt-5", &json!({"input": "1", "output": "1"}))
        .await;
    upstream.on(
        "gpt-5",
        Script::json(200, &chat_answer(&json!({"service_tier": "default"}))),
    );
    eventually("the price is known", SOON, async || {
        let row = asked(&organization, &key).await;
        (amount(row.cost).as_deref() == Some("0.0011")).then_some(())
    })
    .await;

    upstream.on(
        "gpt-5",
        Script::json(200, &chat_answer(&json!({"service_tier": "priority"}))),
    );
    let row = asked(&organization, &key).await;

    assert_eq!((row.service_tier, row.cost), (Some(ServedTier::Priority), None));
}

#[tokio::test]
async fn what_a_provider_charges_is_kept_beside_our_bill() {
    let check = async |kind: &str, model: &str, usage: Value, charged: &str, more: &str| {
        let upstream = Upstream::start().await;
        let (organization, key) = organization(&upstream, kind, model).await;
        organization
            .price("up", model, &json!({"input": "1", "output": "2"}))
            .await;
        let mut told = json!({"prompt_tokens": 10, "completion_tokens": 20, "total_tokens": 30});
        let into = told.as_object_mut().expect("an object");
        into.extend(usage.as_object().expect("an object").clone());
        upstream.on(model, Script::json(200, &chat_answer(&json!({"usage": told}))));

        let row = eventually("the price is known", SOON, async || {
            let row = asked(&organization, &key).await;
            row.cost.is_some().then_some(row)
        })
        .await;

        let told = [row.cost, row.provider_cost, row.cost_difference].map(amount);
        let expected = ["0.00005", charged, more].map(|text| Some(text.to_owned()));
        assert_eq!(told, expected, "{kind}");
    };

    let openrouter = json!({"cost": 0.000045, "cost_details": {"upstream_inference_cost": null}});
    check("openrouter", "vendor/any", openrouter, "0.000045", "-0.000005").await;
    check(
        "xai",
        "grok-any",
        json!({"cost_in_usd_ticks": 500_000}),
        "0.00005",
        "0.00",
    )
    .await;
    let perplexity = json!({"cost": {"input_tokens_cost": 0.00001, "total_cost": 0.00505}});
    check("perplexity", "sonar-any", perplexity, "0.00505", "0.005").await;
}

#[tokio::test]
async fn a_charge_is_kept_where_no_price_is_known_and_of_streams() {
    let upstream = Upstream::start().await;
    let (organization, key) = organization(&upstream, "openrouter", "vendor/nobody-knows").await;
    let usage = sse::usage(10, 20).replace("\"usage\":{", "\"usage\":{\"cost\":1.5e-05,");
    let pieces = [sse::content("Hello."), sse::finish(), usage];
    upstream.on(
        "vendor/nobody-knows",
        Script::stream(pieces.iter().map(String::as_str).chain([sse::DONE])),
    );

    let answer = organization.chat(&key).send(&streaming("m")).await.expect(200);

    let row = organization.usage(&request_id(&answer)).await;
    assert_eq!(
        [row.cost, row.provider_cost, row.cost_difference].map(amount),
        [None, Some("0.000015".to_owned()), None]
    );
    let page = organization.path("/usage?limit=1");
    let row = organization.owner.get(&page).await.expect(200).json();
    let charge = row.pointer("/items/0/provider_cost").cloned();
    assert_eq!(charge, Some(json!({"amount": "0.000015", "currency": "USD"})));

    upstream.on("vendor/nobody-knows", Script::json(200, &chat_answer(&json!({}))));
    let answer = organization.chat(&key).send(&question("m")).await.expect(200);
    let row = organization.usage(&request_id(&answer)).await;
    assert_eq!(
        (row.service_tier, row.provider_cost, row.cost_difference),
        (None, None, None)
    );
}

fn thought(text: &str) -> String {
    sse::data(&json!({"choices": [{"index": 0, "delta": {"reasoning_content": text}, "finish_reason": null}]}))
}

fn quantities(row: &UsageRow) -> Vec<(UsageUnit, u64)> {
    row.lines.iter().map(|line| (line.unit, line.quantity)).collect()
}

/// "user" and "Say hello." are four tokens, and six are around them.
const ASKED: (UsageUnit, u64) = (UsageUnit::InputUncached, 10);
const SAID: (UsageUnit, u64) = (UsageUnit::OutputText, 3);
const THOUGHT: (UsageUnit, u64) = (UsageUnit::OutputReasoning, 4);

#[tokio::test]
async fn a_stream_that_never_says_what_was_used_is_tokenized_as_far_as_it_was_delivered() {
    let upstream = Upstream::start().await;
    let (organization, key) = organization(&upstream, "openai-compatible", "any").await;
    let pieces = || {
        [
            thought("Hello, "),
            thought("world!"),
            sse::content("Say"),
            sse::content(" hello."),
        ]
    };
    let scripts = [
        (
            "whole",
            Script::stream(pieces()).send(sse::finish()).send(sse::DONE),
            Outcome::Complete,
        ),
        ("cut", Script::stream(pieces()).cut(), Outcome::Cut),
        (
            "half an event",
            Script::stream(pieces()).send("data: {\"choices\":[{").cut(),
            Outcome::Cut,
        ),
    ];

    for (name, script, outcome) in scripts {
        upstream.on("any", script);
        let passed = organization.chat(&key).send(&streaming("m")).await.expect(200);
        let translated = Request::new("POST", "/v1/messages")
            .header("x-api-key", &key.secret)
            .json(&json!({"model": "m", "max_tokens": 9, "stream": true,
                "messages": [{"role": "user", "content": "Say hello."}]}));
        let translated = translated
            .send(organization.chat(&key).address)
            .await
            .expect("an answer");

        for answer in [passed, translated.expect(200)] {
            let row = organization.usage(&request_id(&answer)).await;
            assert_eq!((row.outcome, row.estimated), (outcome, true), "{name}: {row:?}");
            assert_eq!(quantities(&row), [ASKED, SAID, THOUGHT], "{name}");
        }
    }
}

#[tokio::test]
async fn calls_of_tools_are_tokenized_too() {
    let upstream = Upstream::start().await;
    let (organization, key) = organization(&upstream, "openai-compatible", "any").await;
    let call = |function: Value| {
        let calls = json!([{"index": 0, "id": "call_1", "type": "function", "function": function}]);
        sse::data(&json!({"choices": [{"index": 0, "delta": {"tool_calls": calls}, "finish_reason": null}]}))
    };
    let pieces = [
        call(json!({"name": "hello", "arguments": ""})),
        call(json!({"arguments": " Say"})),
        call(json!({"arguments": " hello."})),
    ];
    upstream.on("any", Script::stream(pieces).cut());

    let answer = organization.chat(&key).send(&streaming("m")).await.expect(200);

    let row = organization.usage(&request_id(&answer)).await;
    assert_eq!(quantities(&row), [ASKED, (UsageUnit::OutputText, 4)]);
}

#[tokio::test]
async fn what_a_caller_heard_before_hanging_up_is_tokenized() {
    let upstream = Upstream::start().await;
    let (organization, key) = organization(&upstream, "openai-compatible", "any").await;
    upstream.on(
        "any",
        Script::stream([sse::content("Say"), sse::content(" hello.")]).stall(),
    );

    let mut stream = organization.chat(&key).begin(&streaming("m")).await;
    stream.until(" hello.").await;
    drop(stream);

    let row = organization.only_usage().await;
    assert_eq!((row.outcome, row.estimated), (Outcome::ClientGone, true));
    assert_eq!(quantities(&row), [ASKED, SAID]);
}

#[tokio::test]
async fn a_whole_answer_without_usage_is_tokenized_and_says_so() {
    let upstream = Upstream::start().await;
    let (organization, key) = organization(&upstream, "openai-compatible", "any").await;
    let message = json!({"role": "assistant", "content": "Say hello.", "reasoning_content": "Hello, world!"});
    let told = json!({"id": "x", "choices": [{"index": 0, "message": message, "finish_reason": "stop"}]});
    upstream.on("any", Script::json(200, &told));

    let answer = organization.chat(&key).ask("m").await.expect(200);

    assert_eq!(answer.headers.need("x-gw-estimated"), "true");
    let row = organization.usage(&request_id(&answer)).await;
    assert!(row.estimated);
    assert_eq!(quantities(&row), [ASKED, SAID, THOUGHT]);
}

#[tokio::test]
async fn a_hostile_text_is_counted_in_bounded_time_and_holds_nobody_up() {
    let upstream = Upstream::start().await;
    let (organization, key) = organization(&upstream, "openai-compatible", "any").await;
    upstream.on("any", Script::json(200, &json!({"id": "x", "choices": []})));
    let hostile = json!({"model": "m", "messages": [{"role": "user", "content": "a".repeat(8 << 20)}]});

    let (chat, began) = (organization.chat(&key), Instant::now());
    let answer = chat.send(&hostile).await.expect(200);

    assert!(
        began.elapsed() < Duration::from_secs(30),
        "it took {:?}",
        began.elapsed()
    );
    let row = organization.usage(&request_id(&answer)).await;
    let [(UsageUnit::InputUncached, tokens)] = quantities(&row)[..] else {
        panic!("{row:?}")
    };
    assert!((1 << 16..8 << 20).contains(&tokens), "{tokens}");
}

#[tokio::test]
async fn a_price_of_ones_own_says_what_other_sizes_and_other_tiers_cost() {
    let upstream = Upstream::start().await;
    let (organization, key) = organization(&upstream, "openai-compatible", "own").await;
    let price = json!({
        "provider": "up", "model": "own", "rates": {"input": "1000.00", "output": "2000.00"},
        "tiers": [
            {"above_input_tokens": 5000, "rates": {"input": "3000.00"}},
            {"above_input_tokens": 900, "rates": {"input": "2000.00", "output": "5000.00"}},
        ],
        "service_tiers": [
            {"service_tier": "flex", "rates": {"input": "500.00", "output": "1000.00"},
             "tiers": [{"above_input_tokens": 900, "rates": {"input": "700.00"}}]},
            {"service_tier": "priority", "rates": {"input": "9000.00"}},
        ],
    });
    let prices = organization.path("/prices");
    let made = organization.owner.post(&prices, &price).await.expect(201).json();
    assert_eq!(made["tiers"], price["tiers"]);
    assert_eq!(made["service_tiers"], price["service_tiers"]);
    let costs = async |input: u64, tier: Value| {
        let usage = json!({"prompt_tokens": input, "completion_tokens": 100, "total_tokens": input + 100});
        upstream.on(
            "own",
            Script::json(200, &chat_answer(&json!({"service_tier": tier, "usage": usage}))),
        );
        amount(asked(&organization, &key).await.cost)
    };
    eventually("the price is known", SOON, async || {
        costs(100, Value::Null).await.map(|_| ())
    })
    .await;

    let check = async |input, tier: Value, expected: Option<&str>| {
        assert_eq!(costs(input, tier.clone()).await.as_deref(), expected, "{input} {tier}");
    };
    check(900, Value::Null, Some("1.10")).await;
    // Of the whole request.
    check(901, Value::Null, Some("2.302")).await;
    // A unit that a tier does not name costs what is usual.
    check(5001, Value::Null, Some("15.203")).await;
    check(100, json!("flex"), Some("0.15")).await;
    check(1000, json!("flex"), Some("0.80")).await;
    // One that a way to be served does not name has no price there.
    check(100, json!("priority"), None).await;
    check(100, json!("batch"), None).await;
    for (field, wrong) in [
        ("rates", json!({"rates": {}})),
        (
            "tiers[0].rates",
            json!({"tiers": [{"above_input_tokens": 1, "rates": {}}]}),
        ),
        (
            "tiers[1].above_input_tokens",
            json!({"tiers": [
                {"above_input_tokens": 1, "rates": {"input": "1"}}, {"above_input_tokens": 1, "rates": {"input": "2"}},
            ]}),
        ),
        (
            "service_tiers[1].service_tier",
            json!({"service_tiers": [
                {"service_tier": "flex", "rates": {"input": "1"}}, {"service_tier": "flex", "rates": {"input": "2"}},
            ]}),
        ),
    ] {
        let mut price = price.clone();
        price
            .as_object_mut()
            .expect("an object")
            .extend(wrong.as_object().expect("an object").clone());
        let refused = organization.owner.post(&prices, &price).await.expect(422).json();
        let fields = refused["error"]["fields"].as_object().expect("fields");
        assert_eq!(fields.keys().collect::<Vec<_>>(), [field], "{refused}");
    }
}

#[tokio::test]
async fn staying_within_the_united_states_costs_more_by_any_price() {
    let upstream = Upstream::start().await;
    let (organization, key) = organization(&upstream, "anthropic", "claude-opus-4-6").await;
    let answer = |geo: &str| {
        let usage = json!({"input_tokens": 1000, "output_tokens": 100, "inference_geo": geo});
        Script::json(200, &claude_answer(&usage))
    };
    let costs = async |geo: &str| {
        upstream.on("claude-opus-4-6", answer(geo));
        let row = asked(&organization, &key).await;
        let version = row
            .lines
            .first()
            .and_then(|line| line.price_version.clone())
            .unwrap_or_default();
        (amount(row.cost), version.ends_with("+us"))
    };

    // 5 and 25 dollars per million.
    assert_eq!(costs("global").await, (Some("0.0075".to_owned()), false));
    assert_eq!(costs("us").await, (Some("0.00825".to_owned()), true));
    assert_eq!(costs("mars").await, (None, false));
    organization
        .price("up", "claude-opus-4-6", &json!({"input": "10", "output": "10"}))
        .await;
    eventually("the own price applies", SOON, async || {
        (costs("global").await.0.as_deref() == Some("0.011")).then_some(())
    })
    .await;
    assert_eq!(costs("us").await, (Some("0.0121".to_owned()), true));
}

#[tokio::test]
async fn searches_are_counted_as_they_are_told_and_priced_where_their_price_is_known() {
    let upstream = Upstream::start().await;
    let (organization, key) = organization(&upstream, "perplexity", "sonar").await;
    let usage = json!({"prompt_tokens": 1000, "completion_tokens": 100, "total_tokens": 1100, "num_search_queries": 3});
    upstream.on("sonar", Script::json(200, &chat_answer(&json!({"usage": usage}))));

    let row = asked(&organization, &key).await;

    assert_eq!(row.cost, None, "{row:?}");
    let searches = row.lines.iter().find(|line| line.unit == UsageUnit::WebSearch);
    assert_eq!(searches.map(|line| line.quantity), Some(3));
    // 5 dollars for a thousand searches.
    let own = json!({"input": "1", "output": "1", "web_search": "5000"});
    organization.price("up", "sonar", &own).await;
    eventually("the own price applies", SOON, async || {
        (amount(asked(&organization, &key).await.cost).as_deref() == Some("0.0161")).then_some(())
    })
    .await;
}
