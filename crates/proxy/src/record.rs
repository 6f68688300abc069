//! The record of one request while it is under way. It is written to the journal exactly once: when the request ends,
//! or, if nobody says how it ended, when it is dropped because the caller hung up.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use chrono::{DateTime, Utc};
use gatewright_contract::{AppliedPrice, Caller, CanaryShare, Upstream, UpstreamTarget, UsageRecord};
use gatewright_llm::{AnswerFacts, Bill, Catalog, Delivered, Named, Request, Terms, Tokens, Uncounted, unpriced};
use gatewright_routing::{Flight, Vitals};
use gatewright_types::api::{CacheStatus, Dialect, Outcome, ServedTier};
use gatewright_types::{CredentialId, ModelId, Nanos, OrganizationId, RequestId};
use tokio::sync::oneshot;
use tokio::time::Instant;

use crate::access_log;
use crate::cache::Maker;
use crate::canaried::Canaried;
use crate::gateway::Gateway;
use crate::journal::Journal;
use crate::native::Sighted;
use crate::notes::Notes;
use crate::pipeline::Head;
use crate::refusal::Refusal;
use crate::route::Plan;
use crate::shedding::Place;
use crate::trace::RequestTrace;

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
    /// Of a request at a provider's own address, which has neither.
    sighted: Option<Box<Sighted>>,
    /// The call at a provider's own address, and when it began.
    flight: Option<(Flight, Instant)>,
    trace: RequestTrace,
    notes: Notes,
    /// Until its last byte could leave, where what follows takes longer.
    took: Option<Duration>,
    /// Held until the request has ended.
    _place: Place,
}

/// How a request ended.
#[derive(Debug)]
pub(crate) struct End {
    pub(crate) outcome: Outcome,
    pub(crate) status: u16,
    pub(crate) code: Option<&'static str>,
    pub(crate) used: Used,
}

/// What is known of the tokens.
#[derive(Debug)]
pub(crate) enum Used {
    Nothing,
    Told(Tokens, Terms),
    /// The provider did not say: this is our count.
    Counted(Tokens, Terms),
}

/// What is to be counted, for want of what was used.
#[derive(Debug, Clone)]
pub(crate) struct Untold {
    uncounted: Arc<Uncounted>,
    pub(crate) terms: Terms,
}

/// What is known of the tokens when a request ends.
#[derive(Debug)]
pub(crate) enum Ending {
    Known(Used),
    Untold(Untold),
}

impl Used {
    /// What was used, whoever counted.
    pub(crate) const fn tokens(&self) -> Option<Tokens> {
        match self {
            Self::Nothing => None,
            Self::Told(tokens, _) | Self::Counted(tokens, _) => Some(*tokens),
        }
    }

    fn terms(&self) -> Terms {
        match self {
            Self::Nothing => Terms::default(),
            Self::Told(_, terms) | Self::Counted(_, terms) => *terms,
        }
    }
}

/// What a finished record tells the reply.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Metered {
    /// `None`: unpriced.
    pub(crate) cost: Option<Nanos>,
}

impl Record {
    pub(crate) fn open(
        gateway: &Gateway,
        caller: &Caller,
        place: Place,
        head: &Head<'_>,
        started_at: DateTime<Utc>,
    ) -> Self {
        let started = Instant::now();
        let dialect = head.dialect;
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
            sighted: None,
            flight: None,
            trace: gateway.parts.tracing.begin(head.route, head.traceparent),
            notes: Notes::begin(caller.tenant.traces, head.wants_trace, started),
            took: None,
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
        Box::new(UsageRecord {
            id,
            ..self.get().usage.clone()
        })
    }

    /// Writes such a record, complete by now.
    pub(crate) fn settle(gateway: &Gateway, usage: UsageRecord) {
        gateway.parts.metrics.request_begins();
        write(gateway, usage, Journal::append);
    }

    /// The model that was asked for, of a request that is not to be answered.
    pub(crate) fn named(&mut self, model: &str) {
        self.get_mut().usage.model = Some(model.to_owned());
    }

