//! The fake providers of `tests/sdk/python/fakes`, which judge every request by the vendors' own types, and an
//! organization whose models lead to them.

use std::net::SocketAddr;
use std::process::Command;

use gatewright_types::api::{Dialect, Outcome, UsageRow};
use gatewright_types::{Nanos, UsageUnit};
use harness::http::Request;
use harness::installation::Installation;
use harness::organization::{Key, Organization};
use harness::process::{Process, directory};
use harness::wait::{SOON, eventually};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::sync::OnceCell;

use super::packages::{Suites, python};

/// A provider at the fakes.
struct Played {
    name: &'static str,
    kind: &'static str,
    path: &'static str,
    /// Its name says what it can do.
    model: &'static str,
    /// Besides its address.
    settings: &'static [(&'static str, &'static str)],
}

const fn played(name: &'static str, kind: &'static str, path: &'static str, model: &'static str) -> Played {
    let settings = &[];
    Played {
        name,
        kind,
        path,
        model,
        settings,
    }
}

const PLACE: &[(&str, &str)] = &[("project", "acme"), ("region", "europe-west4")];

/// Every kind; some more than once, with another of its interfaces or another maker's model.
const PROVIDERS: [Played; 23] = [
    played("openai", "openai", "/openai/v1", "gpt-5.1"),
    played("compatible", "openai-compatible", "/compatible/v1", "some-model"),
    played("anthropic", "anthropic", "/anthropic/v1", "claude-sonnet-4-5"),
    played("gemini", "gemini", "/gemini/v1beta", "gemini-2.5-flash"),
    played(
        "bedrock",
        "bedrock",
        "/bedrock",
        "anthropic.claude-sonnet-4-5-20250929-v1:0",
    ),
    Played {
        settings: &[("api", "invoke")],
        ..played(
            "bedrock-invoke",
            "bedrock",
            "/bedrock",
            "anthropic.claude-sonnet-4-5-20250929-v1:0",
        )
    },
    played("gemini3", "gemini", "/gemini/v1beta", "gemini-3-pro"),
    played("azure", "azure", "/azure", "gpt-5.1"),
    Played {
        settings: &[("api_version", "2024-10-21")],
        ..played("azure-classic", "azure", "/azure", "gpt-5.1")
    },
    Played {
        settings: PLACE,
        ..played("vertex", "vertex", "/vertex", "gemini-2.5-flash")
    },
    Played {
        settings: PLACE,
        ..played("vertex-claude", "vertex", "/vertex", "claude-sonnet-4-5@20250929")
    },
    played("cohere", "cohere", "/cohere/v2", "command-a-03-2025"),
    played("mistral", "mistral", "/mistral/v1", "some-model"),
    played("groq", "groq", "/groq/v1", "some-model"),
    played("deepseek", "deepseek", "/deepseek/v1", "some-model"),
    played("xai", "xai", "/xai/v1", "some-model"),
    played("together", "together", "/together/v1", "some-model"),
    played("fireworks", "fireworks", "/fireworks/v1", "some-model"),
    played("openrouter", "openrouter", "/openrouter/v1", "some-model"),
    played("perplexity", "perplexity", "/perplexity/v1", "some-model"),
    played("ollama", "ollama", "/ollama/v1", "some-model"),
    played("vllm", "vllm", "/vllm/v1", "some-model"),
    played("huggingface", "huggingface", "/huggingface/v1", "some-model"),
];
const SANDBOX: &str = "sandbox";
/// Answers with 429 wherever it is.
const LIMITED: &str = "limited";
/// The same as a model of Anthropic's.
const LIMITED_CLAUDE: &str = "anthropic.claude-limited";

/// One process with all fakes, for all tests.
struct Fakes {
    address: SocketAddr,
    _process: Process,
    _directory: TempDir,
}

/// What one suite works with.
pub(super) struct Stage {
    name: String,
    address: SocketAddr,
    pub(super) organization: Organization,
    pub(super) key: Key,
}

impl Played {
    fn limited(&self) -> &'static str {
        match self.kind {
            "bedrock" => LIMITED_CLAUDE,
            _ => LIMITED,
        }
    }
}

async fn fakes() -> &'static Fakes {
    static FAKES: OnceCell<Fakes> = OnceCell::const_new();
    FAKES.get_or_init(start).await
}

async fn start() -> Fakes {
    let place = Suites::Python.installed().await;
    let directory = directory("fakes");
    let mut command = Command::new(python(place));
    command
        .args(["-m", "fakes"])
        .current_dir(Suites::Python.source())
        .env("PYTHONDONTWRITEBYTECODE", "1");
    let mut process = Process::start(&mut command, &directory.path().join("log"));
    let port: u16 = eventually("the fakes listen", SOON * 3, async || {
        if let Some(status) = process.status() {
            panic!("the fakes ended with {status}:\n{}", process.log());
        }
        let log = process.log();
        let (line, _) = log.strip_prefix("listening on ")?.split_once('\n')?;
        line.parse().ok()
    })
    .await;
    Fakes {
        address: SocketAddr::from(([127, 0, 0, 1], port)),
        _process: process,
        _directory: directory,
    }
}

