//! Embeddings of each caller's dialect with each provider's: what is asked, what becomes of the answers. One file a pair.

mod recorded;

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use gatewright_llm::embed::{Amount, EmbedAnswer, EmbedContents, EmbedDialect, EmbedRequest, Encoding, Shares, embeds};
use gatewright_types::api::{BedrockApi, Dialect, ProviderKind};
use serde_json::{Value, json};

use crate::recorded::compare;

/// Texts of the case that has more of them than the vendor takes at once.
fn many(dialect: EmbedDialect) -> usize {
    dialect.most(model(dialect)) + 1
}

fn callers() -> impl Iterator<Item = Dialect> {
    Dialect::ALL.into_iter().filter(|dialect| dialect.embeds())
}

const fn model(dialect: EmbedDialect) -> &'static str {
    match dialect {
        EmbedDialect::Openai => "text-embedding-3-small",
        EmbedDialect::Gemini => "gemini-embedding-001",
        EmbedDialect::Vertex => "text-embedding-005",
        EmbedDialect::Cohere => "embed-v4.0",
        EmbedDialect::CohereOnBedrock => "cohere.embed-v4:0",
        EmbedDialect::Titan => "amazon.titan-embed-text-v2:0",
    }
}

/// What a caller sends, by what is special about it.
fn cases(caller: Dialect, dialect: EmbedDialect) -> Vec<(&'static str, Value)> {
    let content = |text: &str| json!({"parts": [{"text": text}]});
    let texts = || (0..many(dialect)).map(|number| format!("t{number}"));
    match caller {
        Dialect::GeminiEmbed => vec![
            ("one", json!({"model": "models/m", "content": content("Say hello.")})),
            (
                "options",
                json!({"content": content("Say hello."), "taskType": "RETRIEVAL_DOCUMENT", "title": "Greetings",
                       "output_dimensionality": 2, "x": 1}),
            ),
            (
                "options of the newer kind",
                json!({"content": content("Say hello."),
                       "embedContentConfig": {"taskType": "CLUSTERING", "outputDimensionality": 2, "autoTruncate": true}}),
            ),
            (
                "a task of Google's only",
                json!({"content": content("Say hello."), "taskType": "FACT_VERIFICATION"}),
            ),
            (
                "several parts",
                json!({"content": {"role": "user", "parts": [{"text": "Say"}, {"text": "hello."}]}}),
            ),
            (
                "a picture",
                json!({"content": {"parts": [{"text": "a"}, {"inlineData": {"mimeType": "image/png", "data": "AA=="}}]}}),
            ),
            ("nothing", json!({"content": {"parts": []}})),
        ],
        Dialect::GeminiBatchEmbed => vec![
            (
                "two",
                json!({"requests": [{"model": "models/m", "content": content("Say")},
                                    {"model": "models/m", "content": content("hello.")}]}),
            ),
            (
                "options",
                json!({"requests": [{"content": content("Say"), "taskType": "RETRIEVAL_QUERY", "title": "A", "outputDimensionality": 2},
                                    {"content": content("hello."), "taskType": "RETRIEVAL_QUERY", "outputDimensionality": 2}]}),
            ),
            (
                "options that differ",
                json!({"requests": [{"content": content("Say"), "outputDimensionality": 2}, {"content": content("hello.")}]}),
            ),
            (
                "many",
                json!({"requests": texts().map(|text| json!({"model": "models/m", "content": content(&text)})).collect::<Vec<_>>()}),
            ),
            ("no content", json!({"requests": [{"model": "models/m"}]})),
        ],
        _ => vec![
            ("one", json!({"model": "m", "input": "Say hello.", "user": "u"})),
            (
                "two in base64",
                json!({"model": "m", "input": ["Say", "hello."], "encoding_format": "base64"}),
            ),
            (
                "options",
                json!({"model": "m", "input": "Say hello.", "dimensions": 2, "input_type": "search_query"}),
            ),
            (
                "a task of Cohere's only",
                json!({"model": "m", "input": "Say hello.", "input_type": "image"}),
            ),
            ("tokens", json!({"model": "m", "input": [[1, 2], [3]]})),
            ("many", json!({"model": "m", "input": texts().collect::<Vec<_>>()})),
        ],
    }
}

