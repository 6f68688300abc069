//! A provider that answers as it is told, byte for byte, and remembers what it was sent.

use std::collections::HashMap;
use std::fmt;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio::time::sleep;

use crate::http::{Connection, Headers};
use crate::sse;
use crate::wait::{SOON, eventually};

/// What the provider does with one request.
#[derive(Debug, Clone)]
pub struct Script {
    status: u16,
    headers: Vec<(String, String)>,
    before: Duration,
    framing: Framing,
    steps: Vec<Step>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Framing {
    /// The body's length is told first.
    Length,
    /// Each piece is a chunk of its own.
    Chunked,
    /// The steps are all there is: not even a head is added.
    Raw,
}

#[derive(Debug, Clone)]
enum Step {
    Send(Vec<u8>),
    Wait(Duration),
    /// Nothing more comes until the peer closes.
    Stall,
    /// The connection breaks.
    Cut,
    /// The connection closes behind a whole answer that did not announce it.
    Close,
}

/// A request as it arrived.
#[derive(Debug, Clone)]
pub struct Seen {
    /// Which connection it came over, counted from 1.
    pub connection: u64,
    pub method: String,
    pub target: String,
    pub headers: Headers,
    pub body: Vec<u8>,
    pub ending: Ending,
}

/// How a request ended, from the provider's side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    Running,
    /// Everything that was to be sent was sent.
    Answered,
    /// The gateway closed the connection before that.
    PeerGone,
}

#[derive(Debug)]
pub struct Upstream {
    address: SocketAddr,
    shared: Arc<Shared>,
    acceptor: JoinSet<()>,
}

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    rule: Option<Rule>,
    scripts: HashMap<String, Script>,
    seen: Vec<Seen>,
    connections: u64,
}

/// What is done with a request, by its body.
#[derive(Clone)]
struct Rule(Arc<dyn Fn(&Value) -> Script + Send + Sync>);

impl fmt::Debug for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Rule")
    }
}

impl Script {
    pub fn json(status: u16, body: &Value) -> Self {
        Self::body(status, "application/json", body.to_string())
    }

    pub fn body(status: u16, kind: &str, body: impl Into<Vec<u8>>) -> Self {
        Self {
            status,
            headers: vec![("content-type".to_owned(), kind.to_owned())],
            before: Duration::ZERO,
            framing: Framing::Length,
            steps: vec![Step::Send(body.into())],
        }
    }

    /// A plain answer with this text and these token counts.
    pub fn answer(text: &str, prompt: u64, completion: u64) -> Self {
        Self::json(200, &completion_body(text, prompt, completion))
    }

    /// A stream; each piece is sent by itself. Anything else is added with the methods below.
    pub fn stream<P: AsRef<[u8]>>(pieces: impl IntoIterator<Item = P>) -> Self {
        let steps = pieces
            .into_iter()
            .map(|piece| Step::Send(piece.as_ref().to_vec()))
            .collect();
        Self {
            status: 200,
            headers: vec![("content-type".to_owned(), "text/event-stream".to_owned())],
            before: Duration::ZERO,
            framing: Framing::Chunked,
            steps,
        }
    }

    /// Bytes that need not be HTTP, after which the connection closes.
    pub fn raw(bytes: impl Into<Vec<u8>>) -> Self {
        let steps = vec![Step::Send(bytes.into()), Step::Cut];
        Self {
            status: 0,
            headers: Vec::new(),
            before: Duration::ZERO,
            framing: Framing::Raw,
            steps,
        }
    }

    /// Never answers.
    pub fn silent() -> Self {
        Self {
            steps: vec![Step::Stall],
            ..Self::raw("")
        }
    }

    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Waits before the head.
    pub fn after(mut self, delay: Duration) -> Self {
        self.before = delay;
        self
    }

    pub fn send(mut self, piece: impl AsRef<[u8]>) -> Self {
        self.steps.push(Step::Send(piece.as_ref().to_vec()));
        self
    }

    pub fn wait(mut self, delay: Duration) -> Self {
        self.steps.push(Step::Wait(delay));
        self
    }

