//! The record of one request while it is under way. It is written to the journal exactly once: when the request ends,
//! or, if nobody says how it ended, when it is dropped because the caller hung up (`ending`). `calls` takes down what is
//! called, `bill` what it comes to.

mod bill;
mod calls;
mod ending;
mod natively;

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use gatewright_contract::{Caller, UpstreamTarget, UsageRecord};
use gatewright_llm::{Bill, Request};
use gatewright_routing::Vitals;
use gatewright_types::api::{CacheStatus, Dialect, Outcome, ServedTier};
use gatewright_types::{ModelId, ModelName, Nanos, OrganizationId, RequestId};
use tokio::time::Instant;

use crate::cache::Maker;
use crate::canaried::Canaried;
use crate::gateway::Gateway;
use crate::limits::{LimitsTold, Tags, Ticket, Who};
use crate::native::Sighted;
use crate::notes::Notes;
use crate::pipeline::Head;
use crate::route::Plan;
use crate::shedding::Place;
use crate::trace::RequestTrace;
pub(crate) use ending::{End, Ending, Metered, Untold, Used};
use natively::Natively;

/// A request under way.
#[derive(Debug)]
pub(crate) struct Record {
    gateway: Gateway,
    open: Option<Box<Open>>,
}

#[derive(Debug)]
struct Open {
    usage: UsageRecord,
    /// In which the caller is told of errors; at a provider's own address not always what was spoken.
    told_in: Dialect,
    started: Instant,
    /// Time spent waiting for the provider: everything else is ours.
    waited: Duration,
    /// Settled when a stream begins: from there on almost all time is the provider's.
    overhead: Option<Duration>,
    request: Option<Arc<Request>>,
    /// What was called last.
    target: Option<Arc<UpstreamTarget>>,
    vitals: Option<Arc<Vitals>>,
    /// What its provider may have in its prompt cache.
    conversation: Option<u64>,
    canaried: Option<Canaried>,
    /// What calls came to that failed and are paid for all the same.
    failed: Option<Bill>,
    /// Of a request at a provider's own address, which has neither.
    sighted: Option<Box<Sighted>>,
    /// The call at a provider's own address.
    natively: Option<Natively>,
    trace: RequestTrace,
    notes: Notes,
    /// Until its last byte could leave, where what follows takes longer.
    took: Option<Duration>,
    /// What it has reserved of budgets and limits. Absent where there are none.
    ticket: Option<Box<Ticket>>,
    /// Held until the request has ended.
    _place: Place,
}
/// What the reply's headers say.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Facts<'a> {
    pub(crate) id: RequestId,
    pub(crate) provider: Option<&'a str>,
    pub(crate) model: Option<&'a str>,
    pub(crate) attempts: u32,
    pub(crate) cache: CacheStatus,
    pub(crate) overhead: Duration,
    pub(crate) limits: Option<&'a LimitsTold>,
}

impl Record {
    pub(crate) fn open(
        gateway: &Gateway,
        caller: &Caller,
        place: Place,
        head: &Head<'_>,
        started_at: DateTime<Utc>,
    ) -> Self {
        let Head { started, dialect, .. } = *head;
        let usage = UsageRecord {
            id: RequestId::mint(),
            organization: caller.tenant.id,
            key: caller.key.id,
            team: caller.key.team,
            started_at,
            dialect,
            model: None,
            model_id: None,
            upstream: None,
            stream: false,
            outcome: Outcome::ClientGone,
            status: 499,
            code: None,
            attempts: 0,
            cache: CacheStatus::Off,
            saved: None,
            lines: Vec::new(),
            estimated: false,
            served: None,
            charge: None,
            cost: None,
            duration_us: 0,
            first_token_us: None,
            overhead_us: 0,
            trace: None,
            canaries: Vec::new(),
            owner: caller.key.owner,
            end_user: None,
            tags: std::collections::BTreeMap::new(),
            budgets: Vec::new(),
            downgraded_to: None,
            over: None,
        };
        gateway.parts.metrics.request_begins();
        let open = Open {
            usage,
            told_in: dialect,
            started,
            waited: Duration::ZERO,
            overhead: None,
            request: None,
            target: None,
            vitals: None,
            conversation: None,
            canaried: None,
            failed: None,
            sighted: None,
            natively: None,
            trace: gateway.parts.tracing.begin(head.route, head.traceparent),
            notes: Notes::begin(caller.tenant.traces, head.wants_trace, started),
            took: None,
            ticket: None,
            _place: place,
        };
        Self {
            gateway: gateway.clone(),
            open: Some(Box::new(open)),
        }
    }

    pub(crate) fn dialect(&self) -> Dialect {
        self.get().told_in
    }

    pub(crate) fn id(&self) -> RequestId {
        self.get().usage.id
    }

    /// A record of this request under another identifier, for what is only known after it has ended.
    pub(crate) fn draft(&self, id: RequestId) -> Box<UsageRecord> {
        let open = self.get();
        Box::new(UsageRecord {
            id,
            budgets: open.ticket.as_deref().map(Ticket::shares).unwrap_or_default(),
            ..open.usage.clone()
        })
    }

    /// The model that was asked for, of a request that is not to be answered.
    pub(crate) fn named(&mut self, model: &str) {
        self.get_mut().usage.model = Some(model.to_owned());
    }

    pub(crate) fn asked(&mut self, request: &Arc<Request>) {
        let open = self.get_mut();
        // A budget may have put another in its place meanwhile.
        open.usage.model.get_or_insert_with(|| request.model().to_owned());
        open.usage.stream = request.stream();
        open.request = Some(request.clone());
    }