/// How the caller is answered.
#[derive(Clone, Copy)]
enum Telling {
    Openai(Encoding),
    Gemini(Amount),
}

impl Telling {
    fn write(self, answer: &EmbedAnswer, dialect: EmbedDialect) -> Vec<u8> {
        match self {
            Self::Openai(encoding) => answer.write(encoding, model(dialect)),
            Self::Gemini(amount) => answer.write_gemini(amount),
        }
    }
}

/// As the proxy puts it to the provider; a refusal says where.
fn asked(caller: Dialect, dialect: EmbedDialect, body: &Value) -> Result<(Shares, Telling), String> {
    let body = Bytes::from(body.to_string());
    let refused = |param: &str, message: &str| format!("{param}: {message}");
    let amount = match caller {
        Dialect::GeminiEmbed => Amount::One,
        Dialect::GeminiBatchEmbed => Amount::Several,
        _ => {
            let request = EmbedRequest::parse(body).map_err(|bad| bad.message)?;
            let telling = Telling::Openai(request.encoding());
            let written = request.read().and_then(|wanted| dialect.write(&wanted, model(dialect)));
            return written
                .map(|shares| (shares, telling))
                .map_err(|unsupported| refused(unsupported.param, &unsupported.message));
        }
    };
    let contents = EmbedContents::parse(body, amount).map_err(|bad| bad.message)?;
    let telling = Telling::Gemini(amount);
    // Google's own callers pass.
    if dialect == EmbedDialect::Gemini {
        let shares = Shares {
            bodies: contents.forward(model(dialect)),
            dropped: gatewright_llm::dialect::Dropped::default(),
        };
        return Ok((shares, telling));
    }
    let wanted = contents
        .read()
        .map_err(|bad| refused(bad.param.as_deref().unwrap_or_default(), &bad.message))?;
    let written = dialect.write(&wanted, model(dialect));
    written
        .map(|shares| (shares, telling))
        .map_err(|unsupported| refused(unsupported.param, &unsupported.message))
}

/// What a provider says to so many texts, of which `first` is the number of the first one.
fn said(dialect: EmbedDialect, first: usize, count: usize) -> Value {
    let vectors: Vec<_> = (first..first + count).map(|number| json!([number, -0.5])).collect();
    match dialect {
        EmbedDialect::Openai => {
            let entry = |(index, vector)| json!({"object": "embedding", "index": index, "embedding": vector});
            let data: Vec<_> = vectors.iter().enumerate().map(entry).rev().collect();
            json!({"object": "list", "data": data, "model": "m-1", "usage": {"prompt_tokens": 3, "total_tokens": 3}})
        }
        EmbedDialect::Gemini => {
            let embeddings: Vec<_> = vectors.iter().map(|values| json!({"values": values})).collect();
            json!({"embeddings": embeddings, "usageMetadata": {"promptTokenCount": 3}})
        }
        EmbedDialect::Vertex => {
            let prediction = |values| json!({"embeddings": {"values": values, "statistics": {"token_count": 3}}});
            json!({"predictions": vectors.iter().map(prediction).collect::<Vec<_>>()})
        }
        EmbedDialect::Cohere => {
            json!({"embeddings": {"float": vectors}, "meta": {"billed_units": {"input_tokens": 3}}})
        }
        EmbedDialect::CohereOnBedrock => json!({"embeddings": {"float": vectors}}),
        EmbedDialect::Titan => json!({"embedding": vectors[0], "inputTextTokenCount": 3}),
    }
}

