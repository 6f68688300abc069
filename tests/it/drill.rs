//! A game day: two providers that fail in every way there is and go away entirely, one after the other, while hundreds of
//! callers ask through all nodes. Whoever asks is served, whole and once, and within a time that can be told beforehand.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use gatewright_types::UsageUnit;
use gatewright_types::api::{BreakerState, Outcome, TargetHealth};
use harness::chat::request_id;
use harness::dialect::{CHAT, DIALECTS, Dialect};
use harness::failures::{Failure, failures};
use harness::http::{Answer, Request};
use harness::installation::{Installation, Options};
use harness::organization::{Key, Organization};
use harness::sse::{self, DONE};
use harness::upstream::{Script, Upstream};
use harness::wait::eventually;
use serde_json::{Value, json};
use tokio::task::JoinSet;
use tokio::time::Instant;

/// They ask at the same time, through all nodes, for whole answers and for streams, in two dialects.
const CALLERS: usize = 400;
const PIECES: usize = 12;

const FIRST_TOKEN: Duration = Duration::from_secs(3);
const RETRIES: u32 = 1;
const LONGEST_PAUSE: Duration = Duration::from_millis(200);
/// No caller waits longer: at each of two targets each call takes its time up, and each retry its pause.
const BOUND: Duration = FIRST_TOKEN
    .saturating_mul(1 + RETRIES)
    .saturating_add(LONGEST_PAUSE.saturating_mul(RETRIES))
    .saturating_mul(2);

/// Longer than a breaker stays open that opened a few times in a row, and than counting takes.
const AFTERWARDS: Duration = Duration::from_secs(60);

struct World {
    /// Both stand for the other. A model named after a provider goes there first.
    providers: [Provider; 2],
    organization: Organization,
    key: Key,
    _installation: Installation,
}

struct Provider {
    name: &'static str,
    upstream: Upstream,
}

/// A caller who got a whole answer.
struct Served {
    request: String,
    by: &'static str,
    took: Duration,
}

impl World {
    async fn make() -> Self {
        let installation = Installation::with_three_proxies(Options {
            // Streams that fail late have begun by then.
            environment: vec![("GATEWRIGHT_KEEPALIVE", "500ms".to_owned())],
            ..Options::default()
        })
        .await;
        let organization = Organization::make(&installation).await;
        let providers = [Provider::start("first").await, Provider::start("second").await];
        for provider in &providers {
            let body = json!({"name": provider.name, "kind": "openai-compatible", "base_url": provider.upstream.base_url(),
                "credentials": [{"name": "a", "api_key": "sk-upstream-secret-0001", "weight": 1}],
                // It stood in for the other just before, and well: that counts within the window too.
                "breaker": {"error_rate": 20, "min_requests": 60, "window": "15s", "open_for": "2s"}});
            organization.add("/providers", &body).await;
        }
        for (name, other) in [("first", "second"), ("second", "first")] {
            let [target, stand_in] = [name, other].map(|provider| json!({"target": format!("{provider}/m")}));
            let body = json!({"name": name, "route": {"fallback": [target, stand_in]},
                "timeouts": {"first_token": format!("{}s", FIRST_TOKEN.as_secs())},
                "retries": {"attempts": RETRIES, "pause": "50ms",
                    "longest_pause": format!("{}ms", LONGEST_PAUSE.as_millis())}});
            organization.add("/models", &body).await;
        }
        let key = organization.key("main").await;
        organization.settled(&key, &["first", "second"]).await;
        Self {
            providers,
            organization,
            key,
            _installation: installation,
        }
    }

    /// All callers ask for a model at once.
    async fn wave(&self, model: &str) -> Vec<Served> {
        let mut callers = JoinSet::new();
        for number in 0..CALLERS {
            let node = number % self.organization.nodes.len();
            let turn = number / self.organization.nodes.len();
            let [chat, messages, ..] = DIALECTS;
            let dialect = if turn.is_multiple_of(4) { messages } else { chat };
            callers.spawn(self.ask(
                node,
                dialect,
                model,
                &format!("caller {number}"),
                turn.is_multiple_of(2),
            ));
        }
        callers.join_all().await
    }

    /// Asks, and checks the answer to the letter.
    fn ask(
        &self,
        node: usize,
        dialect: Dialect,
        model: &str,
        says: &str,
        stream: bool,
    ) -> impl Future<Output = Served> + Send + use<> {
        let (path, body) = (dialect.request)(model, says, stream);
        let request = Request::new("POST", &path)
            .header("x-api-key", &self.key.secret)
            .json(&body);
        let address = self.organization.chat_at(node, &self.key).address;
        let says = says.to_owned();
        async move {
            let began = Instant::now();
            let answer = request.send(address).await.expect("a whole answer");
            let took = began.elapsed();
            assert_eq!(answer.status, 200, "{says}: {}", answer.text());
            Served {
                request: request_id(&answer),
                by: said_by(dialect, &answer, &says, stream),
                took,
            }
        }
    }

    async fn state(&self, provider: &str) -> Option<BreakerState> {
        let targets: Vec<TargetHealth> = self.organization.all("/targets").await;
        let target = targets
            .into_iter()
            .find(|target| target.provider.as_str() == provider)?;
        Some(target.state)
    }

    async fn seen_open(&self, provider: &str) {
        eventually("a breaker is seen open", AFTERWARDS, async || {
            (self.state(provider).await == Some(BreakerState::Open)).then_some(())
        })
        .await;
    }

