//! A provider that speaks HTTP/2, and may refuse calls without having looked at them.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use h2::server::SendResponse;
use h2::{Reason, RecvStream};
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use crate::sse;
use crate::tls::{Authority, speaking};
use crate::upstream::completion_body;

/// What a client of HTTP/2 begins with.
const PREFACE: usize = 24;
const FRAME_HEAD: usize = 9;
const HEADERS: u8 = 1;
/// No settings of its own.
const SETTINGS: [u8; FRAME_HEAD] = [0, 0, 0, 4, 0, 0, 0, 0, 0];
/// It goes away in peace, and the last call that it has looked at is none.
const GOAWAY: [u8; FRAME_HEAD + 8] = [0, 0, 8, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];

/// What a connection or a call meets before all are answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unseen {
    /// The next connection goes away at its first call.
    GoneAway,
    /// The next call is refused.
    Refused,
}

#[derive(Debug)]
pub struct Http2Upstream {
    address: SocketAddr,
    shared: Arc<Shared>,
    _acceptor: JoinSet<()>,
}

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    unseen: VecDeque<Unseen>,
    connections: usize,
    refused: usize,
    answered: Vec<Value>,
}

impl Http2Upstream {
    /// It shows a certificate of the authority.
    pub async fn start(authority: &Authority) -> Self {
        let mut tls = speaking(&authority.server(), None);
        tls.alpn_protocols = vec![b"h2".to_vec()];
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let shared = Arc::<Shared>::default();
        let mut acceptor = JoinSet::new();
        acceptor.spawn(accept(listener, Arc::new(tls).into(), shared.clone()));
        Self {
            address,
            shared,
            _acceptor: acceptor,
        }
    }

    /// What goes into a provider's `base_url`.
    pub fn base_url(&self) -> String {
        format!("https://{}/v1", self.address)
    }

    /// What is refused from now on, in this order; then all is answered.
    pub fn refuses(&self, unseen: impl IntoIterator<Item = Unseen>) {
        let mut state = self.shared.state();
        state.unseen = unseen.into_iter().collect();
        state.refused = 0;
    }

    pub fn connections(&self) -> usize {
        self.shared.state().connections
    }

    /// Since it was told what to refuse.
    pub fn refused(&self) -> usize {
        self.shared.state().refused
    }

    /// The bodies of all calls that were answered; null where there was none.
    pub fn answered(&self) -> Vec<Value> {
        self.shared.state().answered.clone()
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether this is what comes next; it has come by that.
    fn comes(&self, unseen: Unseen) -> bool {
        let mut state = self.state();
        let comes = state.unseen.front() == Some(&unseen);
        if comes {
            state.unseen.pop_front();
            state.refused += 1;
        }
        comes
    }
}

async fn accept(listener: TcpListener, tls: TlsAcceptor, shared: Arc<Shared>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            Ok((stream, _)) = listener.accept() => {
                let (tls, shared) = (tls.clone(), shared.clone());
                connections.spawn(async move {
                    let Ok(stream) = tls.accept(stream).await else { return };
                    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(b"h2".as_slice()));
                    shared.state().connections += 1;
                    match shared.comes(Unseen::GoneAway) {
                        true => go_away(stream).await.unwrap_or_default(),
                        false => serve(stream, shared).await,
                    }
                });
            }
            Some(_) = connections.join_next() => {}
        }
    }
}

/// Says so in frames of its own, because a server of a library has looked at every call that it knows of.
async fn go_away(mut stream: TlsStream<TcpStream>) -> std::io::Result<()> {
    stream.write_all(&SETTINGS).await?;
    stream.read_exact(&mut [0; PREFACE]).await?;
    loop {
        let mut head = [0; FRAME_HEAD];
        stream.read_exact(&mut head).await?;
        let [high, middle, low, kind, ..] = head;
        let mut frame = vec![0; usize::from(high) << 16 | usize::from(middle) << 8 | usize::from(low)];
        stream.read_exact(&mut frame).await?;
        if kind == HEADERS {
            stream.write_all(&GOAWAY).await?;
            return stream.shutdown().await;
        }
    }
}

async fn serve(stream: TlsStream<TcpStream>, shared: Arc<Shared>) {
    let Ok(mut connection) = h2::server::handshake(stream).await else {
        return;
    };
    let mut calls = JoinSet::new();
    while let Some(Ok((request, mut respond))) = connection.accept().await {
        if shared.comes(Unseen::Refused) {
            respond.send_reset(Reason::REFUSED_STREAM);
            continue;
        }
        let shared = shared.clone();
        calls.spawn(async move { answer(request.into_body(), respond, &shared).await.unwrap_or_default() });
    }
}

async fn answer(mut body: RecvStream, mut respond: SendResponse<Bytes>, shared: &Shared) -> Result<(), h2::Error> {
    let mut whole = Vec::new();
    while let Some(piece) = body.data().await {
        let piece = piece?;
        body.flow_control().release_capacity(piece.len())?;
        whole.extend_from_slice(&piece);
    }
    // Who asks nothing asks for the list of models.
    let asked = match whole.is_empty() {
        true => Value::Null,
        false => serde_json::from_slice(&whole).expect("the gateway sends JSON"),
    };
    let (kind, told) = match asked.get("stream") {
        None if asked.is_null() => ("application/json", r#"{"object":"list","data":[]}"#.to_owned()),
        Some(Value::Bool(true)) => {
            let pieces = [
                sse::content("Hello"),
                sse::finish(),
                sse::usage(9, 2),
                sse::DONE.to_owned(),
            ];
            ("text/event-stream", pieces.concat())
        }
        _ => ("application/json", completion_body("Hello", 9, 2).to_string()),
    };
    shared.state().answered.push(asked);
    let head = http::Response::builder().header("content-type", kind);
    let head = head.body(()).expect("a head");
    let mut sending = respond.send_response(head, false)?;
    sending.send_data(told.into(), true)
}
