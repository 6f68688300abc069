//! What the sandbox reads of a request: the texts of its messages and how long the answer may be.

use serde::Deserialize;

#[derive(Debug, Deserialize)]
pub(super) struct Input {
    messages: Vec<Message>,
    max_tokens: Option<usize>,
    max_completion_tokens: Option<usize>,
}

#[derive(Debug, Deserialize)]
#[serde(expecting = "a message with role and content")]
struct Message {
    role: String,
    #[serde(default)]
    content: Option<Content>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged, expecting = "content must be a text or a list of parts")]
enum Content {
    Text(String),
    Parts(Vec<Part>),
}

/// A part that is no text has none.
#[derive(Debug, Deserialize)]
#[serde(expecting = "a part of the content")]
struct Part {
    #[serde(default)]
    text: Option<String>,
}

impl Input {
    pub(super) fn read(body: &[u8]) -> Result<Self, String> {
        serde_json::from_slice(body).map_err(|error| format!("the sandbox cannot read the request: {error}"))
    }

    pub(super) fn max_tokens(&self) -> usize {
        self.max_completion_tokens.or(self.max_tokens).unwrap_or(usize::MAX)
    }

    pub(super) fn last_user_text(&self) -> String {
        self.last_user().map(Message::text).unwrap_or_default()
    }

    pub(super) fn words_besides_last_user_text(&self) -> usize {
        let words = |message: &Message| message.text().split_whitespace().count();
        let all: usize = self.messages.iter().map(words).sum();
        all - self.last_user().map_or(0, words)
    }

    fn last_user(&self) -> Option<&Message> {
        self.messages.iter().rfind(|message| message.role == "user")
    }
}

impl Message {
    fn text(&self) -> String {
        match &self.content {
            None => String::new(),
            Some(Content::Text(text)) => text.clone(),
            Some(Content::Parts(parts)) => {
                let texts: Vec<&str> = parts.iter().filter_map(|part| part.text.as_deref()).collect();
                texts.join("\n")
            }
        }
    }
}
