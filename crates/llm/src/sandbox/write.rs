//! Writes the sandbox's answers in OpenAI's shape, whole and in chunks.

use bytes::Bytes;
use serde::Serialize;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Finish {
    Stop,
    Length,
}

#[derive(Debug, Clone, Copy, Serialize)]
pub(super) struct Usage {
    prompt_tokens: usize,
    completion_tokens: usize,
    total_tokens: usize,
}

/// What is the same in all chunks of an answer.
#[derive(Debug)]
pub(super) struct Writer<'a> {
    id: String,
    created: i64,
    model: &'a str,
}

#[derive(Serialize)]
struct Completion<'a, C> {
    id: &'a str,
    object: &'static str,
    created: i64,
    model: &'a str,
    choices: &'a [C],
    usage: Option<Usage>,
}

#[derive(Serialize)]
struct Choice<'a> {
    index: u32,
    message: Message<'a>,
    finish_reason: Finish,
}

#[derive(Serialize)]
struct ChunkChoice<'a> {
    index: u32,
    delta: Delta<'a>,
    finish_reason: Option<Finish>,
}

#[derive(Serialize)]
struct Message<'a> {
    role: &'static str,
    content: &'a str,
    refusal: (),
}

#[derive(Default, Serialize)]
struct Delta<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    role: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    content: Option<&'a str>,
}

impl Usage {
    pub(super) fn new(prompt_tokens: usize, completion_tokens: usize) -> Self {
        Self {
            prompt_tokens,
            completion_tokens,
            total_tokens: prompt_tokens + completion_tokens,
        }
    }
}

impl<'a> Writer<'a> {
    pub(super) fn new(request_id: &str, created: i64, model: &'a str) -> Self {
        Self {
            id: format!("chatcmpl-{request_id}"),
            created,
            model,
        }
    }

    pub(super) fn completion(&self, content: &str, finish_reason: Finish, usage: Usage) -> Bytes {
        let message = Message {
            role: "assistant",
            content,
            refusal: (),
        };
        let choices = [Choice {
            index: 0,
            message,
            finish_reason,
        }];
        let mut body = Vec::new();
        self.write(&mut body, "chat.completion", &choices, Some(usage));
        body.into()
    }

    /// The chunk that only says who speaks.
    pub(super) fn opening(&self) -> Bytes {
        let delta = Delta {
            role: Some("assistant"),
            content: Some(""),
        };
        self.events(&[(
            &[ChunkChoice {
                index: 0,
                delta,
                finish_reason: None,
            }],
            None,
        )])
        .into()
    }

    pub(super) fn part(&self, content: &str) -> Bytes {
        let delta = Delta {
            role: None,
            content: Some(content),
        };
        self.events(&[(
            &[ChunkChoice {
                index: 0,
                delta,
                finish_reason: None,
            }],
            None,
        )])
        .into()
    }

    /// The finish, the usage and the end.
    pub(super) fn closing(&self, finish: Finish, usage: Usage) -> Bytes {
        let choice = ChunkChoice {
            index: 0,
            delta: Delta::default(),
            finish_reason: Some(finish),
        };
        let mut events = self.events(&[(&[choice], None), (&[], Some(usage))]);
        events.extend_from_slice(b"data: [DONE]\n\n");
        events.into()
    }

    /// An event that breaks off in the middle of its JSON.
    pub(super) fn broken_event(&self) -> Bytes {
        let id = &self.id;
        format!("data: {{\"id\":\"{id}\",\"object\":\"chat.completion.chunk\",\"choices\":[{{\"delta\":\n\n").into()
    }

    fn events(&self, chunks: &[(&[ChunkChoice<'_>], Option<Usage>)]) -> Vec<u8> {
        let mut events = Vec::with_capacity(chunks.len() * 256);
        for (choices, usage) in chunks {
            events.extend_from_slice(b"data: ");
            self.write(&mut events, "chat.completion.chunk", choices, *usage);
            events.extend_from_slice(b"\n\n");
        }
        events
    }

    fn write<C: Serialize>(&self, out: &mut Vec<u8>, object: &'static str, choices: &[C], usage: Option<Usage>) {
        let Self { id, created, model } = self;
        let completion = Completion {
            id,
            object,
            created: *created,
            model,
            choices,
            usage,
        };
        serde_json::to_writer(out, &completion).expect("texts and numbers can always be written as JSON");
    }
}
