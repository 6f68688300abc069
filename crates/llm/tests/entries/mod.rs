//! The places where bytes of strangers come in, one for each format: what must bear anything. The property tests here and
//! the fuzz targets in `tests/fuzz` run the same ones. A name is that of the fuzz target, of the corpus
//! that it keeps, and of the folder of recorded examples, where there is one.

mod conversation;
mod lone;

use gatewright_llm::dialect::PathFacts;
use gatewright_llm::dialect::anthropic::{self, Anthropic};
use gatewright_llm::dialect::bedrock::BedrockConverse;
use gatewright_llm::dialect::cohere::Cohere;
use gatewright_llm::dialect::gemini::{self, Gemini};
use gatewright_llm::dialect::openai_chat::{OpenaiChatTo, Quirks};
use gatewright_llm::dialect::openai_responses::{OpenaiResponses, stored};
use gatewright_types::api::Dialect;

use conversation::{answer, passed, request, stream};

pub(crate) struct Entry {
    pub(crate) name: &'static str,
    /// Panics where the bytes break something.
    pub(crate) run: fn(&[u8]),
}

pub(crate) const ENTRIES: [Entry; 12] = [
    Entry {
        name: "anthropic",
        run: |bytes| {
            request(Dialect::AnthropicMessages, bytes, PathFacts::default());
            let _ = anthropic::read_count_request(bytes);
            passed(Dialect::AnthropicMessages, bytes);
            answer(&Anthropic, bytes);
            stream(&Anthropic, bytes);
        },
    },
    Entry {
        name: "bedrock",
        run: |bytes| {
            for model in [&BedrockConverse::Claude, &BedrockConverse::Others] {
                answer(model, bytes);
                stream(model, bytes);
                stream(model, &conversation::framed(bytes));
            }
        },
    },
    Entry {
        name: "cohere",
        run: |bytes| {
            answer(&Cohere, bytes);
            stream(&Cohere, bytes);
        },
    },
    Entry {
        name: "gemini",
        run: |bytes| {
            for stream in [true, false] {
                let model = Some("house-model");
                request(Dialect::GeminiGenerate, bytes, PathFacts { model, stream });
            }
            let _ = gemini::read_count_request(bytes, PathFacts::default());
            passed(Dialect::GeminiGenerate, bytes);
            answer(&Gemini, bytes);
            stream(&Gemini, bytes);
        },
    },
    Entry {
        name: "openai_chat",
        run: |bytes| {
            request(Dialect::OpenaiChat, bytes, PathFacts::default());
            passed(Dialect::OpenaiChat, bytes);
            for quirks in [Quirks::OPENAI, Quirks::COMPATIBLE] {
                answer(&OpenaiChatTo(quirks), bytes);
                stream(&OpenaiChatTo(quirks), bytes);
            }
        },
    },
    Entry {
        name: "openai_completions",
        run: |bytes| {
            request(Dialect::OpenaiCompletions, bytes, PathFacts::default());
            passed(Dialect::OpenaiCompletions, bytes);
        },
    },
    Entry {
        name: "openai_responses",
        run: |bytes| {
            request(Dialect::OpenaiResponses, bytes, PathFacts::default());
            passed(Dialect::OpenaiResponses, bytes);
            let _ = stored::links(bytes);
            let _ = stored::id_of(bytes);
            let _ = stored::output_items(bytes);
            let _ = stored::input_items(bytes, "resp_1");
            answer(&OpenaiResponses, bytes);
            stream(&OpenaiResponses, bytes);
        },
    },
    Entry {
        name: "embeddings",
        run: lone::embeddings,
    },
    Entry {
        name: "errors",
        run: lone::error,
    },
    Entry {
        name: "forward",
        run: lone::forward,
    },
    Entry {
        name: "sandbox",
        run: lone::sandboxed,
    },
    Entry {
        name: "stream",
        run: lone::chat_stream,
    },
];