fn told(caller: Dialect, dialect: EmbedDialect) -> String {
    let mut text = String::new();
    for (name, body) in cases(caller, dialect) {
        writeln!(text, "# {name}").expect("a text");
        record(&mut text, caller, dialect, &body);
        text.push('\n');
    }
    text
}

fn record(text: &mut String, caller: Dialect, dialect: EmbedDialect, body: &Value) {
    let long = body.to_string().len() > 1_000;
    if !long {
        writeln!(text, "asked   {body}").expect("a text");
    }
    let (shares, telling) = match asked(caller, dialect, body) {
        Ok(asked) => asked,
        Err(refusal) => return writeln!(text, "refused {refusal}").expect("a text"),
    };
    let mut first = 0;
    let mut answers = Vec::new();
    for (body, count) in &shares.bodies {
        let sent = std::str::from_utf8(body).expect("text");
        if long {
            serde_json::from_str::<Value>(sent).expect("JSON");
            let (from, to) = (format!("\"t{first}\""), format!("\"t{}\"", first + count - 1));
            assert!(sent.contains(&from) && sent.contains(&to), "{sent}");
            // Of very many calls each is like the one before it.
            if answers.len() < 2 || answers.len() + 1 == shares.bodies.len() {
                writeln!(text, "sent    {count} texts, {from} to {to}").expect("a text");
            }
        } else {
            writeln!(text, "sent    {sent}").expect("a text");
        }
        let said = said(dialect, first, *count).to_string();
        answers.push(dialect.read(said.as_bytes(), *count).expect("an answer"));
        first += count;
    }
    if !shares.dropped.is_empty() {
        writeln!(text, "dropped {}", shares.dropped).expect("a text");
    }
    let answer = EmbedAnswer::joined(answers);
    let order = answer
        .vectors
        .iter()
        .enumerate()
        .all(|(number, vector)| vector[0] == number as f32);
    assert!(order, "the vectors are not in the order of the texts");
    let told = telling.write(&answer, dialect);
    if long {
        let used = answer.usage.map(|tokens| tokens.total_input());
        writeln!(text, "told    {} vectors of {used:?} tokens", answer.vectors.len()).expect("a text");
    } else {
        writeln!(text, "told    {}", String::from_utf8(told).expect("text")).expect("a text");
    }
}

#[test]
fn every_caller_is_understood_by_every_provider() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/embeddings");
    let mut needed = BTreeSet::<PathBuf>::new();
    for caller in callers() {
        for dialect in EmbedDialect::ALL {
            let path = folder.join(format!("{}-{dialect:?}.txt", caller.as_str()).to_lowercase());
            let text = told(caller, dialect);
            compare(&path, text).unwrap_or_else(|differs| panic!("{differs}"));
            needed.insert(path);
        }
    }
    for file in fs::read_dir(folder).expect("the goldens") {
        let file = file.expect("an entry").path();
        assert!(needed.contains(&file), "{} belongs to no pair", file.display());
    }
}

#[test]
fn every_kind_of_provider_that_embeds_does_so_for_every_caller() {
    use ProviderKind::{Anthropic, Deepseek, Groq, Huggingface, Openrouter, Perplexity, Sandbox, Xai};
    let without = [
        Anthropic,
        Deepseek,
        Groq,
        Huggingface,
        Openrouter,
        Perplexity,
        Sandbox,
        Xai,
    ];
    for kind in ProviderKind::ALL {
        let name = match kind {
            ProviderKind::Bedrock => "amazon.titan-embed-text-v2:0",
            _ => "m",
        };
        let embeds = embeds(kind, name);
        for caller in callers() {
            let passes = gatewright_llm::spoken(kind, BedrockApi::Converse, caller, name)
                .is_some_and(|spoken| spoken.outbound.is_none());
            assert_eq!(
                passes || embeds.is_some(),
                !without.contains(&kind),
                "{kind:?} {caller:?}"
            );
        }
    }
}