    pub fn stall(mut self) -> Self {
        self.steps.push(Step::Stall);
        self
    }

    pub fn cut(mut self) -> Self {
        self.steps.push(Step::Cut);
        self
    }

    /// Closes the connection behind the answer without having said so. Answered is what the gateway has noticed.
    pub fn close(mut self) -> Self {
        self.steps.push(Step::Close);
        self
    }

    fn head(&self) -> String {
        let mut head = format!("HTTP/1.1 {} Scripted\r\n", self.status);
        for (name, value) in &self.headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        match self.framing {
            Framing::Length => {
                let sent: usize = self.steps.iter().map(Step::size).sum();
                let missing = if self.steps.iter().any(|step| matches!(step, Step::Cut | Step::Stall)) {
                    1000
                } else {
                    0
                };
                head.push_str(&format!("content-length: {}\r\n\r\n", sent + missing));
            }
            Framing::Chunked => head.push_str("transfer-encoding: chunked\r\n\r\n"),
            Framing::Raw => head.clear(),
        }
        head
    }
}

impl Step {
    fn size(&self) -> usize {
        match self {
            Self::Send(bytes) => bytes.len(),
            Self::Wait(_) | Self::Stall | Self::Cut | Self::Close => 0,
        }
    }
}

impl Seen {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).expect("the gateway sends JSON")
    }
}

