//! How a request ends: what is known of its tokens by then, and the one time its record is written.

use std::sync::Arc;

use bytes::Bytes;
use chrono::Utc;
use gatewright_contract::{CanaryShare, UsageRecord};
use gatewright_llm::{AnswerFacts, Delivered, Terms, Tokens, Uncounted};
use gatewright_types::Nanos;
use gatewright_types::api::Outcome;
use tokio::sync::oneshot;

use super::natively::Natively;
use super::{Open, Record, micros};
use crate::access_log;
use crate::gateway::Gateway;
use crate::journal::Journal;
use crate::refusal::Refusal;

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

    pub(super) fn terms(&self) -> Terms {
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
    /// Writes such a record, complete by now.
    pub(crate) fn settle(gateway: &Gateway, usage: UsageRecord) {
        gateway.parts.metrics.request_begins();
        write(gateway, usage, Journal::append);
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
        if let Refusal::Over(over) = refusal {
            self.get_mut().usage.over = over.id();
        }
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
        let unseen_bytes = open.sighted.as_ref().map_or(0, |sighted| sighted.unseen_bytes);
        let uncounted = Uncounted::new(model.unwrap_or_default(), request, delivered).beside(unseen_bytes);
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

impl Open {
    fn finish(mut self: Box<Self>, gateway: &Gateway, end: &End, keep: fn(&Journal, UsageRecord)) -> Metered {
        let overhead = self.overhead();
        let terms = end.used.terms();
        self.usage.served = terms.served.or(self.usage.served);
        self.usage.charge = terms.charge;
        let mut bill = self.bill(gateway, &end.used);
        if let Some(failed) = self.failed.take() {
            bill.add(failed);
        }
        self.usage.canaries = self.canary_shares(end.outcome);
        if end.outcome == Outcome::Complete && !self.usage.stream {
            // All of it came at once, its first token too.
            self.answered();
        }
        let natively = self.natively.as_ref().map(Natively::vitals);
        if let Some(vitals) = self.vitals.as_ref().or(natively) {
            let used = end.used.tokens();
            let used = used.map_or(0, |tokens| tokens.total_input() + tokens.total_output());
            vitals.used_tokens(used, Utc::now());
            self.note_habits(gateway, vitals, end);
        }
        self.settle(gateway, end, bill.cost);
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

    /// What was reserved of budgets and limits is settled by what was used. What has no price counts as nothing.
    fn settle(&mut self, gateway: &Gateway, end: &End, cost: Option<Nanos>) {
        let Some(ticket) = &mut self.ticket else { return };
        let natively = self.sighted.as_ref().and_then(|sighted| sighted.request.as_ref());
        let request = self.request.as_deref().or(natively);
        self.usage.budgets = ticket.shares();
        if let Some(shadow) = ticket.tell_shadow(&gateway.parts.metrics) {
            self.usage.over.get_or_insert_with(|| shadow.to_string());
        }
        let tokens = end.used.tokens().unwrap_or_default();
        ticket.settle(request, &tokens, cost.unwrap_or_default());
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
}

fn write(gateway: &Gateway, usage: UsageRecord, keep: fn(&Journal, UsageRecord)) {
    gateway.parts.metrics.request_ends(&usage);
    access_log::write(&usage);
    keep(&gateway.parts.journal, usage);
}
