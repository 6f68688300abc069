//! Finds the answer to the same question, or a place for the one that comes.

use std::sync::Arc;

use gatewright_contract::Caller;
use gatewright_llm::Request;
use tokio::time::{Instant, timeout};

use super::control::{Looking, Storing};
use super::entry::Entry;
use super::flights::{Leading, Part};
use super::hit::{Hit, age, wanted};
use super::keeping::Keeping;
use super::place::Place;
use crate::gateway::Gateway;
use crate::record::Record;
use crate::refusal::Refusal;
use crate::told::Told;

/// After so many others from which nothing came, a request no longer waits for one.
const MOST_LEADERS: usize = 2;

/// What came of looking.
#[derive(Debug)]
pub(crate) enum Looked {
    /// Nothing is kept of this request.
    Off,
    Hit(Hit),
    /// A provider is to be asked. What it answers is to be kept, unless the caller does not want that.
    Miss(Option<Keeping>),
}

pub(crate) async fn look(
    gateway: &Gateway,
    caller: &Caller,
    request: &Arc<Request>,
    told: &Told,
    record: &mut Record,
) -> Result<Looked, Refusal> {
    let control = told.cache.read()?;
    let Some(place) = Place::of(gateway, caller, request, told, &control) else {
        return match control.looking {
            Looking::Only => Err(Refusal::NotCached),
            Looking::Usual | Looking::Not => Ok(Looked::Off),
        };
    };
    let asking = Asking {
        gateway,
        caller,
        request,
        told,
        place: &place,
    };
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
        Storing::Usual => Some(Keeping::new(place, form, request.dialect(), leading)),
        Storing::Not => None,
    };
    Ok(Looked::Miss(keeping))
}

/// A request that looks for its answer.
struct Asking<'a> {
    gateway: &'a Gateway,
    caller: &'a Caller,
    request: &'a Arc<Request>,
    told: &'a Told,
    place: &'a Place,
}

/// What came of equal requests at the same time.
enum Together {
    Hit(Hit),
    /// It asks itself: for the others as well where it leads.
    Asks(Option<Leading>),
}

impl Asking<'_> {
    async fn kept(&self, record: &mut Record) -> Option<Hit> {
        let place = self.place;
        let began = Instant::now();
        let found = place.memory.find(place.organization, &[place.key]).await;
        record.waited(began.elapsed());
        let entry = found.into_iter().flatten().next()?;
        self.hit(&entry, record)
    }

    fn hit(&self, entry: &Entry, record: &Record) -> Option<Hit> {
        let void = self.caller.tenant.purges.void(entry.about.source.origin());
        if void || age(&entry.about) > self.place.oldest {
            return None;
        }
        Hit::of(self.request, self.told, record.id(), entry)
    }

    /// Waits for an equal request that is being answered. One whose caller reads a stream waits no longer than a stream may
    /// be silent.
    async fn together(&self, record: &mut Record) -> Together {
        let flights = self.place.memory.flights();
        for _ in 0..=MOST_LEADERS {
            let following = match flights.join(self.place.key) {
                Part::Lead(leading) => return Together::Asks(Some(leading)),
                Part::Follow(following) => following,
            };
            let began = Instant::now();
            let landed = match self.request.stream() {
                true => timeout(self.gateway.parts.settings.keepalive, following.landed()).await,
                false => Ok(following.landed().await),
            };
            record.waited(began.elapsed());
            match landed {
                Ok(Some(entry)) => {
                    return match self.hit(&entry, record) {
                        Some(hit) => Together::Hit(hit),
                        None => Together::Asks(None),
                    };
                }
                Ok(None) => {}
                Err(_) => return Together::Asks(None),
            }
        }
        Together::Asks(None)
    }
}