impl Stage {
    /// An organization whose models have the names of their providers; the fakes keep its requests apart from others'.
    pub(super) async fn set(name: &str) -> Self {
        let fakes = fakes().await;
        let name = name.replace(['.', '/'], "-");
        let organization = Organization::make(Installation::patient().await).await;
        let mut models = Vec::new();
        for played in PROVIDERS {
            let provider = played.name;
            let base_url = format!("http://{}/{name}{}", fakes.address, played.path);
            organization
                .provider_with(provider, played.kind, Some(&base_url), played.settings)
                .await;
            let limited = format!("{provider}-{LIMITED}");
            organization
                .model(provider, &format!("{provider}/{}", played.model), &json!({}))
                .await;
            organization
                .model(&limited, &format!("{provider}/{}", played.limited()), &json!({}))
                .await;
            models.extend([provider.to_owned(), limited]);
        }
        organization.provider(SANDBOX, SANDBOX, None).await;
        organization.model(SANDBOX, "sandbox/echo", &json!({})).await;
        let key = organization.key(&name).await;
        let models: Vec<_> = models.iter().map(String::as_str).chain([SANDBOX]).collect();
        organization.settled(&key, &models).await;
        Self {
            name,
            address: fakes.address,
            organization,
            key,
        }
    }

    /// No request has reached a fake that its vendor would not have taken.
    pub(super) async fn nothing_was_invalid(&self) {
        let told = Request::new("GET", &format!("/{}", self.name)).send(self.address).await;
        let told = told.expect("the fakes answer").expect(200).json();
        let problems = told.get("problems").and_then(Value::as_array).expect("a list");
        let listed: Vec<_> = problems.iter().filter_map(Value::as_str).collect();
        assert!(
            listed.is_empty(),
            "the providers would refuse:\n{}",
            listed.join("\n\n")
        );
        assert!(told.get("calls").and_then(Value::as_u64) > Some(0), "nobody was called");
    }

    /// The providers that there are, but for the sandbox.
    pub(super) fn providers() -> impl Iterator<Item = &'static str> {
        PROVIDERS.iter().map(|played| played.name)
    }

    /// Every dialect was tried with every provider named in each of the ways, and every answer counted as the fake told it.
    pub(super) async fn everything_was_counted(
        &self,
        dialects: &[Dialect],
        providers: &[&str],
        ways: &[bool],
        failures: Failures,
    ) {
        self.organization.usage_settles().await;
        let rows = self.organization.rows().await;
        for row in &rows {
            assert!(dialects.contains(&row.dialect) || row.dialect.embeds(), "{row:?}");
            assert_eq!(row.key.map(|id| id.to_string()).as_ref(), Some(&self.key.id));
            if row.outcome == Outcome::Complete {
                counted_as_told(row);
            } else if provider(row).is_some() && failures == Failures::Limits {
                assert_eq!((row.outcome, row.status), (Outcome::Failed, 429), "{row:?}");
            }
        }
        for dialect in dialects {
            for wanted in providers {
                for stream in ways {
                    let is_it = |row: &&UsageRow| {
                        row.outcome == Outcome::Complete
                            && (row.dialect, provider(row), row.stream) == (*dialect, Some(*wanted), *stream)
                    };
                    assert!(
                        rows.iter().any(|row| is_it(&row)),
                        "nothing complete of {dialect:?} with {wanted}, stream: {stream}"
                    );
                }
            }
        }
    }
}

/// In what ways providers fail a suite.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Failures {
    /// By their limits only.
    Limits,
    /// In whatever way the suite asks them to.
    Any,
}

fn provider(row: &UsageRow) -> Option<&str> {
    row.provider.as_ref().map(|slug| slug.as_str())
}

fn counted_as_told(row: &UsageRow) {
    // Tokens that were only counted were not used.
    let nothing_used = row.lines.is_empty() && !row.stream && row.cost.is_some_and(|cost| cost.amount == Nanos::ZERO);
    if nothing_used && matches!(row.dialect, Dialect::AnthropicMessages | Dialect::GeminiGenerate) {
        return assert!(!row.estimated, "{row:?}");
    }
    use UsageUnit::{InputCacheRead, InputUncached, OutputReasoning, OutputText};
    const BY_CLASS: [(UsageUnit, u64); 4] = [
        (InputUncached, 12),
        (InputCacheRead, 8),
        (OutputText, 4),
        (OutputReasoning, 3),
    ];
    let told: &[_] = match (row.dialect, provider(row)) {
        (dialect, _) if dialect.embeds() => &[(InputUncached, 5)],
        (_, Some(SANDBOX)) => return assert!(!row.estimated && !row.lines.is_empty(), "{row:?}"),
        // Claude's own dialect counts thoughts apart; Bedrock's and Cohere's do not.
        (Dialect::AnthropicMessages, Some("bedrock")) => &BY_CLASS,
        (_, Some("bedrock" | "cohere")) => &[(InputUncached, 12), (InputCacheRead, 8), (OutputText, 7)],
        _ => &BY_CLASS,
    };
    let counted: Vec<_> = row.lines.iter().map(|line| (line.unit, line.quantity)).collect();
    assert_eq!((counted.as_slice(), row.estimated), (told, false), "{row:?}");
}
