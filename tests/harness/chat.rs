//! Calls of the data plane with a key.

use std::net::SocketAddr;

use serde_json::{Value, json};

use crate::http::{Answer, Connection, Head, Request};

/// One node's data plane as the holder of a key sees it.
#[derive(Debug, Clone)]
pub struct Chat {
    pub address: SocketAddr,
    pub secret: String,
}

/// A stream that has begun.
#[derive(Debug)]
pub struct Stream {
    pub head: Head,
    pub connection: Connection,
}

impl Chat {
    pub fn request(&self, body: &Value) -> Request {
        let request = Request::new("POST", "/v1/chat/completions");
        request
            .header("authorization", &format!("Bearer {}", self.secret))
            .json(body)
    }

    pub async fn try_send(&self, body: &Value) -> std::io::Result<Answer> {
        self.request(body).send(self.address).await
    }

    pub async fn send(&self, body: &Value) -> Answer {
        self.try_send(body).await.expect("the data plane answers")
    }

    /// Asks a model for a plain answer.
    pub async fn ask(&self, model: &str) -> Answer {
        self.send(&question(model)).await
    }

    /// Asks a model for a stream and reads all of it.
    pub async fn ask_stream(&self, model: &str) -> Answer {
        self.send(&streaming(model)).await
    }

    /// Begins a stream and reads only its head.
    pub async fn begin(&self, body: &Value) -> Stream {
        let mut connection = Connection::open(self.address).await.expect("the node listens");
        connection
            .write(&self.request(body).encode())
            .await
            .expect("the node reads");
        let head = connection.answer_head().await.expect("the stream begins");
        Stream { head, connection }
    }

    pub async fn models(&self) -> Answer {
        let request = Request::new("GET", "/v1/models").header("authorization", &format!("Bearer {}", self.secret));
        request.send(self.address).await.expect("the data plane answers")
    }
}

impl Stream {
    /// Reads until the text so far has `mark` in it, and gives it.
    pub async fn until(&mut self, mark: &str) -> String {
        let mut text = String::new();
        while !text.contains(mark) {
            let piece = self.connection.piece().await.expect("the stream goes on");
            let piece = piece.unwrap_or_else(|| panic!("the stream ended before {mark:?}: {text}"));
            text.push_str(&String::from_utf8_lossy(&piece));
        }
        text
    }
}

/// The usual question.
pub fn question(model: &str) -> Value {
    json!({"model": model, "messages": [{"role": "user", "content": "Say hello."}]})
}

/// The usual question, to be answered in a stream.
pub fn streaming(model: &str) -> Value {
    json!({"model": model, "messages": [{"role": "user", "content": "Say hello."}], "stream": true})
}

/// A question that tells the sandbox what to do.
pub fn sandbox(model: &str, mark: &str) -> Value {
    json!({"model": model, "messages": [{"role": "user", "content": format!("Say hello. [[sandbox {mark}]]")}]})
}

/// The identifier under which a request is found in the usage.
pub fn request_id(answer: &Answer) -> String {
    answer.headers.need("x-gw-request-id").to_owned()
}

/// The `error` of an answer in OpenAI's envelope. Panics when it has another shape.
#[track_caller]
pub fn error(answer: &Answer) -> Value {
    assert_eq!(
        answer.headers.get("content-type"),
        Some("application/json"),
        "{}",
        answer.text()
    );
    let body = answer.json();
    let members: Vec<_> = body.as_object().expect("an object").keys().cloned().collect();
    assert_eq!(members, ["error"]);
    let error = body.get("error").expect("it is there").clone();
    for (member, may_be_null) in [("message", false), ("type", false), ("param", true), ("code", true)] {
        let value = error.get(member).unwrap_or_else(|| panic!("no {member} in {error}"));
        assert!(
            value.is_string() || (may_be_null && value.is_null()),
            "{member} is {value}"
        );
    }
    error
}

/// Asserts that a request was refused with this status and code, and gives the error.
#[track_caller]
pub fn refused(answer: &Answer, status: u16, code: &str) -> Value {
    assert_eq!(answer.status, status, "{}", answer.text());
    let error = error(answer);
    assert_eq!(error.get("code").and_then(Value::as_str), Some(code), "{error}");
    error
}
