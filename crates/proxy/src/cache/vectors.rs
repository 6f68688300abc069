//! A batch of embeddings, item by item: what is kept is put beside what comes, and only what is missing is asked for and
//! paid for.

use std::sync::Arc;

use bytes::Bytes;
use chrono::Utc;
use gatewright_contract::Digest;
use gatewright_llm::embed::Batch;
use gatewright_llm::{FailureKind, Form};
use gatewright_types::Nanos;

use super::control::{Control, Looking, Storing};
use super::entry::{About, Entry};
use super::exact::{Asking, Looked, MOST_LEADERS};
use super::flights::{Leading, Part};
use super::hit::{Hit, age};
use super::keeping::{Given, Keeping};
use super::memory::LARGEST_BYTES;
use super::place::Place;
use crate::call::{Answer, failure_of, refused};
use crate::record::Record;
use crate::refusal::Refusal;

/// Ready to put an answer together and to keep what is new of it.
#[derive(Debug)]
pub(crate) struct Batched {
    place: Place,
    batch: Batch,
    keys: Vec<Digest>,
    /// What was kept, in the order of the items.
    kept: Vec<Option<Bytes>>,
    /// What came, in the order of those that were missing.
    came: Vec<Bytes>,
    model: Box<str>,
    storing: Storing,
    leading: Option<Leading>,
}

pub(super) async fn look(
    asking: Asking<'_>,
    batch: Batch,
    control: &Control,
    record: &mut Record,
) -> Result<Looked, Refusal> {
    let place = asking.place;
    let keys = place.keys_of(&batch);
    let mut leading = None;
    for _ in 0..=MOST_LEADERS {
        let found = match control.looking {
            Looking::Usual | Looking::Only => asking.valid(&keys, record).await,
            Looking::Not => keys.iter().map(|_| None).collect(),
        };
        let waits = place.shared && control.looking == Looking::Usual && control.storing == Storing::Usual;
        let is_whole = found.iter().all(Option::is_some);
        if !is_whole && waits && leading.is_none() {
            match place.memory.flights().join(place.key) {
                Part::Lead(lead) => leading = Some(lead),
                Part::Follow(following) => {
                    asking.follow(following, record).await;
                    continue;
                }
            }
        }
        return found_of(&asking, batch, keys, found, (control, leading), record);
    }
    let found = asking.valid(&keys, record).await;
    found_of(&asking, batch, keys, found, (control, None), record)
}

/// What follows from what was found.
fn found_of(
    asking: &Asking<'_>,
    batch: Batch,
    keys: Vec<Digest>,
    found: Vec<Option<Entry>>,
    (control, leading): (&Control, Option<Leading>),
    record: &mut Record,
) -> Result<Looked, Refusal> {
    let place = asking.place;
    let saved = found
        .iter()
        .flatten()
        .filter_map(|entry| entry.about.cost)
        .reduce(Nanos::saturating_add);
    let oldest = found.iter().flatten().max_by_key(|entry| age(&entry.about));
    let about = oldest.map(|entry| entry.about.clone());
    let kept: Vec<_> = found.into_iter().map(|entry| entry.map(|entry| entry.body)).collect();
    let missing = missing(&kept);
    if let (true, Some(about)) = (missing.is_empty(), about) {
        let vectors: Vec<_> = kept.into_iter().flatten().collect();
        let model = place.named(asking.request, about.maker.as_ref());
        record.hit(place.source.model, saved);
        return Ok(Looked::Hit(Hit {
            form: Form::Whole,
            body: batch.answer(&vectors, None, model),
            age: age(&about),
            maker: about.maker,
            dropped: about.dropped,
            saved,
        }));
    }
    if control.looking == Looking::Only {
        return Err(Refusal::NotCached);
    }
    record.missed();
    let smaller = match missing.len() < keys.len() {
        true => batch.only(asking.request, &missing).map(Arc::new),
        false => None,
    };
    let batched = Batched {
        place: place.clone(),
        // Of which nothing can be left out, everything is asked for.
        kept: match smaller {
            Some(_) => kept,
            None => keys.iter().map(|_| None).collect(),
        },
        batch,
        keys,
        came: Vec::new(),
        model: asking.request.model().into(),
        storing: control.storing,
        leading,
    };
    if let (Some(_), Some(saved)) = (&smaller, saved) {
        record.saves(saved);
    }
    Ok(Looked::Part(smaller, Keeping::Batch(Box::new(batched))))
}

