//! Finds the answer to the same question, or a place for the one that comes.

use std::sync::Arc;

use gatewright_contract::{Caller, Digest};
use gatewright_llm::Request;
use tokio::time::{Instant, timeout};

use super::control::{Looking, Storing};
use super::entry::Entry;
use super::flights::{Following, Leading, Part};
use super::hit::{Hit, age, wanted};
use super::keeping::{Keeping, One};
use super::place::Place;
use super::vectors;
use crate::gateway::Gateway;
use crate::record::Record;
use crate::refusal::Refusal;
use crate::told::Told;

/// After so many others from which nothing came, a request no longer waits for one.
pub(super) const MOST_LEADERS: usize = 2;

/// What came of looking.
#[derive(Debug)]
pub(crate) enum Looked {
    /// Nothing is kept of this request.
    Off,
    Hit(Hit),
    /// A provider is to be asked. What it answers is to be kept, unless the caller does not want that.
    Miss(Option<Keeping>),
    /// Some of it is kept: the provider is to be asked for the rest, which is all of it where no smaller request is given.
    Part(Option<Arc<Request>>, Keeping),
}

pub(crate) async fn look(
    gateway: &Gateway,
    caller: &Caller,
    request: &Arc<Request>,
    told: &Told,
    record: &mut Record,
) -> Result<Looked, Refusal> {
    let control = told.cache.read()?;
    let Some(mut place) = Place::of(gateway, caller, request, told, &control) else {
        return match control.looking {
            Looking::Only => Err(Refusal::NotCached),
            Looking::Usual | Looking::Not => Ok(Looked::Off),
        };
    };
    place.source.tags.clone_from(record.tags());
    let asking = Asking {
        gateway,
        caller,
        request,
        told,
        place: &place,
    };
    if let Some(batch) = request.batch() {
        return Box::pin(vectors::look(asking, batch, &control, record)).await;
    }
    if control.looking != Looking::Not
        && let Some(hit) = asking.kept(record).await
    {
        record.hit(place.source.model, hit.saved);
        return Ok(Looked::Hit(hit));
    }
    record.missed();
    let leading = match (control.looking, control.storing) {
        (Looking::Only, _) => return Err(Refusal::NotCached),
        (Looking::Usual, Storing::Usual) if place.shared => match asking.together(record).await {
            Together::Hit(hit) => {
                record.hit(place.source.model, hit.saved);
                return Ok(Looked::Hit(hit));
            }
            Together::Asks(leading) => leading,
        },
        (Looking::Usual | Looking::Not, _) => None,
    };
    let form = wanted(request, told);
    let keeping = match control.storing {
        Storing::Usual => {
            let one = One::new(place, form, request.dialect(), leading);
            Some(Keeping::One(Box::new(one)))
        }
        Storing::Not => None,
    };
    Ok(Looked::Miss(keeping))
}

/// A request that looks for its answer.
pub(super) struct Asking<'a> {
    gateway: &'a Gateway,
    caller: &'a Caller,
    pub(super) request: &'a Arc<Request>,
    told: &'a Told,
    pub(super) place: &'a Place,
}

/// What came of equal requests at the same time.
enum Together {
    Hit(Hit),
    /// It asks itself: for the others as well where it leads.
    Asks(Option<Leading>),
}

/// What came of waiting for another request.
pub(super) enum Followed {
    Landed(Arc<Entry>),
    Lost,
    TooLong,
}

impl Asking<'_> {
    async fn kept(&self, record: &mut Record) -> Option<Hit> {
        let found = self.valid(&[self.place.key], record).await;
        let entry = found.into_iter().flatten().next()?;
        self.hit(&entry, record)
    }

    /// What is there and counts, in the order of the keys.
    pub(super) async fn valid(&self, keys: &[Digest], record: &mut Record) -> Vec<Option<Entry>> {
        let place = self.place;
        let began = Instant::now();
        let mut found = place.memory.find(place.organization, keys).await;
        record.waited(began.elapsed());
        for entry in &mut found {
            entry.take_if(|entry| !self.counts(entry));
        }
        found
    }

    fn counts(&self, entry: &Entry) -> bool {
        let about = &entry.about;
        !self.caller.tenant.purges.void(about.source.origin()) && age(about) <= self.place.oldest
    }

    fn hit(&self, entry: &Entry, record: &Record) -> Option<Hit> {
        Hit::of(self.request, self.told, self.place, record.id(), entry)
    }

    /// What comes of an equal request that is being answered; nothing when it takes longer than is waited for.
    pub(super) async fn follow(&self, following: Following, record: &mut Record) -> Followed {
        let began = Instant::now();
        // One whose caller reads a stream waits no longer than a stream may be silent.
        let landed = match self.request.stream() {
            true => timeout(self.gateway.parts.settings.keepalive, following.landed()).await,
            false => Ok(following.landed().await),
        };
        record.waited(began.elapsed());
        match landed {
            Ok(Some(entry)) => Followed::Landed(entry),
            Ok(None) => Followed::Lost,
            Err(_) => Followed::TooLong,
        }
    }

    /// Waits for an equal request that is being answered.
    async fn together(&self, record: &mut Record) -> Together {
        let flights = self.place.memory.flights();
        for _ in 0..=MOST_LEADERS {
            let following = match flights.join(self.place.key) {
                Part::Lead(leading) => return Together::Asks(Some(leading)),
                Part::Follow(following) => following,
            };
            match self.follow(following, record).await {
                Followed::Landed(entry) => {
                    let hit = self.hit(&entry, record).filter(|_| self.counts(&entry));
                    return hit.map_or(Together::Asks(None), Together::Hit);
                }
                Followed::Lost => {}
                Followed::TooLong => return Together::Asks(None),
            }
        }
        Together::Asks(None)
    }
}
