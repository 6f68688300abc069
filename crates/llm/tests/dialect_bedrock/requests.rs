//! Requests as they are written.

use gatewright_llm::chat::{
    Amount, CacheMark, Chat, Effort, Format, Json, Maker, Media, MediaKind, Part, Reasoning, Role, Schema, Source,
    Text, Tool, ToolChoice, ToolResult, Turn,
};
use gatewright_llm::dialect::bedrock::BedrockConverse;
use gatewright_llm::dialect::{Outbound as _, TargetFacts};

use crate::recorded::compare;
use crate::{ADAPTIVE_CLAUDE, CLAUDE, SEALED, SIGNATURE, WEATHER, call, fixture, read, thinking};

fn conversation(parts: impl IntoIterator<Item = Part>) -> Chat {
    Chat {
        turns: vec![Turn {
            role: Role::User,
            parts: parts.into_iter().collect(),
        }],
        ..Chat::default()
    }
}

fn weather() -> Tool {
    Tool {
        name: "get_weather".into(),
        description: Some("The weather in a city.".into()),
        parameters: Json::parse(WEATHER),
        strict: None,
        cache: None,
    }
}

fn media(kind: MediaKind, base64: &str, media_type: &str, name: Option<&str>) -> Part {
    Part::Media(Media {
        kind,
        source: Source::Base64(base64.into()),
        media_type: Some(media_type.into()),
        name: name.map(Into::into),
        detail: None,
        cache: None,
    })
}

const PNG: &str = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";

/// The model and the chat of each request that is kept.
fn requests() -> Vec<(&'static str, &'static str, Chat)> {
    let mut basic = conversation([Part::text("What is the capital of Norway?")]);
    basic.instructions = vec![Text::new("Answer in one sentence.")];
    basic.sampling.max_tokens = Some(512);
    basic.sampling.temperature = serde_json::Number::from_f64(0.2);
    basic.sampling.stop = vec!["\n\nUser:".into()];

    let mut tools = conversation([Part::text("What is the weather in Zürich?")]);
    tools.tools = vec![weather()];
    tools.tool_choice = ToolChoice::Required;
    tools.turns.push(Turn {
        role: Role::Assistant,
        parts: vec![call(
            "tooluse_7bTz4kQ2Rm-9xYvLcA0dJg",
            "get_weather",
            r#"{"city":"Zürich"}"#,
        )],
    });
    tools.turns.push(Turn {
        role: Role::User,
        parts: vec![Part::ToolResult(ToolResult {
            call: "tooluse_7bTz4kQ2Rm-9xYvLcA0dJg".into(),
            name: None,
            parts: vec![
                Part::text("the station does not answer"),
                media(MediaKind::Image, PNG, "image/png", None),
            ],
            failed: true,
            cache: None,
        })],
    });

    let files = conversation([
        Part::text("What is in these?"),
        media(MediaKind::Image, PNG, "image/png", None),
        media(
            MediaKind::Document,
            "JVBERi0xLjQKJSVFT0YK",
            "application/pdf",
            Some("report_2026.pdf"),
        ),
    ]);

    let mut structured = conversation([Part::text("Who wrote the first program?")]);
    structured.format = Format::Schema(Schema {
        name: "person".into(),
        description: Some("A person.".into()),
        schema: Json::parse(r#"{"type":"object","properties":{"name":{"type":"string"},"born":{"type":"integer"}},"required":["name","born"],"additionalProperties":false}"#).expect("JSON"),
        strict: Some(true),
    });

    let mut reasoning = conversation([Part::text("What is 17 times 23?")]);
    reasoning.reasoning = Some(Reasoning {
        amount: Amount::Effort(Effort::Medium),
        shown: Some(true),
    });
    reasoning.turns.push(Turn {
        role: Role::Assistant,
        parts: vec![
            thinking("17 times 20 is 340", Maker::Anthropic, SIGNATURE),
            thinking("", Maker::AnthropicRedacted, SEALED),
            Part::text("391"),
        ],
    });
    reasoning.turns.push(Turn {
        role: Role::User,
        parts: vec![Part::text("And times 2?")],
    });
    let mut budgeted = reasoning.clone();
    budgeted.sampling.max_tokens = Some(6_000);

    let mut cached = conversation([
        Part::Text(Text {
            text: "A long book.".into(),
            cache: Some(CacheMark::FiveMinutes),
        }),
        Part::text("Where does it begin?"),
    ]);
    cached.instructions = vec![Text {
        text: "You read books.".into(),
        cache: Some(CacheMark::OneHour),
    }];
    cached.tools = vec![Tool {
        cache: Some(CacheMark::OneHour),
        ..weather()
    }];

    let mut nova = basic.clone();
    nova.sampling.top_k = Some(20);
    nova.reasoning = reasoning.reasoning.clone();

    vec![
        ("basic", CLAUDE, basic),
        ("tools", CLAUDE, tools),
        ("files", CLAUDE, files),
        ("structured", CLAUDE, structured),
        ("reasoning", ADAPTIVE_CLAUDE, reasoning),
        ("budget", CLAUDE, budgeted),
        ("cached", CLAUDE, cached),
        ("nova", "us.amazon.nova-2-lite-v1:0", nova),
    ]
}

/// The bodies in `requests` were checked against botocore 1.44.8's model of the API: with base64 made bytes again,
/// `ParamValidator().validate(body, operation_model("Converse").input_shape)` reports nothing.
#[test]
fn requests_are_written_as_they_are_kept() {
    for (name, model, chat) in requests() {
        let target = TargetFacts {
            model,
            output_limit: None,
        };

        let written = BedrockConverse::of(model).write_request(&chat, target).expect(name);

        let mut body = written.body;
        body.push(b'\n');
        compare(&fixture(&format!("requests/{name}.json")), body).unwrap_or_else(|differs| panic!("{differs}"));
    }
}

/// What is read from an answer can be given back in the next request.
#[test]
fn an_answer_goes_back_as_it_came() {
    for name in ["tools", "reasoning"] {
        let body = read(&format!("answers/{name}.json"));
        let answer = BedrockConverse::of(CLAUDE).read_answer(&body).expect(name);
        let chat = Chat {
            turns: vec![Turn {
                role: Role::Assistant,
                parts: answer.parts,
            }],
            ..Chat::default()
        };
        let target = TargetFacts {
            model: CLAUDE,
            output_limit: None,
        };

        let written = BedrockConverse::of(CLAUDE).write_request(&chat, target).expect(name);

        let came: serde_json::Value = serde_json::from_slice(&body).expect(name);
        let went: serde_json::Value = serde_json::from_slice(&written.body).expect(name);
        assert_eq!(went["messages"][0], came["output"]["message"], "{name}");
    }
}