/// The places of those that are not there.
fn missing(kept: &[Option<Bytes>]) -> Vec<usize> {
    let places = kept.iter().enumerate();
    places
        .filter(|(_, item)| item.is_none())
        .map(|(place, _)| place)
        .collect()
}

impl Batched {
    /// The whole answer, of the one to what was missing.
    pub(super) fn complete(&mut self, answer: Answer) -> Result<Answer, Refusal> {
        let Answer::Whole {
            status,
            body,
            used,
            telling,
            kept,
        } = answer
        else {
            return Ok(answer);
        };
        let missing = missing(&self.kept).len();
        let came = self.batch.vectors(&body, missing);
        let body = match (came, missing == self.kept.len()) {
            (came, true) => {
                self.came = came.unwrap_or_default();
                body
            }
            (None, false) => {
                let message = "the provider's answer does not have an embedding for each input";
                return Err(refused(failure_of(FailureKind::Malformed, message.to_owned())));
            }
            (Some(came), false) => {
                self.came = came;
                let mut came = self.came.iter().cloned();
                let vectors = self.kept.iter().map(|kept| kept.clone().or_else(|| came.next()));
                let vectors: Vec<_> = vectors.flatten().collect();
                self.batch.answer(&vectors, Some(&body), &self.model)
            }
        };
        Ok(Answer::Whole {
            status,
            body,
            used,
            telling,
            kept,
        })
    }

    /// Keeps what came. What all of it cost is shared out evenly.
    pub(super) async fn keep(self, given: Given) {
        let Self {
            place,
            keys,
            kept,
            came,
            storing,
            leading,
            ..
        } = self;
        let size: usize = came.iter().map(Bytes::len).sum();
        let lasts = !place.time_to_live.is_zero();
        if storing == Storing::Not || !lasts || came.is_empty() || size > LARGEST_BYTES {
            return;
        }
        let costs = shares(given.cost, came.len());
        let missing = missing(&kept);
        let entries: Vec<_> = missing
            .iter()
            .filter_map(|place| keys.get(*place))
            .zip(came)
            .zip(costs)
            .map(|((key, body), cost)| {
                let about = About {
                    form: Form::Whole,
                    stored_at: Utc::now(),
                    source: place.source.clone(),
                    maker: given.maker.clone(),
                    usage: None,
                    cost,
                    dropped: given.dropped.clone(),
                };
                (*key, Entry { about, body })
            })
            .collect();
        let kept = entries.iter().map(|(key, entry)| (*key, entry));
        place.memory.keep(place.organization, kept, place.time_to_live).await;
        // Who waits looks again, and finds each item.
        if let (Some(leading), Some((_, entry))) = (leading, entries.into_iter().next()) {
            leading.land(entry);
        }
    }
}

/// Even shares, the first ones larger by what does not divide.
fn shares(cost: Option<Nanos>, count: usize) -> impl Iterator<Item = Option<Nanos>> {
    let count = i64::try_from(count).unwrap_or(i64::MAX).max(1);
    (0..count).map(move |place| {
        let cost = cost?.get();
        Some(Nanos::new(cost / count + i64::from(place < cost % count)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_add_up() {
        for (cost, count, expected) in [(10, 3, vec![4, 3, 3]), (2, 3, vec![1, 1, 0]), (0, 2, vec![0, 0])] {
            let shared: Vec<_> = shares(Some(Nanos::new(cost)), count)
                .flatten()
                .map(Nanos::get)
                .collect();
            assert_eq!(shared, expected);
        }
        assert_eq!(shares(None, 2).collect::<Vec<_>>(), [None, None]);
    }
}
