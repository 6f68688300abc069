//! Asks providers about what was made in the background, so that it is billed though its caller may never ask for it
//! again. Known only to the node that passed the request on, which goes on with it when it starts again; where a node does
//! not come back, a response is billed when somebody asks for it.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::StreamExt as _;
use gatewright_coord::ResponseId;
use gatewright_llm::dialect::openai_responses::stored::is_over;
use gatewright_types::OrganizationId;
use tokio::sync::watch;
use tokio::time::{Instant, sleep};

use super::entry::{AtProvider, Entry};
use super::keeping::Kept;
use super::listing::Query;
use super::managing::{Action, Asked};
use super::notes::Notes;
use crate::gateway::Gateway;
use crate::limits::Purse;
use crate::refusal::Refusal;

const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Doubled each time, up to the longest.
const FIRST_PAUSE: Duration = Duration::from_secs(5);
const LONGEST_PAUSE: Duration = Duration::from_secs(5 * 60);
/// No provider works on a response for longer.
const PATIENCE: Duration = Duration::from_secs(24 * 60 * 60);
const MOST: usize = 10_000;
const AT_ONCE: usize = 8;

/// Those that are not over, as far as is known.
#[derive(Debug)]
pub(super) struct Pending {
    waiting: Mutex<Vec<Waiting>>,
    /// What is reserved for them.
    purses: Mutex<Purses>,
    notes: Notes,
}

type Purses = HashMap<(OrganizationId, ResponseId), Purse>;

#[derive(Debug)]
struct Waiting {
    organization: OrganizationId,
    id: ResponseId,
    made: AtProvider,
    /// Whether all nodes know of it.
    kept: Kept,
    since: Instant,
    pause: Duration,
    due: Instant,
}

impl Pending {
    pub(super) fn new(folder: PathBuf) -> Self {
        Self {
            waiting: Mutex::default(),
            purses: Mutex::default(),
            notes: Notes::new(folder),
        }
    }

    pub(super) async fn add(
        &self,
        organization: OrganizationId,
        id: ResponseId,
        made: AtProvider,
        kept: Kept,
        purse: Option<Purse>,
    ) {
        if let Some(purse) = purse {
            self.lock_purses().insert((organization, id.clone()), purse);
        }
        self.begin(organization, id.clone(), made, kept);
        // One that is not kept would not be found again.
        if kept == Kept::AsWished {
            self.notes.note(organization, &id).await;
        }
    }

    fn begin(&self, organization: OrganizationId, id: ResponseId, made: AtProvider, kept: Kept) {
        let now = Instant::now();
        self.put(Waiting {
            organization,
            id,
            made,
            kept,
            since: now,
            pause: FIRST_PAUSE,
            due: now + FIRST_PAUSE,
        });
    }

    fn put(&self, waiting: Waiting) {
        let mut all = self.lock();
        if all.len() < MOST {
            all.push(waiting);
        } else {
            self.take_purse(waiting.organization, &waiting.id);
            tracing::warn!(
                organization.id = %waiting.organization,
                "too many responses are made in the background: one is billed only when its caller asks for it"
            );
        }
    }

    /// What is reserved for a response that is billed by now.
    pub(super) fn take_purse(&self, organization: OrganizationId, id: &ResponseId) -> Option<Purse> {
        self.lock_purses().remove(&(organization, id.clone()))
    }

    /// Nothing more is to be learned of it. What is still reserved for it is free again.
    async fn over(&self, organization: OrganizationId, id: &ResponseId) {
        drop(self.take_purse(organization, id));
        self.notes.forget(organization, id).await;
    }

    fn lock_purses(&self) -> MutexGuard<'_, Purses> {
        self.purses.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take_due(&self) -> Vec<Waiting> {
        let now = Instant::now();
        self.lock().extract_if(.., |waiting| waiting.due <= now).collect()
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Waiting>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Waiting {
    /// Whether there is nothing more to be learned.
    async fn ask(&self, gateway: &Gateway) -> bool {
        if self.kept == Kept::AsWished {
            let found = gateway.parts.responses.find_one(self.organization, &self.id).await;
            match found {
                Ok(Some(Entry::AtProvider(made))) if made.unbilled.is_some() => {}
                // It was billed or deleted meanwhile, on whichever node.
                Ok(Some(Entry::AtProvider(_) | Entry::Here(_)) | None) => return true,
                Err(_) => return false,
            }
        }
        let snapshot = gateway.parts.published.peek();
        let Some(tenant) = snapshot
            .as_ref()
            .and_then(|snapshot| snapshot.tenant(self.organization))
        else {
            return false;
        };
        let asked = Asked {
            gateway,
            tenant: &tenant,
            id: &self.id,
            made: self.made.clone(),
        };
        match asked.at_provider(Action::Retrieve, Query::default()).await {
            Ok(response) => is_over(&response),
            Err(refusal) => matches!(refusal, Refusal::ResponseNotFound { .. }),
        }
    }

    fn later(mut self) -> Option<Self> {
        self.pause = (self.pause * 2).min(LONGEST_PAUSE);
        self.due = Instant::now() + self.pause;
        (self.since.elapsed() < PATIENCE).then_some(self)
    }
}

impl Gateway {
    /// Takes up again what this node had not seen the end of when it stopped. Gives back what cannot be found out yet.
    async fn take_up(&self, noted: Vec<(OrganizationId, ResponseId)>) -> Vec<(OrganizationId, ResponseId)> {
        let responses = &self.parts.responses;
        let mut left = Vec::new();
        for (organization, id) in noted {
            match responses.find_one(organization, &id).await {
                Ok(Some(Entry::AtProvider(made))) if made.unbilled.is_some() => {
                    responses.pending().begin(organization, id, made, Kept::AsWished);
                }
                Ok(_) => responses.pending().over(organization, &id).await,
                Err(_) => left.push((organization, id)),
            }
        }
        left
    }

    /// Bills what was made in the background, until it is told to stop.
    pub async fn bill_background(self, mut stop: watch::Receiver<bool>) {
        let mut noted = self.parts.responses.pending().notes.all().await;
        loop {
            noted = self.take_up(noted).await;
            tokio::select! {
                () = sleep(LOOK_EVERY) => {}
                _ = stop.wait_for(|stop| *stop) => return,
            }
            let pending = self.parts.responses.pending();
            let asking = futures_util::stream::iter(pending.take_due()).for_each_concurrent(AT_ONCE, async |waiting| {
                let is_over = waiting.ask(&self).await;
                let (organization, id) = (waiting.organization, waiting.id.clone());
                match waiting.later().filter(|_| !is_over) {
                    Some(waiting) => pending.put(waiting),
                    // Billed elsewhere or never: what was reserved is free again.
                    None => pending.over(organization, &id).await,
                }
            });
            tokio::select! {
                () = asking => {}
                _ = stop.wait_for(|stop| *stop) => return,
            }
        }
    }
}
