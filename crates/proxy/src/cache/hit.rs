//! An answer that was found, in the form that the request asks for.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use chrono::Utc;
use gatewright_llm::{Form, KeptAnswer, Request, retell};
use gatewright_types::{Nanos, RequestId};

use super::entry::{About, Entry, Maker};
use super::place::Place;
use crate::told::Told;

/// What goes to the caller.
#[derive(Debug)]
pub(crate) struct Hit {
    pub(crate) form: Form,
    pub(crate) body: Bytes,
    pub(crate) age: Duration,
    /// Who made the answer, where that is known.
    pub(crate) maker: Option<Maker>,
    pub(crate) dropped: Option<Box<str>>,
    /// What it cost when it was made; absent when that is not known.
    pub(crate) saved: Option<Nanos>,
}

/// The form that a request asks for.
pub(super) fn wanted(request: &Request, told: &Told) -> Form {
    match request.stream() {
        false => Form::Whole,
        true if told.wishes.as_array => Form::Array,
        true => Form::Events {
            usage: request.caller_asked_usage(),
        },
    }
}

impl Hit {
    /// `None` when the answer cannot be told in the form that is wanted.
    pub(super) fn of(request: &Arc<Request>, told: &Told, place: &Place, id: RequestId, entry: &Entry) -> Option<Self> {
        let About {
            form,
            stored_at,
            maker,
            usage,
            cost,
            dropped,
            ..
        } = &entry.about;
        let kept = KeptAnswer {
            form: *form,
            body: &entry.body,
            usage: *usage,
            model: place.named(request, maker.as_ref()),
            created: stored_at.timestamp(),
            request_id: &id.to_string(),
        };
        let form = wanted(request, told);
        Some(Self {
            form,
            body: retell(request, kept, form)?,
            age: age(&entry.about),
            maker: maker.clone(),
            dropped: dropped.clone(),
            saved: *cost,
        })
    }
}

/// Nodes' clocks may differ a little: nothing is younger than nothing.
pub(super) fn age(about: &About) -> Duration {
    (Utc::now() - about.stored_at).to_std().unwrap_or_default()
}