    /// Asks on until the provider is called again by every node, as it is when nothing ever happened.
    async fn recovers(&self, provider: &'static str) -> Vec<Served> {
        let mut served = Vec::new();
        eventually("a breaker closes", AFTERWARDS, async || {
            let mut all_by_it = true;
            for node in 0..self.organization.nodes.len() {
                let one = self.ask(node, CHAT, provider, "are you well?", false).await;
                all_by_it &= one.by == provider;
                served.push(one);
            }
            let is_closed = self.state(provider).await == Some(BreakerState::Closed);
            (all_by_it && is_closed).then_some(())
        })
        .await;
        served
    }

    /// Each request was counted once, as what its caller got and no more.
    async fn counted_once(&self, served: &[Served]) {
        let rows = eventually("all requests are counted", AFTERWARDS, async || {
            let rows = self.organization.rows().await;
            (rows.len() >= served.len()).then_some(())
        });
        rows.await;
        self.organization.usage_settles().await;
        let rows = self.organization.rows().await;
        assert_eq!(rows.len(), served.len(), "one row for each caller");
        let rows: HashMap<_, _> = rows.iter().map(|row| (row.id.to_string(), row)).collect();
        for one in served {
            let row = rows
                .get(&one.request)
                .unwrap_or_else(|| panic!("{} is not counted", one.request));
            let provider = row.provider.as_ref().map(ToString::to_string);
            let pieces = row.lines.iter().find(|line| line.unit == UsageUnit::OutputText);
            assert_eq!(row.outcome, Outcome::Complete, "{row:?}");
            assert_eq!(provider.as_deref(), Some(one.by), "{row:?}");
            assert_eq!(pieces.map(|line| line.quantity), Some(PIECES as u64), "{row:?}");
        }
    }
}

impl Provider {
    async fn start(name: &'static str) -> Self {
        let provider = Self {
            name,
            upstream: Upstream::start().await,
        };
        provider.is_well();
        provider
    }

    fn is_well(&self) {
        let name = self.name;
        self.upstream.answer_by(move |asked| well(name, asked));
    }

    /// Fails in each way by turns, whole answers and streams by themselves; one way is to be slow and still answer. Gives
    /// how often each way was taken, by name and form.
    fn fails(&self) -> Arc<Mutex<HashMap<(&'static str, bool), usize>>> {
        let taken = Arc::<Mutex<HashMap<_, usize>>>::default();
        let (name, ways, notes) = (self.name, failures(), taken.clone());
        let turns = [AtomicUsize::new(0), AtomicUsize::new(0)];
        self.upstream.answer_by(move |asked| {
            let stream = is_stream(asked);
            let turn = turns[usize::from(stream)].fetch_add(1, Ordering::Relaxed);
            let (way, script) = match ways.get(turn % (ways.len() + 1)) {
                Some(Failure {
                    name, stream: script, ..
                }) if stream => (*name, script.clone()),
                Some(Failure { name, whole, .. }) => (*name, whole.clone()),
                None => ("slow", well(name, asked).after(Duration::from_millis(800))),
            };
            let mut notes = notes.lock().unwrap_or_else(PoisonError::into_inner);
            *notes.entry((way, stream)).or_default() += 1;
            script
        });
        taken
    }
}

fn is_stream(asked: &Value) -> bool {
    asked.get("stream") == Some(&Value::Bool(true))
}

/// The answer of a provider that works: who it is and what it was told, in numbered pieces.
fn well(name: &str, asked: &Value) -> Script {
    let says = asked.pointer("/messages/0/content").map(|content| match content {
        Value::String(text) => text.clone(),
        parts => parts
            .pointer("/0/text")
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned(),
    });
    let pieces = pieces(name, &says.unwrap_or_default());
    if !is_stream(asked) {
        return Script::answer(&pieces.concat(), 9, PIECES as u64);
    }
    let content = pieces.iter().map(|piece| sse::content(piece));
    let end = [sse::finish(), sse::usage(9, PIECES as u64), DONE.to_owned()];
    Script::stream([sse::opening()].into_iter().chain(content).chain(end))
}

fn pieces(name: &str, says: &str) -> Vec<String> {
    (1..=PIECES)
        .map(|number| format!("{name} to {says}: {number}\n"))
        .collect()
}

/// Which provider's answer it is, to the letter and to its end.
fn said_by(dialect: Dialect, answer: &Answer, says: &str, stream: bool) -> &'static str {
    let text = (dialect.text)(answer, stream);
    let by = ["first", "second"]
        .into_iter()
        .find(|name| pieces(name, says).concat() == text);
    let by = by.unwrap_or_else(|| panic!("{says}, {}: neither provider said {text:?}", dialect.name));
    assert!(!stream || dialect.has_ended(answer), "{says}: {}", answer.text());
    by
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hundreds_of_callers_are_served_whole_and_once_while_providers_fail_in_every_way_by_turns() {
    let mut world = World::make().await;
    let mut served = Vec::new();
    for failing in [0, 1] {
        let name = world.providers[failing].name;

        let taken = world.providers[failing].fails();
        let (wave, ()) = tokio::join!(world.wave(name), world.seen_open(name));
        served.extend(wave);
        let taken = taken.lock().unwrap_or_else(PoisonError::into_inner).clone();
        for way in failures().iter().map(|failure| failure.name).chain(["slow"]) {
            for stream in [false, true] {
                let times = taken.get(&(way, stream)).copied().unwrap_or_default();
                assert!(times > 0, "nobody met {way}, stream: {stream}: {taken:?}");
            }
        }

        world.providers[failing].is_well();
        served.extend(world.recovers(name).await);

        world.providers[failing].upstream.stop().await;
        let (wave, ()) = tokio::join!(world.wave(name), world.seen_open(name));
        served.extend(wave);

        world.providers[failing].upstream.start_again().await;
        served.extend(world.recovers(name).await);
    }

    let longest = served.iter().map(|one| one.took).max().unwrap_or_default();
    assert!(longest < BOUND, "somebody waited for {longest:?}");
    world.counted_once(&served).await;
}