    pub(crate) fn asked(&mut self, request: &Arc<Request>) {
        let open = self.get_mut();
        open.usage.model = Some(request.model().to_owned());
        open.usage.stream = request.stream();
        open.request = Some(request.clone());
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

    pub(crate) fn sighted(&mut self, sighted: &Sighted) {
        let open = self.get_mut();
        if let Named::Once(name) = &sighted.native.named {
            open.usage.model = Some(name.clone());
        }
        open.usage.stream = sighted.native.stream;
        open.sighted = Some(Box::new(sighted.clone()));
    }

    /// A call to a provider's own address begins.
    pub(crate) fn attempt_natively(&mut self, sighted: &Sighted, credential: Option<CredentialId>) {
        let (health, now) = (self.gateway.health().clone(), Utc::now());
        let open = self.get_mut();
        open.flight = sighted.target.as_ref().map(|target| {
            let vitals = health.of(sighted.provider.id, &target.model, now);
            (vitals.fly(now), Instant::now())
        });
        if let Some(target) = &sighted.target {
            open.notes.call_begins(target.name(), credential);
        }
        let usage = &mut open.usage;
        usage.attempts += 1;
        usage.upstream = Some(Upstream {
            provider: sighted.provider.id,
            name: sighted.provider.name.clone(),
            model: sighted.target.as_ref().map(|target| target.model.clone()),
            credential,
        });
    }

    /// A call to the provider begins.
    pub(crate) fn attempt(&mut self, target: &Arc<UpstreamTarget>, credential: Option<CredentialId>) {
        self.gateway.parts.metrics.attempted();
        let open = self.get_mut();
        open.target = Some(target.clone());
        open.notes.call_begins(target.name(), credential);
        open.usage.attempts += 1;
        open.usage.upstream = Some(Upstream {
            provider: target.provider.id,
            name: target.provider.name.clone(),
            model: Some(target.model.clone()),
            credential,
        });
    }

    /// Where what is used counts.
    pub(crate) fn flies(&mut self, vitals: Arc<Vitals>) {
        self.get_mut().vitals = Some(vitals);
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
            open.note_latency();
        }
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
        }
    }

    /// Writes the record. Returns once the journal has it.
    pub(crate) fn finish(&mut self, end: &End) -> Metered {
        self.end(end, Journal::append)
    }

    /// The same for an answer that can wait until the journal has written what other requests leave at the same time.
    pub(crate) async fn finish_with_others(mut self, end: End) -> Metered {
        let metered = self.end(&end, Journal::add);
        self.gateway.parts.journal.written().await;
        metered
    }

    fn end(&mut self, end: &End, keep: fn(&Journal, UsageRecord)) -> Metered {
        match self.open.take() {
            Some(open) => open.finish(&self.gateway, end, keep),
            None => Metered { cost: None },
        }
    }

    pub(crate) fn refuse(&mut self, refusal: &Refusal) -> Metered {
        self.notes().refused(refusal);
        self.finish(&End {
            outcome: refusal.outcome(),
            status: refusal.status(),
            code: Some(refusal.code()),
            used: Used::Nothing,
        })
    }

    /// What is known of the tokens of an answer of which this was delivered.
    pub(crate) fn ending(&self, facts: AnswerFacts, delivered: Delivered) -> Ending {
        let terms = facts.terms;
        match facts.usage {
            Some(tokens) => Ending::Known(Used::Told(tokens, terms)),
            None => Ending::Untold(self.untold(delivered, terms)),
        }
    }

    /// Has it counted elsewhere.
    pub(crate) fn ask(&self, untold: &Untold) -> oneshot::Receiver<Tokens> {
        let uncounted = untold.uncounted.clone();
        self.gateway.parts.counting.ask(move || uncounted.count())
    }

    pub(crate) fn untold(&self, delivered: Delivered, terms: Terms) -> Untold {
        let open = self.get();
        let upstream = open
            .usage
            .upstream
            .as_ref()
            .and_then(|upstream| upstream.model.as_ref());
        let model = upstream.map(|model| model.as_str()).or(open.usage.model.as_deref());
        let request = match (&open.request, &open.sighted) {
            (Some(request), _) => request.body().clone(),
            (None, Some(sighted)) => sighted.body.clone(),
            (None, None) => Bytes::new(),
        };
        let uncounted = Uncounted::new(model.unwrap_or_default(), request, delivered);
        Untold {
            uncounted: Arc::new(uncounted),
            terms,
        }
    }

    /// How long it took is told by now, whatever is still to be counted.
    pub(crate) fn stop_clock(&mut self) {
        let open = self.get_mut();
        open.took.get_or_insert_with(|| open.started.elapsed());
    }

    /// Ends the record of a caller who hung up: nobody waits for it any more.
    pub(crate) fn abandon(mut self, ending: Ending) {
        let end = |used| End {
            outcome: Outcome::ClientGone,
            status: 499,
            code: None,
            used,
        };
        match ending {
            Ending::Known(used) => {
                self.finish(&end(used));
            }
            Ending::Untold(untold) => {
                self.stop_clock();
                let counting = self.gateway.parts.counting.clone();
                counting.hand_over(move || {
                    let tokens = untold.uncounted.count();
                    self.finish(&end(Used::Counted(tokens, untold.terms)));
                });
            }
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

impl Drop for Record {
    fn drop(&mut self) {
        let Some(open) = self.open.take() else { return };
        let attempts = open.usage.attempts;
        let record = Self {
            gateway: self.gateway.clone(),
            open: Some(open),
        };
        // The provider was called and works for us already: what it got is billed by our count. Not where counting is
        // what failed.
        let ending = match attempts {
            1.. if !std::thread::panicking() => record.ending(AnswerFacts::default(), Delivered::default()),
            _ => Ending::Known(Used::Nothing),
        };
        record.abandon(ending);
    }
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
}

impl Open {
    fn overhead(&self) -> Duration {
        self.overhead
            .unwrap_or_else(|| self.started.elapsed().saturating_sub(self.waited))
    }

    fn note_habits(&self, gateway: &Gateway, vitals: &Vitals, end: &End) {
        let (Used::Told(tokens, _), Outcome::Complete) = (&end.used, end.outcome) else {
            return;
        };
        let catalog = gateway.catalog();
        let price = self.price(&catalog);
        let rates = price.as_ref().map(AppliedPrice::rates);
        let started_at = self.usage.started_at;
        vitals.habits().note(tokens, rates, self.conversation, started_at);
    }

    fn note_latency(&self) {
        if let Some((flight, began)) = &self.flight {
            flight.first_token(began.elapsed(), Utc::now());
        }
    }

    fn finish(mut self: Box<Self>, gateway: &Gateway, end: &End, keep: fn(&Journal, UsageRecord)) -> Metered {
        let overhead = self.overhead();
        let terms = end.used.terms();
        self.usage.served = terms.served.or(self.usage.served);
        self.usage.charge = terms.charge;
        let bill = self.bill(gateway, &end.used);
        self.usage.canaries = self.canary_shares(end.outcome);
        if end.outcome == Outcome::Complete && !self.usage.stream {
            // All of it came at once, its first token too.
            self.note_latency();
        }
        let natively = self.flight.as_ref().map(|(flight, _)| flight.vitals());
        if let Some(vitals) = self.vitals.as_ref().or(natively) {
            let used = end.used.tokens();
            let used = used.map_or(0, |tokens| tokens.total_input() + tokens.total_output());
            vitals.used_tokens(used, Utc::now());
            self.note_habits(gateway, vitals, end);
        }
        let usage = &mut self.usage;
        usage.outcome = end.outcome;
        usage.status = end.status;
        usage.code = end.code.map(str::to_owned);
        usage.estimated = matches!(end.used, Used::Counted(..));
        usage.lines = bill.lines;
        usage.cost = bill.cost;
        usage.duration_us = micros(self.took.unwrap_or_else(|| self.started.elapsed()));
        usage.overhead_us = micros(overhead);

        if gateway.parts.journal.has_room_to_spare() {
            usage.trace = self.notes.end(usage, self.request.as_deref());
        }
        self.trace.end(usage);
        let metered = Metered { cost: usage.cost };
        write(gateway, self.usage, keep);
        metered
    }

    fn bill(&self, gateway: &Gateway, used: &Used) -> Bill {
        let tokens = match used {
            Used::Told(tokens, _) | Used::Counted(tokens, _) => *tokens,
            Used::Nothing => Tokens::default(),
        };
        let catalog = gateway.catalog();
        let guessed = matches!(used, Used::Counted(..)) && self.is_untold_in_tokens();
        match self.price(&catalog).filter(|_| !guessed) {
            Some(price) => price.bill(&tokens, self.usage.served),
            // At an address nobody here knows, no tokens do not mean that nothing was used.
            None if self.sighted.is_some() && matches!(used, Used::Counted(..)) => unpriced(&tokens),
            // Nothing used costs nothing, whatever a token would cost.
            None if tokens == Tokens::default() => Bill {
                lines: Vec::new(),
                cost: Some(Nanos::ZERO),
            },
            None => unpriced(&tokens),
        }
    }

    /// A count of what was not told would say nothing.
    fn is_untold_in_tokens(&self) -> bool {
        let purpose = self.sighted.as_ref().and_then(|sighted| sighted.native.purpose);
        purpose.is_some_and(|purpose| !purpose.is_about_tokens())
    }

    fn canary_shares(&self, outcome: Outcome) -> Vec<CanaryShare> {
        let (Some(canaried), Some(target), 1..) = (&self.canaried, &self.target, self.usage.attempts) else {
            return Vec::new();
        };
        match outcome {
            Outcome::Complete => canaried.shares(target, true),
            // Who hangs up before anything came was not answered.
            Outcome::ClientGone => canaried.shares(target, self.usage.first_token_us.is_some()),
            Outcome::Failed | Outcome::Cut => canaried.shares(target, false),
            Outcome::Refused => Vec::new(),
        }
    }

    fn price(&self, catalog: &Catalog) -> Option<AppliedPrice<'_>> {
        let planned = self.target.as_deref();
        let target = planned.or_else(|| self.sighted.as_ref()?.target.as_ref())?;
        target.price(catalog, self.usage.started_at)
    }
}

fn write(gateway: &Gateway, usage: UsageRecord, keep: fn(&Journal, UsageRecord)) {
    gateway.parts.metrics.request_ends(&usage);
    access_log::write(&usage);
    keep(&gateway.parts.journal, usage);
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}
