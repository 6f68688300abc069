//! Meets the limits on a request's way, all at once, before anything is looked for; and the budgets that say already here
//! what becomes of it: those of nothing, and those that choose another model.

use std::cell::LazyCell;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use gatewright_contract::{Budget, Caller, Measure, Model, RateLimit};
use gatewright_llm::{Request, Tokens};
use gatewright_routing::{Asked, Said, Size, expected_answer, units};
use gatewright_types::api::BudgetAction;
use gatewright_types::{Nanos, UsageUnit};

use super::counter::most_counted;
use super::downgrade::downgraded;
use super::over::Over;
use super::path::Met;
use super::ticket::{Held, Stake, Ticket};
use super::told::LimitsTold;
use super::who::{Errand, Who};
use crate::accounts::{Accounts, Demand, Denied, Reservation, Standing};
use crate::gateway::Gateway;
use crate::refusal::Refusal;

/// A request that comes in.
#[derive(Debug, Clone, Copy)]
pub(super) struct Entering<'a> {
    pub(super) gateway: &'a Gateway,
    pub(super) caller: &'a Caller,
    pub(super) asked: Asked<'a>,
    /// The organization's, where it is one of those.
    pub(super) model: Option<&'a Arc<Model>>,
    pub(super) who: &'a Who,
    pub(super) errand: Errand,
}

/// Limits, what they count of a request, and by what that is settled.
#[derive(Debug, Default)]
pub(super) struct Wanted {
    pub(super) demands: Vec<Demand>,
    pub(super) stakes: Vec<Stake>,
    pub(super) of: Vec<Limited>,
}

/// One of the numbers of a limit.
#[derive(Debug, Clone)]
pub(super) struct Limited {
    pub(super) met: Met<RateLimit>,
    pub(super) measure: Measure,
    pub(super) most: u64,
}

/// Gives the model that a budget chose instead. The ticket is made where there is anything to meet, whatever comes of it.
pub(super) async fn enter(
    entering: Entering<'_>,
    ticket: &mut Option<Box<Ticket>>,
) -> Result<Option<Arc<Model>>, Refusal> {
    let caller = entering.caller;
    if caller.tenant.caps.is_empty() && caller.key.caps.is_none() {
        return Ok(None);
    }
    // In its own allocation, so that no request carries the room for budgets and limits it does not have.
    Box::pin(enter_with(entering, ticket)).await
}

async fn enter_with(entering: Entering<'_>, ticket: &mut Option<Box<Ticket>>) -> Result<Option<Arc<Model>>, Refusal> {
    let caller = entering.caller;
    let ticket = ticket.insert(Box::new(entering.ticket()));
    let path = ticket.path();
    let now = ticket.accounts.now();
    let budgets = path.budgets_that(|budget| is_of_nothing(budget, now) || is_choosing(budget));
    if let Some(nothing) = budgets.iter().find(|met| is_of_nothing(&met.it, now)) {
        return Err(Over::budget(nothing, None, caller).into());
    }
    let mut limits = path.limits();
    let blocks: Vec<_> = limits.extract_if(.., |met| met.it.spec.blocked).collect();
    ticket.meet_blocks(&blocks)?;
    if !limits.is_empty() {
        let tokens = LazyCell::new(|| entering.tokens());
        let wanted = Wanted::of(limits, |limit| {
            let said = Said::of(caller, entering.named(), entering.asked);
            units(limit.it.units.as_ref(), &said, &tokens)
        });
        let lines = &entering.gateway.parts.lines;
        let reserved = wanted.reserve_in_turn(&ticket.accounts, lines, caller).await;
        // Those of one that is refused as well.
        let now = ticket.accounts.now();
        for (index, limited) in wanted.of.iter().enumerate() {
            let standing = match &reserved {
                Ok(reservation) => wanted.standing(index, reservation, now),
                Err(_) => wanted.peek(index, &ticket.accounts, caller),
            };
            if let Some(standing) = standing {
                ticket.note_limit(limited, standing, now);
            }
        }
        ticket.limits = Held::new(reserved?, wanted.stakes);
    }
    if entering.errand == Errand::Aside {
        return Ok(None);
    }
    let Some(model) = downgraded(&ticket.accounts, caller, entering.model, &budgets).await? else {
        return Ok(None);
    };
    ticket.model = Some(model.name.clone());
    ticket.told.downgraded = Some(model.name.clone());
    Ok(Some(model))
}

impl Entering<'_> {
    fn ticket(&self) -> Ticket {
        Ticket {
            accounts: self.gateway.parts.accounts.clone(),
            caller: self.caller.clone(),
            who: self.who.clone(),
            model: self.model.map(|model| model.name.clone()),
            headers: self.asked.headers.clone(),
            limits: Held::default(),
            budgets: Held::default(),
            at_target: Held::default(),
            only_priced: None,
            told: LimitsTold::default(),
            shadow: None,
        }
    }

    /// What it will probably use; nothing where no answer is wanted.
    fn tokens(&self) -> Tokens {
        let request = self.asked.request.filter(|_| self.errand == Errand::Answer);
        request.map_or_else(Tokens::default, |request| self.expected(request))
    }

    fn named(&self) -> &str {
        self.model.map_or("", |model| model.name.as_str())
    }

    /// By what is usual at the first target that the route names.
    fn expected(&self, request: &Request) -> Tokens {
        let needs = request.needs();
        let targets = self.model.map(|model| model.route.targets()).unwrap_or_default();
        let vitals = targets.first().and_then(|target| {
            let health = self.gateway.health();
            health.find(target.provider.id, &target.model)
        });
        let size = Size {
            input: needs.input_tokens(),
            longest: needs.max_tokens,
            embeds: request.dialect().embeds(),
            conversation: None,
        };
        expected_tokens(size.input, expected_answer(size, vitals.as_deref()))
    }
}

