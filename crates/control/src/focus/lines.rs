//! From charges to lines: those of the same requests come one after the other, and together cost what the ledger says.

use gatewright_store::{Charge, ChargeOf, ChargeUnit};
use gatewright_types::api::Organization;
use gatewright_types::{Month, OrganizationId};

use super::columns::{Amount, Line, write};

const PICOS_PER_NANO: i128 = 1_000;

pub(super) struct Lines {
    organization: Organization,
    month: Month,
    requests: Option<Requests>,
}

/// Charges of the same requests, as far as they were met.
struct Requests {
    of: ChargeOf,
    /// What the ledger says they cost, less what was written of them.
    left_picos: i128,
}

impl Lines {
    pub(super) const fn of(organization: Organization, month: Month) -> Self {
        Self {
            organization,
            month,
            requests: None,
        }
    }

    pub(super) const fn organization(&self) -> OrganizationId {
        self.organization.id
    }

    pub(super) fn add(&mut self, charge: Charge, text: &mut String) {
        let Charge { of, unit } = charge;
        if self.requests.as_ref().is_none_or(|requests| requests.of != of) {
            self.settle(text);
        }
        let mut requests = self.requests.take().unwrap_or(Requests { of, left_picos: 0 });
        match unit {
            ChargeUnit::Whole(cost) => requests.left_picos += i128::from(cost.get()) * PICOS_PER_NANO,
            ChargeUnit::Unit {
                unit,
                price,
                price_version,
                quantity,
            } => {
                let used = Amount::Used {
                    unit,
                    quantity,
                    price,
                    price_version,
                };
                requests.left_picos -= used.picos();
                self.write(&requests.of, &used, text);
            }
        }
        self.requests = Some(requests);
    }

    /// A request's cost is rounded once, and may be put right later: what units and prices do not say is a line of its own.
    pub(super) fn settle(&mut self, text: &mut String) {
        if let Some(Requests { of, left_picos }) = self.requests.take()
            && left_picos != 0
        {
            self.write(&of, &Amount::Adjusted(left_picos), text);
        }
    }

    fn write(&self, of: &ChargeOf, amount: &Amount, text: &mut String) {
        let line = Line {
            organization: &self.organization,
            month: self.month,
            of,
            amount,
        };
        write(&line, text);
    }
}
