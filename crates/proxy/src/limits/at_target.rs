//! Meets the budgets and limits of the provider and the credential that are about to be asked. A target of which nothing is
//! left is passed over like one that fails.

use gatewright_contract::{Provider, UpstreamTarget};
use gatewright_llm::Tokens;
use gatewright_routing::{Asked, Said, units};
use gatewright_types::CredentialId;

use super::amount::Purchase;
use super::entering::Wanted;
use super::over::Over;
use super::path::Path;
use super::spending::{Bids, takes_only_priced};
use super::ticket::{Held, Ticket};
use crate::refusal::Refusal;

/// Who is about to be asked.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Target<'a> {
    pub(crate) provider: &'a Provider,
    /// Absent at an address of the provider's own of which that cannot be told.
    pub(crate) model: Option<&'a UpstreamTarget>,
    pub(crate) credential: Option<CredentialId>,
}

/// `purchase` is absent where what is asked costs nothing.
pub(crate) async fn meet_target(
    ticket: Option<&mut Ticket>,
    target: Target<'_>,
    purchase: Option<Purchase<'_>>,
) -> Result<(), Refusal> {
    match ticket {
        // In its own allocation, so that no request carries the room for budgets and limits it does not have.
        Some(ticket) => Box::pin(ticket.meet_target(target, purchase)).await,
        None => Ok(()),
    }
}

impl Ticket {
    async fn meet_target(&mut self, target: Target<'_>, purchase: Option<Purchase<'_>>) -> Result<(), Refusal> {
        self.leave_target();
        let path = Path::Asked {
            caller: &self.caller,
            provider: &target.provider.name,
            credential: target.credential,
        };
        let (mut limits, budgets) = (path.limits(), path.budgets());
        let blocks: Vec<_> = limits.extract_if(.., |met| met.it.spec.blocked).collect();
        self.meet_blocks(&blocks)?;
        let own = budgets.iter().find(|met| takes_only_priced(&met.it));
        if let (Some(purchase), Some(met)) = (&purchase, self.only_priced.as_ref().or(own))
            && !target.model.is_some_and(|model| purchase.is_priced(model))
        {
            return Err(Over::unpriced(met, &target.in_words(), &self.caller).into());
        }
        let tokens = match &purchase {
            Some(purchase) if !limits.is_empty() => purchase.usual_tokens(),
            Some(_) | None => Tokens::default(),
        };
        let wanted = Wanted::of(limits, |limit| {
            let (caller, headers) = (&self.caller, &self.headers);
            let request = purchase.as_ref().and_then(|purchase| purchase.question.request());
            let said = Said::of(caller, self.named(), Asked { request, headers });
            units(limit.it.units.as_ref(), &said, &tokens)
        });
        let bids = match purchase {
            Some(purchase) => self.bids(budgets, purchase)?,
            None => Bids::default(),
        };
        if !wanted.demands.is_empty() || !bids.demands.is_empty() {
            self.at_target = self.reserve_at_target(wanted, bids).await?;
        }
        Ok(())
    }

    async fn reserve_at_target(&mut self, wanted: Wanted, bids: Bids) -> Result<Held, Refusal> {
        let mut reservation = wanted.reserve(&self.accounts, &self.caller).await?;
        let now = self.accounts.now();
        // What a provider has left is nothing to callers, who do not choose it.
        let shadows = wanted
            .of
            .iter()
            .enumerate()
            .filter(|(_, limited)| limited.met.it.spec.shadow);
        for (index, limited) in shadows {
            if let Some(standing) = wanted.standing(index, &reservation, now) {
                self.note_limit(limited, standing, now);
            }
        }
        let bought = reservation.add(&bids.demands, Some(bids.patience)).await;
        bought.map_err(|denied| self.not_sold(&bids, denied))?;
        let stakes = wanted.stakes.into_iter().chain(bids.stakes);
        Ok(Held::new(reservation, stakes.collect()))
    }
}

impl Target<'_> {
    fn in_words(&self) -> String {
        match self.model {
            Some(model) => model.name().to_string(),
            None => format!("what is asked of `{}`", self.provider.name),
        }
    }
}
