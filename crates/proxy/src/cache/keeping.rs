//! Keeps an answer that is complete, before its caller has seen the end of it: whoever asks the same next finds it.

use bytes::Bytes;
use chrono::Utc;
use gatewright_llm::{Form, Tokens, is_over};
use gatewright_types::Nanos;
use gatewright_types::api::Dialect;

use super::collecting::Collecting;
use super::entry::{About, Entry, Maker};
use super::flights::Leading;
use super::memory::LARGEST_BYTES;
use super::place::Place;
use super::vectors::Batched;
use crate::call::Answer;
use crate::refusal::Refusal;

/// Ready to keep the answer to a request.
#[derive(Debug)]
pub(crate) enum Keeping {
    One(Box<One>),
    Batch(Box<Batched>),
}

/// An answer that is kept as it is.
#[derive(Debug)]
pub(crate) struct One {
    place: Place,
    form: Form,
    dialect: Dialect,
    /// Others wait for the answer.
    leading: Option<Leading>,
}

/// What is known of an answer besides its bytes.
#[derive(Debug)]
pub(crate) struct Given {
    pub(crate) maker: Option<Maker>,
    pub(crate) usage: Option<Tokens>,
    pub(crate) cost: Option<Nanos>,
    pub(crate) dropped: Option<Box<str>>,
}

impl Keeping {
    /// The whole answer, where a provider was only asked for a part of it.
    pub(crate) fn complete(&mut self, answer: Answer) -> Result<Answer, Refusal> {
        match self {
            Self::One(_) => Ok(answer),
            Self::Batch(batched) => batched.complete(answer),
        }
    }

    /// An answer in one piece.
    pub(crate) async fn whole(self, status: u16, body: Bytes, given: Given) {
        match self {
            Self::One(one) if status == 200 && is_over(one.dialect, &body) => one.keep(body, given).await,
            Self::Batch(batched) if status == 200 => batched.keep(given).await,
            Self::One(_) | Self::Batch(_) => {}
        }
    }

    /// For an answer that comes in a stream; embeddings never do.
    pub(crate) fn collecting(self) -> Option<Collecting> {
        match self {
            Self::One(one) => Some(Collecting::new(*one)),
            Self::Batch(_) => None,
        }
    }
}

impl One {
    pub(super) fn new(place: Place, form: Form, dialect: Dialect, leading: Option<Leading>) -> Self {
        Self {
            place,
            form,
            dialect,
            leading,
        }
    }

    /// An answer that is known to be complete.
    pub(super) async fn keep(self, body: Bytes, given: Given) {
        if body.len() > LARGEST_BYTES {
            return;
        }
        let Self {
            place, form, leading, ..
        } = self;
        let entry = Entry {
            about: About {
                form,
                stored_at: Utc::now(),
                source: place.source,
                maker: given.maker,
                usage: given.usage,
                cost: given.cost,
                dropped: given.dropped,
            },
            body,
        };
        if !place.time_to_live.is_zero() {
            let entries = [(place.key, &entry)];
            place.memory.keep(place.organization, entries, place.time_to_live).await;
        }
        if let Some(leading) = leading {
            leading.land(entry);
        }
    }
}