pub(super) fn expected_tokens(input: u64, output: u64) -> Tokens {
    let mut tokens = Tokens::default();
    tokens.set(UsageUnit::InputUncached, input);
    tokens.set(UsageUnit::OutputText, output);
    tokens
}

impl Wanted {
    /// An estimate that is more than all of a limit takes all of it: what a request comes to is only known once it ended.
    pub(super) fn of(limits: Vec<Met<RateLimit>>, tokens: impl Fn(&Met<RateLimit>) -> u64) -> Self {
        let count = limits.iter().map(|met| met.it.measures().count()).sum();
        let mut wanted = Self {
            demands: Vec::with_capacity(count),
            stakes: Vec::with_capacity(count),
            of: Vec::with_capacity(count),
        };
        for met in limits {
            for (measure, most) in met.it.measures() {
                let counter = met.counter(measure, most);
                let (amount, stake) = match measure {
                    Measure::AtOnce => (1, Stake::AtOnce),
                    measure if measure.is_of_tokens() => {
                        let amount = most_counted(tokens(&met)).min(counter.cap);
                        (amount, Stake::Tokens(met.it.clone()))
                    }
                    _ => (1, Stake::Request),
                };
                wanted.demands.push(Demand { counter, amount });
                wanted.stakes.push(stake);
                wanted.of.push(Limited {
                    met: met.clone(),
                    measure,
                    most,
                });
            }
        }
        wanted
    }

    /// All of it or nothing.
    pub(super) async fn reserve(&self, accounts: &Accounts, caller: &Caller) -> Result<Reservation, Refusal> {
        let reserved = self.try_reserve(accounts, caller).await;
        reserved.map_err(|denied| self.refusal(accounts, caller, denied))
    }

    pub(super) async fn try_reserve(&self, accounts: &Accounts, caller: &Caller) -> Result<Reservation, Denied> {
        accounts.reserve(caller.tenant.id, &self.demands, None).await
    }

    /// How one of them stands that was reserved.
    pub(super) fn standing(&self, index: usize, reserved: &Reservation, now: DateTime<Utc>) -> Option<Standing> {
        reserved.standing(index, &self.demands.get(index)?.counter, now)
    }

    fn peek(&self, index: usize, accounts: &Accounts, caller: &Caller) -> Option<Standing> {
        Some(accounts.peek(caller.tenant.id, &self.demands.get(index)?.counter))
    }

    pub(super) fn refusal(&self, accounts: &Accounts, caller: &Caller, denied: Denied) -> Refusal {
        match denied {
            Denied::Spent { index, standing } => {
                let (index, standing) = narrowest(accounts, caller, &self.demands, index, standing);
                match self.of.get(index) {
                    Some(limit) => Over::limit(limit, standing, (caller, accounts.now())).into(),
                    None => Over::not_known("rate limit", None, caller).into(),
                }
            }
            Denied::Unavailable { index } => {
                let scope = self.of.get(index).map(|limit| &limit.met.it.scope);
                Over::not_known("rate limit", scope, caller).into()
            }
        }
    }
}

/// Of several demands that go beyond their caps, the first one: they come in the order of their scopes.
pub(super) fn narrowest(
    accounts: &Accounts,
    caller: &Caller,
    demands: &[Demand],
    denied: usize,
    standing: Standing,
) -> (usize, Standing) {
    let standings = demands.iter().take(denied).map(|demand| {
        let standing = accounts.peek(caller.tenant.id, &demand.counter);
        (standing, standing.remaining < demand.amount)
    });
    let found = standings.enumerate().find(|(_, (_, is_spent))| *is_spent);
    found.map_or((denied, standing), |(index, (standing, _))| (index, standing))
}

/// Blocks everything, whatever it costs.
fn is_of_nothing(budget: &Budget, now: DateTime<Utc>) -> bool {
    budget.blocks() && budget.cap(now) == Nanos::ZERO
}

/// What is spent of it says which model is asked.
const fn is_choosing(budget: &Budget) -> bool {
    matches!(budget.spec.action, BudgetAction::Downgrade(_))
}

impl Ticket {
    /// The narrowest limit that blocks is in the way; one in shadow only looks on.
    pub(super) fn meet_blocks(&mut self, blocks: &[Met<RateLimit>]) -> Result<(), Refusal> {
        match blocks.iter().find(|met| !met.it.spec.shadow) {
            Some(block) => Err(Over::blocked(block, &self.caller).into()),
            None => {
                let shadow = blocks.first().map(|met| met.it.id);
                self.shadow = self.shadow.or(shadow);
                Ok(())
            }
        }
    }

    /// How a limit stands once the request has its part. One in shadow only looks on.
    pub(super) fn note_limit(&mut self, limit: &Limited, standing: Standing, now: DateTime<Utc>) {
        let Limited { met, measure, most } = limit;
        if !met.it.spec.shadow {
            self.told.note((*measure, *most), standing, now);
        } else if standing.spent_or_reserved > most_counted(*most) {
            self.shadow.get_or_insert(met.it.id);
        }
    }
}
