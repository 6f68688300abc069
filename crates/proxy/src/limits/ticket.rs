//! What a request has reserved of budgets and limits, and what it is settled by when the request ends.

use std::sync::Arc;

use gatewright_contract::{Budget, BudgetShare, Caller, RateLimit};
use gatewright_llm::{Request, Tokens};
use gatewright_routing::{Asked, Headers, Said, units};
use gatewright_types::{LimitId, ModelName, Nanos};

use super::counter::most_counted;
use super::path::{Met, Path};
use super::told::LimitsTold;
use super::who::Who;
use crate::accounts::{Accounts, Reservation};
use crate::metrics::Metrics;

/// Of a request whose organization or key has budgets or limits.
#[derive(Debug)]
pub(crate) struct Ticket {
    pub(super) accounts: Accounts,
    pub(super) caller: Caller,
    pub(super) who: Who,
    /// The organization's, whoever chose it. Absent at a provider's own address.
    pub(super) model: Option<ModelName>,
    /// For expressions that weigh tokens by what the request says.
    pub(super) headers: Headers,
    pub(super) limits: Held,
    pub(super) budgets: Held,
    pub(super) at_target: Held,
    /// The narrowest budget that takes only what has a price.
    pub(super) only_priced: Option<Met<Budget>>,
    pub(super) told: LimitsTold,
    /// A limit in shadow that would have refused it.
    pub(super) shadow: Option<LimitId>,
}

/// What is reserved, and by what each part of it is settled.
#[derive(Debug, Default)]
pub(crate) struct Held {
    reservation: Option<Reservation>,
    stakes: Vec<Stake>,
}

#[derive(Debug, Clone)]
pub(super) enum Stake {
    Request,
    AtOnce,
    Tokens(Arc<RateLimit>),
    Money(BudgetShare),
}

impl Ticket {
    pub(super) fn path(&self) -> Path<'_> {
        Path::Asking {
            caller: &self.caller,
            who: &self.who,
            model: self.model.as_ref(),
        }
    }

    /// The same of what used nothing.
    pub(crate) fn settle_aside(&mut self, metrics: &Metrics) {
        self.tell_shadow(metrics);
        self.settle(None, &Tokens::default(), Nanos::ZERO);
    }

    pub(super) fn named(&self) -> &str {
        self.model.as_ref().map_or("", |model| model.as_str())
    }

    pub(crate) const fn told(&self) -> &LimitsTold {
        &self.told
    }

    /// The limit in shadow that would have refused it, once it is told of.
    pub(crate) fn tell_shadow(&mut self, metrics: &Metrics) -> Option<LimitId> {
        let shadow = self.shadow.take()?;
        metrics.shadow_limited();
        tracing::info!(
            organization.id = %self.caller.tenant.id, key.id = %self.caller.key.id, limit.id = %shadow,
            "a limit in shadow would have refused a request"
        );
        Some(shadow)
    }

    /// The budgets that its cost counts in.
    pub(crate) fn shares(&self) -> Vec<BudgetShare> {
        let stakes = self.budgets.stakes.iter().chain(&self.at_target.stakes);
        let shares = stakes.filter_map(|stake| match stake {
            Stake::Money(share) => Some(share.clone()),
            Stake::Request | Stake::AtOnce | Stake::Tokens(_) => None,
        });
        shares.collect()
    }

    /// The request has ended, and this is what it used.
    pub(crate) fn settle(&mut self, request: Option<&Request>, tokens: &Tokens, cost: Nanos) {
        let Self {
            caller,
            model,
            headers,
            limits,
            budgets,
            at_target,
            ..
        } = self;
        let named = model.as_ref().map(ModelName::as_str).or(request.map(Request::model));
        let said = Said::of(caller, named.unwrap_or_default(), Asked { request, headers });
        for held in [limits, budgets, at_target] {
            std::mem::take(held).settle_by(|stake| stake.used(&said, tokens, cost));
        }
    }

    /// What was reserved at a target that gave no answer: it was asked, and that is all.
    pub(super) fn leave_target(&mut self) {
        let held = std::mem::take(&mut self.at_target);
        held.settle_by(|stake| match stake {
            Stake::Request => 1,
            Stake::AtOnce | Stake::Tokens(_) | Stake::Money(_) => 0,
        });
    }

    /// What is reserved of budgets, of a request that is billed when its answer is made.
    pub(crate) fn take_purse(&mut self) -> Purse {
        Purse([std::mem::take(&mut self.budgets), std::mem::take(&mut self.at_target)])
    }
}

/// What a request has reserved of budgets that is billed later; released where that never happens.
#[derive(Debug)]
pub(crate) struct Purse([Held; 2]);

impl Purse {
    pub(crate) fn settle(self, cost: Nanos) {
        for held in self.0 {
            held.settle_by(|stake| match stake {
                Stake::Request => 1,
                Stake::AtOnce | Stake::Tokens(_) => 0,
                Stake::Money(_) => cost.get(),
            });
        }
    }
}

impl Held {
    /// The stakes in the order of what was reserved.
    pub(super) fn new(reservation: Reservation, stakes: Vec<Stake>) -> Self {
        Self {
            reservation: Some(reservation),
            stakes,
        }
    }

    fn settle_by(self, amount: impl FnMut(&Stake) -> i64) {
        if let Some(mut reservation) = self.reservation {
            reservation.settle_all(self.stakes.iter().map(amount));
        }
    }
}

impl Stake {
    fn used(&self, said: &Said<'_>, tokens: &Tokens, cost: Nanos) -> i64 {
        match self {
            Self::Request => 1,
            // It is under way no longer.
            Self::AtOnce => 0,
            Self::Tokens(limit) => most_counted(units(limit.units.as_ref(), said, tokens)),
            Self::Money(_) => cost.get(),
        }
    }
}
