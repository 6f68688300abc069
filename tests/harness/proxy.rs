//! A forward proxy that remembers what it was asked for: tunnels, and plain requests with whole addresses.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use crate::http::{Connection, Head, Request};

#[derive(Debug)]
pub struct ForwardProxy {
    pub address: SocketAddr,
    asked: Arc<Mutex<Vec<Asked>>>,
    _acceptor: JoinSet<()>,
}

/// What it was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    pub method: String,
    pub target: String,
    /// Whether it let the caller through.
    pub allowed: bool,
}

impl ForwardProxy {
    /// For whoever shows this user name and password.
    pub async fn for_user(username: &str, password: &str) -> Self {
        let login = BASE64.encode(format!("{username}:{password}"));
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let asked = Arc::<Mutex<Vec<_>>>::default();
        let mut acceptor = JoinSet::new();
        acceptor.spawn(accept(listener, format!("Basic {login}"), asked.clone()));
        Self {
            address,
            asked,
            _acceptor: acceptor,
        }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

async fn accept(listener: TcpListener, login: String, asked: Arc<Mutex<Vec<Asked>>>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            Ok((stream, _)) = listener.accept() => {
                let (login, asked) = (login.clone(), asked.clone());
                connections.spawn(async move {
                    // An error is a peer who went away.
                    let _ended = serve(Connection::of(stream), &login, &asked).await;
                });
            }
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn serve(mut connection: Connection, login: &str, asked: &Mutex<Vec<Asked>>) -> std::io::Result<()> {
    while let Some(head) = connection.request_head().await? {
        let mut words = head.first_line.split(' ').map(str::to_owned);
        let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        let allowed = head.headers.get("proxy-authorization") == Some(login);
        let noted = Asked {
            method: method.clone(),
            target: target.clone(),
            allowed,
        };
        asked.lock().unwrap_or_else(PoisonError::into_inner).push(noted);
        if !allowed {
            connection.rest().await?;
            let refused = "HTTP/1.1 407 Proxy Authentication Required\r\ncontent-length: 0\r\n\r\n";
            connection.write(refused.as_bytes()).await?;
        } else if method == "CONNECT" {
            let there = TcpStream::connect(target).await?;
            connection.write(b"HTTP/1.1 200 Connection established\r\n\r\n").await?;
            return connection.tunnel(there).await;
        } else {
            pass(&mut connection, &head, &method, &target).await?;
        }
    }
    Ok(())
}

/// Passes one request on, and its answer back.
async fn pass(connection: &mut Connection, head: &Head, method: &str, target: &str) -> std::io::Result<()> {
    let address = target.strip_prefix("http://").unwrap_or(target);
    let (host, path) = address.split_once('/').unwrap_or((address, ""));
    let mut request = Request::new(method, &format!("/{path}"));
    let own = ["proxy-authorization", "host", "content-length", "transfer-encoding"];
    for (name, value) in &head.headers.0 {
        if !own.contains(&name.as_str()) {
            request = request.header(name, value);
        }
    }
    request.body = connection.rest().await?;
    let there = tokio::net::lookup_host(host).await?.next().expect("an address");
    let answer = request.send(there).await?;
    let length = answer.body.len();
    let kind = answer.headers.get("content-type").unwrap_or("application/json");
    let head = format!(
        "HTTP/1.1 {} X\r\ncontent-type: {kind}\r\ncontent-length: {length}\r\n\r\n",
        answer.status
    );
    connection.write(head.as_bytes()).await?;
    connection.write(&answer.body).await
}