    pub(crate) fn is_about(&mut self, who: &Who) {
        let usage = &mut self.get_mut().usage;
        usage.end_user.clone_from(&who.end_user);
        usage.tags.clone_from(&who.tags);
    }

    pub(crate) fn tags(&self) -> &Tags {
        &self.get().usage.tags
    }

    pub(crate) fn ticket(&mut self) -> Option<&mut Ticket> {
        self.get_mut().ticket.as_deref_mut()
    }

    /// Where its ticket is to be put.
    pub(crate) fn ticket_place(&mut self) -> &mut Option<Box<Ticket>> {
        &mut self.get_mut().ticket
    }

    /// A budget sent it to another model.
    pub(crate) fn downgraded(&mut self, model: &ModelName) {
        self.get_mut().usage.downgraded_to = Some(model.clone());
    }

    pub(crate) fn routed(&mut self, plan: &Plan) {
        let open = self.get_mut();
        open.usage.model_id = Some(plan.routed.model.id);
        open.conversation = plan.routed.conversation;
        // Counting tokens says nothing of how well a side answers.
        open.canaried = open.request.as_ref().and_then(|_| Canaried::of(&plan.routed));
    }

    /// The answer was kept. `saved` is what it had cost, where that is known.
    pub(crate) fn hit(&mut self, model: ModelId, saved: Option<Nanos>) {
        let usage = &mut self.get_mut().usage;
        usage.model_id = Some(model);
        usage.cache = CacheStatus::Hit;
        usage.saved = saved;
    }

    /// Nothing was kept that answers it.
    pub(crate) fn missed(&mut self) {
        self.get_mut().usage.cache = CacheStatus::Miss;
    }

    /// A part of the answer was kept, and this is what it had cost.
    pub(crate) fn saves(&mut self, saved: Nanos) {
        self.get_mut().usage.saved = Some(saved);
    }

    /// Whose answer it is.
    pub(crate) fn maker(&self) -> Option<Maker> {
        self.get().usage.upstream.as_ref().map(|upstream| Maker {
            provider: upstream.name.clone(),
            model: upstream.model.clone(),
        })
    }

    /// What the caller speaks, where that is only known once the provider is.
    pub(crate) fn speaks(&mut self, dialect: Dialect) {
        let open = self.get_mut();
        (open.usage.dialect, open.told_in) = (dialect, dialect);
    }

    /// What is spoken at a provider's own address. Errors go on being told in words of the provider's family, unless
    /// callers have a dialect of their own for it.
    pub(crate) fn spoken(&mut self, dialect: Dialect) {
        let open = self.get_mut();
        open.usage.dialect = dialect;
        if !matches!(dialect, Dialect::Native(_)) {
            open.told_in = dialect;
        }
    }

    /// Hands the record over to whoever goes on with the request; what is left here is none.
    pub(crate) fn take(&mut self) -> Self {
        Self {
            gateway: self.gateway.clone(),
            open: self.open.take(),
        }
    }

    pub(crate) fn organization(&self) -> OrganizationId {
        self.get().usage.organization
    }

    pub(crate) fn waited(&mut self, duration: Duration) {
        self.get_mut().waited += duration;
    }

    /// What was ours until now is all that will be called ours.
    pub(crate) fn hold_overhead(&mut self) {
        let open = self.get_mut();
        open.overhead = Some(open.overhead());
    }

    /// In which tier, as far as the answer's head says.
    pub(crate) fn served(&mut self, tier: Option<ServedTier>) {
        self.get_mut().usage.served = tier;
    }

    pub(crate) fn first_token(&mut self) {
        let open = self.get_mut();
        if open.usage.first_token_us.is_none() {
            open.usage.first_token_us = Some(micros(open.started.elapsed()));
            open.answered();
        }
    }

    /// The moment whose prices apply.
    pub(crate) fn began_at(&self) -> DateTime<Utc> {
        self.get().usage.started_at
    }

    pub(crate) fn started(&self) -> Instant {
        self.get().started
    }

    pub(crate) fn notes(&mut self) -> &mut Notes {
        &mut self.get_mut().notes
    }

    pub(crate) fn trace(&mut self) -> &mut RequestTrace {
        &mut self.get_mut().trace
    }

    /// What the reply's headers tell of the request so far.
    pub(crate) fn facts(&self) -> Facts<'_> {
        let open = self.get();
        let upstream = open.usage.upstream.as_ref();
        Facts {
            id: open.usage.id,
            provider: upstream.map(|upstream| upstream.name.as_str()),
            model: upstream
                .and_then(|upstream| upstream.model.as_ref())
                .map(|model| model.as_str()),
            attempts: open.usage.attempts,
            cache: open.usage.cache,
            overhead: open.overhead(),
            limits: open.ticket.as_deref().map(Ticket::told),
        }
    }

    fn get(&self) -> &Open {
        self.open
            .as_deref()
            .expect("a record is only asked before it is finished")
    }

    fn get_mut(&mut self) -> &mut Open {
        self.open
            .as_deref_mut()
            .expect("a record only changes before it is finished")
    }
}

impl Open {
    fn overhead(&self) -> Duration {
        self.overhead
            .unwrap_or_else(|| self.started.elapsed().saturating_sub(self.waited))
    }

    /// The first token is there, or all of it.
    fn answered(&mut self) {
        if let Some(natively) = &mut self.natively {
            natively.answered();
        }
    }
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}
