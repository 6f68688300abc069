//! What a request comes to: its lines and their sum, at the price of the target that answered, and what that target's
//! habits learn of it.

use chrono::Utc;
use gatewright_contract::AppliedPrice;
use gatewright_llm::{Bill, Catalog, Terms, Tokens, unpriced};
use gatewright_routing::Vitals;
use gatewright_types::Nanos;
use gatewright_types::api::Outcome;

use super::ending::{End, Used};
use super::{Open, Record};
use crate::gateway::Gateway;
use crate::refusal::Refusal;

impl Record {
    /// A call failed. What its provider says was used is paid for, whatever comes of the request.
    pub(crate) fn failed(&mut self, refusal: &Refusal) {
        let Refusal::Upstream(upstream) = refusal else { return };
        let Some(used) = upstream.failure.used.as_deref() else {
            return;
        };
        let catalog = self.gateway.catalog();
        let open = self.get_mut();
        let bill = match open.price(&catalog) {
            Some(price) => price.bill(used, Terms::default()),
            None => unpriced(used, Terms::default()),
        };
        if let Some(vitals) = &open.vitals {
            vitals.used_tokens(used.total_input() + used.total_output(), Utc::now());
        }
        match &mut open.failed {
            Some(failed) => failed.add(bill),
            None => open.failed = Some(bill),
        }
    }
}

impl Open {
    pub(super) fn note_habits(&self, gateway: &Gateway, vitals: &Vitals, end: &End) {
        let (Used::Told(tokens, _), Outcome::Complete) = (&end.used, end.outcome) else {
            return;
        };
        let catalog = gateway.catalog();
        let price = self.price(&catalog);
        let rates = price.as_ref().map(AppliedPrice::rates);
        let started_at = self.usage.started_at;
        vitals.habits().note(tokens, rates, self.conversation, started_at);
    }

    pub(super) fn bill(&self, gateway: &Gateway, used: &Used) -> Bill {
        let tokens = match used {
            Used::Told(tokens, _) | Used::Counted(tokens, _) => *tokens,
            Used::Nothing => Tokens::default(),
        };
        let catalog = gateway.catalog();
        let guessed = matches!(used, Used::Counted(..)) && self.is_untold_in_tokens();
        match self.price(&catalog).filter(|_| !guessed) {
            Some(price) => {
                let served = self.usage.served;
                price.bill(&tokens, Terms { served, ..used.terms() })
            }
            // At an address nobody here knows, no tokens do not mean that nothing was used.
            None if self.sighted.is_some() && matches!(used, Used::Counted(..)) => unpriced(&tokens, used.terms()),
            // Nothing used costs nothing, whatever a token would cost.
            None if tokens == Tokens::default() => Bill {
                lines: Vec::new(),
                cost: Some(Nanos::ZERO),
            },
            None => unpriced(&tokens, used.terms()),
        }
    }

    /// A count of what was not told would say nothing.
    fn is_untold_in_tokens(&self) -> bool {
        let purpose = self.sighted.as_ref().and_then(|sighted| sighted.native.purpose);
        purpose.is_some_and(|purpose| !purpose.is_about_tokens())
    }

    fn price(&self, catalog: &Catalog) -> Option<AppliedPrice<'_>> {
        let planned = self.target.as_deref();
        let target = planned.or_else(|| self.sighted.as_ref()?.target.as_ref())?;
        target.price(catalog, self.usage.started_at)
    }
}
