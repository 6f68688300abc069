//! What a request has reserved. It settles what it used; what it did not settle is released with it.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use gatewright_types::OrganizationId;

use super::account::Account;
use super::{Accounts, Counter, Standing};

#[derive(Debug)]
#[must_use = "what is not settled is released when it is dropped"]
pub struct Reservation {
    pub(super) accounts: Accounts,
    pub(super) organization: OrganizationId,
    pub(super) entries: Vec<Entry>,
}

#[derive(Debug)]
pub(super) struct Entry {
    pub(super) account: Arc<Account>,
    pub(super) reserved: i64,
    /// The part of time that it counts in: that of the reservation, as in the ledger that of the request.
    pub(super) part: i64,
    pub(super) settled: Option<i64>,
}

impl Reservation {
    pub(super) const fn new(accounts: Accounts, organization: OrganizationId) -> Self {
        Self {
            accounts,
            organization,
            entries: Vec::new(),
        }
    }

    /// How many demands were reserved, one call of `add` after the other. Settled ones remain.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// How a counter stands of which something was reserved, as far as this node knows.
    pub fn standing(&self, index: usize, counter: &Counter, now: DateTime<Utc>) -> Option<Standing> {
        let entry = self.entries.get(index)?;
        Some(entry.account.standing(counter, now))
    }

    /// So much was used in fact, and what was reserved is free again. What was said before is put right by it.
    pub fn settle(&mut self, index: usize, actual: i64) {
        let Some(entry) = self.entries.get_mut(index) else {
            debug_assert!(false, "there is no reservation {index}");
            return;
        };
        let hurries = match entry.settled.replace(actual) {
            None => entry.account.settle(entry.reserved, actual, entry.part),
            Some(before) => entry.account.correct(actual - before, entry.part),
        };
        if hurries {
            self.accounts.inner.urgent.add(&entry.account);
        }
    }

    /// In the order in which they were reserved.
    pub fn settle_all(&mut self, actual: impl IntoIterator<Item = i64>) {
        for (index, actual) in actual.into_iter().enumerate() {
            self.settle(index, actual);
        }
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        for entry in self.entries.iter().filter(|entry| entry.settled.is_none()) {
            if entry.account.release(entry.reserved) {
                self.accounts.inner.urgent.add(&entry.account);
            }
        }
    }
}