impl Upstream {
    pub async fn start() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a free port");
        let address = listener.local_addr().expect("a listener has an address");
        let shared = Arc::<Shared>::default();
        let mut acceptor = JoinSet::new();
        acceptor.spawn(accept(listener, shared.clone()));
        Self {
            address,
            shared,
            acceptor,
        }
    }

    /// From now on it cannot be reached, and whatever is under way breaks off.
    pub async fn stop(&mut self) {
        self.acceptor.shutdown().await;
    }

    /// It can be reached again where it was.
    pub async fn start_again(&mut self) {
        let listener = TcpListener::bind(self.address).await.expect("its port is its own");
        self.acceptor.spawn(accept(listener, self.shared.clone()));
    }

    /// What goes into a provider's `base_url`.
    pub fn base_url(&self) -> String {
        format!("http://{}/v1", self.address)
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its origin, for what has a path of its own.
    pub fn origin(&self) -> String {
        format!("http://{}", self.address)
    }

    /// From now on requests with this `authorization`, for this model, with this `inputText`, or for this path when they name
    /// neither, are answered so.
    pub fn on(&self, model: &str, script: Script) {
        self.shared.state().scripts.insert(model.to_owned(), script);
    }

    /// From now on every request is answered by its body, whatever else was said.
    pub fn answer_by(&self, rule: impl Fn(&Value) -> Script + Send + Sync + 'static) {
        self.shared.state().rule = Some(Rule(Arc::new(rule)));
    }

    /// All requests so far.
    pub fn seen(&self) -> Vec<Seen> {
        self.shared.state().seen.clone()
    }

    /// The only request so far.
    pub fn only(&self) -> Seen {
        let seen = self.seen();
        assert_eq!(seen.len(), 1, "{seen:?}");
        seen.into_iter().next().expect("there is one")
    }

    /// How the latest request ended, once it has.
    pub async fn ending(&self) -> Ending {
        eventually("the provider's latest request ends", SOON, async || {
            let ending = self.seen().last()?.ending;
            (ending != Ending::Running).then_some(ending)
        })
        .await
    }

    /// Waits until this many requests have arrived.
    pub async fn arrived(&self, count: usize) {
        eventually("requests reach the provider", SOON, async || {
            (self.seen().len() >= count).then_some(())
        })
        .await;
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn end(&self, index: usize, ending: Ending) {
        if let Some(seen) = self.state().seen.get_mut(index) {
            seen.ending = ending;
        }
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            Ok((stream, _)) = listener.accept() => {
                let number = {
                    let mut state = shared.state();
                    state.connections += 1;
                    state.connections
                };
                let shared = shared.clone();
                connections.spawn(async move {
                    // An error here is a peer who went away; the test sees that in the ending.
                    let _ = serve(Connection::of(stream), number, &shared).await;
                });
            }
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn serve(mut connection: Connection, number: u64, shared: &Shared) -> std::io::Result<()> {
    while let Some(head) = connection.request_head().await? {
        let body = connection.rest().await?;
        let mut words = head.first_line.split(' ').map(str::to_owned);
        let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        let script = choose(shared, &target, head.headers.get("authorization"), &body);
        let seen = Seen {
            connection: number,
            method,
            target,
            headers: head.headers,
            body,
            ending: Ending::Running,
        };
        let index = {
            let mut state = shared.state();
            state.seen.push(seen);
            state.seen.len() - 1
        };
        match play(&mut connection, &script).await {
            Ok(Played::Whole) => shared.end(index, Ending::Answered),
            Ok(Played::Cut) => {
                shared.end(index, Ending::Answered);
                return Ok(());
            }
            Ok(Played::PeerGone) | Err(_) => {
                shared.end(index, Ending::PeerGone);
                return Ok(());
            }
        }
    }
    Ok(())
}

enum Played {
    Whole,
    Cut,
    PeerGone,
}

async fn play(connection: &mut Connection, script: &Script) -> std::io::Result<Played> {
    if pause(connection, script.before).await {
        return Ok(Played::PeerGone);
    }
    connection.write(script.head().as_bytes()).await?;
    for step in &script.steps {
        match step {
            Step::Send(bytes) if script.framing == Framing::Chunked => {
                let mut chunk = format!("{:x}\r\n", bytes.len()).into_bytes();
                chunk.extend_from_slice(bytes);
                chunk.extend_from_slice(b"\r\n");
                if !bytes.is_empty() {
                    connection.write(&chunk).await?;
                }
            }
            Step::Send(bytes) => connection.write(bytes).await?,
            Step::Wait(delay) => {
                if pause(connection, *delay).await {
                    return Ok(Played::PeerGone);
                }
            }
            Step::Stall => {
                connection.closed().await;
                return Ok(Played::PeerGone);
            }
            Step::Cut => return Ok(Played::Cut),
            Step::Close => {
                connection.finish().await?;
                connection.closed().await;
                return Ok(Played::Cut);
            }
        }
    }
    if script.framing == Framing::Chunked {
        connection.write(b"0\r\n\r\n").await?;
    }
    Ok(Played::Whole)
}

/// Waits; true when the peer closed meanwhile.
async fn pause(connection: &mut Connection, delay: Duration) -> bool {
    if delay.is_zero() {
        return false;
    }
    tokio::select! {
        () = sleep(delay) => false,
        () = connection.closed() => true,
    }
}

fn choose(shared: &Shared, target: &str, secret: Option<&str>, body: &[u8]) -> Script {
    let asked: Value = serde_json::from_slice(body).unwrap_or_default();
    let rule = shared.state().rule.clone();
    if let Some(Rule(answer)) = rule {
        return answer(&asked);
    }
    let said = |name| asked.get(name).and_then(Value::as_str);
    let model = said("model").unwrap_or(target);
    let scripted = secret.into_iter().chain(said("inputText")).chain([model]);
    let state = shared.state();
    if let Some(script) = scripted.into_iter().find_map(|name| state.scripts.get(name)) {
        return script.clone();
    }
    drop(state);
    if target.ends_with("/models") {
        return Script::json(
            200,
            &json!({"object": "list", "data": [{"id": "m", "object": "model"}]}),
        );
    }
    if asked.get("stream") == Some(&Value::Bool(true)) {
        return Script::stream([
            sse::opening(),
            sse::content("Hello"),
            sse::content(" there"),
            sse::finish(),
            sse::usage(9, 2),
            sse::DONE.to_owned(),
        ]);
    }
    Script::answer("Hello there", 9, 2)
}

/// The body of a plain answer.
pub fn completion_body(text: &str, prompt: u64, completion: u64) -> Value {
    json!({
        "id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": "m",
        "choices": [{"index": 0, "message": {"role": "assistant", "content": text, "refusal": null}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion},
    })
}
