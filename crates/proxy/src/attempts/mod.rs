//! All calls that are made for one request: at one target after the other, as long as they fail and nothing of an answer
//! has left to the caller. What is done after a failure is decided in `next`; how a call is made is in `ready`, `whole` and
//! `streaming`.

mod next;
mod pause;
mod ready;
mod streaming;
mod underway;
mod whole;

use std::sync::Arc;
use std::time::Duration;

use gatewright_llm::Request;
use gatewright_types::api::CacheStatus;
use gatewright_types::{CredentialId, HumanDuration, RequestId};
use tokio::time::sleep;

use crate::gateway::Gateway;
use crate::limits::LimitsTold;
use crate::record::{Facts, Record};
use crate::refusal::Refusal;
use crate::route::Plan;
use crate::told::Told;
use crate::waiting::HowTold;
use next::Standby;
pub(crate) use pause::random;
use ready::Ready;
pub(crate) use streaming::Streaming;
pub(crate) use underway::Underway;
pub(crate) use whole::Whole;

/// The calls of one request.
pub(crate) struct Attempts {
    gateway: Gateway,
    plan: Plan,
    request: Arc<Request>,
    told: Told,
    timeout: Option<HumanDuration>,
    leg: usize,
    /// Further calls that were made at this leg.
    retried: u8,
    /// The credentials that were tried at this leg.
    tried: Vec<CredentialId>,
    standby: Standby,
    /// Of all that failed, what tells the caller most.
    failed: Option<Refusal>,
    /// The call that is made next, when it is prepared already.
    /// In its own allocation, so that it is handed on without being copied into each future on its way.
    ready: Option<Box<Ready>>,
}

/// What came of the calls.
pub(crate) enum Won {
    Whole(Box<Whole>),
    Streaming(Box<Streaming>),
}

/// What can be told of a request while its first call is under way.
pub(crate) struct First {
    pub(crate) id: RequestId,
    /// Those so far.
    pub(crate) attempts: u32,
    pub(crate) cache: CacheStatus,
    pub(crate) overhead: Duration,
    pub(crate) limits: Option<LimitsTold>,
    pub(crate) told: HowTold,
    pub(crate) content_type: &'static str,
}

impl First {
    /// Who will answer is not known: the one that is called may fail.
    pub(crate) fn facts(&self) -> Facts<'_> {
        Facts {
            id: self.id,
            provider: None,
            model: None,
            attempts: self.attempts,
            cache: self.cache,
            overhead: self.overhead,
            limits: self.limits.as_ref(),
        }
    }
}

impl Attempts {
    pub(crate) fn new(gateway: &Gateway, plan: Plan, request: Arc<Request>, told: Told) -> Result<Self, Refusal> {
        Ok(Self {
            timeout: told.timeout()?,
            gateway: gateway.clone(),
            plan,
            request,
            told,
            leg: 0,
            retried: 0,
            tried: Vec::new(),
            standby: Standby::default(),
            failed: None,
            ready: None,
        })
    }

    /// Gets a call ready. A target that cannot take the request is passed over.
    pub(crate) async fn prepare(&mut self, record: &mut Record) -> Result<(), Refusal> {
        while self.ready.is_none() {
            match self.get_ready(record).await {
                Ok(ready) => self.ready = Some(ready),
                Err(unready) => self.pass_over(unready, record)?,
            }
        }
        Ok(())
    }

    /// To be asked once a call is prepared.
    pub(crate) fn first(&self, record: &Record) -> First {
        let telling = self.ready.as_ref().map(|ready| &ready.telling);
        First {
            id: record.id(),
            attempts: record.facts().attempts,
            cache: record.facts().cache,
            overhead: record.facts().overhead,
            limits: record.facts().limits.cloned(),
            told: HowTold {
                dialect: record.dialect(),
                as_array: self.told.wishes.as_array,
                comments: telling.is_none_or(|telling| telling.takes_comments()),
            },
            content_type: telling.map_or("text/event-stream", |telling| telling.content_type()),
        }
    }

    /// Makes calls until one gives an answer, or nothing is left to try.
    pub(crate) async fn run(&mut self, record: &mut Record) -> Result<Won, Refusal> {
        loop {
            self.prepare(record).await?;
            let Some(ready) = self.ready.take() else { continue };
            let failed = match ready.make(&self.gateway, record).await {
                Ok(won) => return Ok(won),
                Err(refusal) => {
                    record.notes().refused(&refusal);
                    record.failed(&refusal);
                    refusal
                }
            };
            if let Some(pause) = self.after(failed, record)? {
                sleep(pause).await;
                record.waited(pause);
            }
        }
    }
}
