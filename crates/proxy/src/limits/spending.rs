//! Meets the budgets on a request's way, all at once, when it is known where it goes.

use std::time::Duration;

use gatewright_contract::Budget;
use gatewright_routing::BudgetView;
use gatewright_types::Nanos;
use gatewright_types::api::{BudgetAction, BudgetMode, UnpricedRequests};

use super::amount::Purchase;
use super::entering::narrowest;
use super::over::Over;
use super::path::Met;
use super::ticket::{Held, Stake, Ticket};
use crate::accounts::{Demand, Denied};
use crate::refusal::Refusal;

/// What is only reserved may come free: near the end of a strict budget most of it is.
const PATIENCE: Duration = Duration::from_secs(20);
const PATIENCE_OF_SMOOTH: Duration = Duration::from_secs(1);

/// Budgets, and what is wanted of each.
#[derive(Debug, Default)]
pub(super) struct Bids {
    pub(super) budgets: Vec<Met<Budget>>,
    pub(super) demands: Vec<Demand>,
    pub(super) stakes: Vec<Stake>,
    pub(super) patience: Duration,
}

pub(super) async fn spend(ticket: &mut Ticket, purchase: Purchase<'_>) -> Result<(), Refusal> {
    let budgets = ticket.path().budgets();
    if budgets.is_empty() {
        return Ok(());
    }
    ticket.only_priced = budgets.iter().find(|met| takes_only_priced(&met.it)).cloned();
    let bids = ticket.bids(budgets, purchase)?;
    ticket.budgets = ticket.buy(bids).await?;
    Ok(())
}

impl Ticket {
    pub(super) fn bids(&self, budgets: Vec<Met<Budget>>, purchase: Purchase<'_>) -> Result<Bids, Refusal> {
        let now = self.accounts.now();
        let (mut usual, mut most) = (None, None);
        let mut bids = Bids {
            demands: Vec::with_capacity(budgets.len()),
            stakes: Vec::with_capacity(budgets.len()),
            budgets: Vec::with_capacity(budgets.len()),
            patience: Duration::ZERO,
        };
        for met in budgets {
            let budget = &met.it;
            let amount = match (budget.blocks(), budget.spec.mode) {
                // It is spent, whatever is left of it.
                (false, _) => Nanos::ZERO,
                (true, BudgetMode::Smooth) => *usual.get_or_insert_with(|| purchase.usual()),
                (true, BudgetMode::Strict) => match most {
                    Some(most) => most,
                    None => *most.insert(purchase.most()?),
                },
            };
            bids.patience = bids.patience.max(match budget.spec.mode {
                BudgetMode::Smooth => PATIENCE_OF_SMOOTH,
                BudgetMode::Strict => PATIENCE,
            });
            let counter = met.counter(now);
            bids.stakes
                .push(Stake::Money(budget.share(counter.counting, now, met.name.clone())));
            bids.demands.push(Demand {
                counter,
                amount: amount.get(),
            });
            bids.budgets.push(met);
        }
        Ok(bids)
    }

    /// All of it or nothing.
    async fn buy(&mut self, bids: Bids) -> Result<Held, Refusal> {
        let organization = self.caller.tenant.id;
        let reserved = self
            .accounts
            .reserve(organization, &bids.demands, Some(bids.patience))
            .await;
        let reservation = reserved.map_err(|denied| self.not_sold(&bids, denied))?;
        let now = self.accounts.now();
        let mut budgets = bids.budgets.iter().zip(&bids.demands).enumerate();
        let warns = budgets.find_map(|(index, (met, demand))| {
            let only_warns = met.it.spec.action == BudgetAction::Warn;
            let standing = only_warns.then(|| reservation.standing(index, &demand.counter, now))??;
            let is_spent = standing.spent_or_reserved >= standing.cap;
            is_spent.then(|| Over::warning(met, &self.caller).into())
        });
        self.told.warning = warns.or(self.told.warning.take());
        Ok(Held::new(reservation, bids.stakes))
    }

    pub(super) fn not_sold(&self, bids: &Bids, denied: Denied) -> Refusal {
        let caller = &self.caller;
        match denied {
            Denied::Unavailable { index } => {
                let scope = bids.budgets.get(index).map(|met| &met.it.scope);
                Over::not_known("budget", scope, caller).into()
            }
            Denied::Spent { index, standing } => {
                let (index, standing) = narrowest(&self.accounts, caller, &bids.demands, index, standing);
                match bids.budgets.get(index).zip(bids.demands.get(index)) {
                    Some((met, demand)) => {
                        let wanted = Nanos::new(demand.amount);
                        Over::budget(met, Some((standing, wanted)), caller).into()
                    }
                    None => Over::not_known("budget", None, caller).into(),
                }
            }
        }
    }

    /// Of the budgets on its way, the one of which the smallest part is left, as far as this node knows.
    pub(crate) fn tightest(&self) -> Option<BudgetView> {
        let now = self.accounts.now();
        let budgets = self.path().budgets().into_iter();
        let views = budgets.map(|met| {
            let standing = self.accounts.peek(self.caller.tenant.id, &met.counter(now));
            BudgetView {
                cap: Nanos::new(standing.cap),
                spent: Nanos::new(standing.spent_or_reserved),
            }
        });
        views.min_by(|one, other| one.remaining_percent().total_cmp(&other.remaining_percent()))
    }
}

pub(super) fn takes_only_priced(budget: &Budget) -> bool {
    budget.spec.unpriced() == UnpricedRequests::Block
}
