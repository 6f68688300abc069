//! Bedrock's dialect over its fixtures: requests as they are written, answers and streams as they are read. The streams
//! are framed here.

mod answers;
mod damaged;
#[path = "../recorded/mod.rs"]
mod recorded;
mod requests;
#[path = "../stored_frames/mod.rs"]
mod stored_frames;

use std::fs;
use std::path::{Path, PathBuf};

use gatewright_llm::chat::{Maker, Part, Signature, Thinking, ToolCall};
use gatewright_llm::dialect::Outbound as _;
use gatewright_llm::dialect::bedrock::BedrockConverse;
use gatewright_llm::event::Event;

use crate::stored_frames::framed;

const CLAUDE: &str = "eu.anthropic.claude-sonnet-4-5-20250929-v1:0";
const ADAPTIVE_CLAUDE: &str = "anthropic.claude-opus-4-6-v1";
const WEATHER: &str = r#"{"type":"object","properties":{"city":{"type":"string"},"unit":{"enum":["celsius","kelvin"]}},"required":["city"],"additionalProperties":false}"#;
const SIGNATURE: &str = "EqQBCkgICRABGAIiQL2v0sZ8m1rUo5yQd7Wc9nVx3LkTfBhGpJqYwEaSiRtNu4KzXvD6eMlOPb+Hs0IgFjCc";
const SEALED: &str = "EmwKAhgBEgy3va3pzix/LafPsn4aDFIT2Xlxh0L5L8rLVyIwxtE3rAFBa8cr3qpP";

fn fixture(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/golden/dialects/bedrock")
        .join(path)
}

fn read(path: &str) -> Vec<u8> {
    fs::read(fixture(path)).expect(path)
}

fn stream(name: &str) -> Vec<u8> {
    framed(&read(&format!("streams/{name}.json")))
}

fn stream_names() -> Vec<String> {
    let entries = fs::read_dir(fixture("streams")).expect("streams");
    let names = entries.filter_map(|entry| {
        let name = entry.expect("an entry").file_name().into_string().expect("a name");
        name.strip_suffix(".json").map(Into::into)
    });
    let mut names: Vec<String> = names.collect();
    names.sort();
    names
}

fn events_of<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> Vec<Event> {
    let mut decoder = BedrockConverse::of(CLAUDE).decoder();
    let mut events = Vec::new();
    for piece in pieces {
        decoder.push(piece, &mut events);
    }
    decoder.end(&mut events);
    events
}

fn call(id: &str, name: &str, arguments: &str) -> Part {
    Part::ToolCall(ToolCall {
        id: id.into(),
        name: name.into(),
        arguments: arguments.into(),
        signature: None,
        cache: None,
    })
}

fn thinking(text: &str, maker: Maker, signature: &str) -> Part {
    let text = text.into();
    let signature = Some(Signature {
        maker,
        text: signature.into(),
    });
    Part::Thinking(Thinking { text, signature })
}
