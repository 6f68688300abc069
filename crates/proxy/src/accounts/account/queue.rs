//! Who waits for more of a counter: for the answer to another who asks, or for others to spend less than they have
//! reserved, in the order of arrival.

use std::sync::Arc;

use tokio::sync::Notify;

use super::{Account, State};

/// A place in the queue of an account, given up when it is dropped.
#[derive(Debug)]
pub(in crate::accounts) struct Turn {
    pub(in crate::accounts) account: Arc<Account>,
    pub(in crate::accounts) called: Arc<Notify>,
}

impl Account {
    /// Waits until whoever asks has an answer; what the waiting one needs is asked for by the next.
    pub(in crate::accounts) async fn answer_of_another(&self, amount: i64) {
        let _waiting = Waiting::new(self, amount);
        let mut answered = std::pin::pin!(self.answered.notified());
        answered.as_mut().enable();
        let is_asking = self.state().asking;
        if is_asking {
            answered.await;
        }
    }

    pub(in crate::accounts) fn queue(account: &Arc<Self>) -> Turn {
        let called = Arc::new(Notify::new());
        account.state().queue.push_back(called.clone());
        Turn {
            account: account.clone(),
            called,
        }
    }

    pub(in crate::accounts) fn is_head(&self, turn: &Turn) -> bool {
        self.state()
            .queue
            .front()
            .is_some_and(|head| Arc::ptr_eq(head, &turn.called))
    }

    /// Nobody waits, or whoever asks is whose turn it is.
    pub(super) fn is_next(&self, state: &State, turn: Option<&Turn>) -> bool {
        let own = turn.filter(|turn| std::ptr::eq(&*turn.account, self));
        match (state.queue.front(), own) {
            (None, _) => true,
            (Some(head), Some(turn)) => Arc::ptr_eq(head, &turn.called),
            (Some(_), None) => false,
        }
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let mut state = self.account.state();
        state.queue.retain(|place| !Arc::ptr_eq(place, &self.called));
        state.call_next();
    }
}

/// Counts what somebody needs who waits for the answer to another.
struct Waiting<'a> {
    account: &'a Account,
    amount: i64,
}

impl<'a> Waiting<'a> {
    fn new(account: &'a Account, amount: i64) -> Self {
        account.state().waiting += amount;
        Self { account, amount }
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.account.state().waiting -= self.amount;
    }
}
