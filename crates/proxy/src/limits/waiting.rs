//! Reserves what limits count of a request: at once, or after its turn came, where the limit in the way lets it wait.

use std::time::Duration;

use chrono::{DateTime, Utc};
use gatewright_contract::{Caller, Measure};
use tokio::time::{Instant, sleep};

use super::entering::{Limited, Wanted};
use super::lines::{LineKey, Lines};
use crate::accounts::{Accounts, Denied, Reservation, Standing};
use crate::refusal::Refusal;

/// Whoever is the first of a line looks again after a pause: a request that ends on another node tells nobody here.
const SHORTEST_PAUSE: Duration = Duration::from_millis(20);
const LONGEST_PAUSE: Duration = Duration::from_millis(200);

impl Wanted {
    pub(super) async fn reserve_in_turn(
        &self,
        accounts: &Accounts,
        lines: &Lines,
        caller: &Caller,
    ) -> Result<Reservation, Refusal> {
        let Some((line, longest)) = self.line() else {
            return self.reserve(accounts, caller).await;
        };
        let began = Instant::now();
        let mut turn = None;
        let mut waits = lines.has(&line);
        loop {
            if waits && turn.is_none() {
                turn = lines.turn(&line, began + longest).await;
            }
            let denied = match self.try_reserve(accounts, caller).await {
                Ok(reservation) => return Ok(reservation),
                Err(denied) => denied,
            };
            let pause = self.pause(accounts, denied, began.elapsed());
            // Whoever waits without a turn has waited long enough, or is one too many.
            let Some(pause) = pause.filter(|_| turn.is_some() || !waits) else {
                return Err(self.refusal(accounts, caller, denied));
            };
            if waits {
                sleep(pause).await;
            }
            waits = true;
        }
    }

    /// Before which limit it waits, the narrowest that lets it, and how long at most.
    fn line(&self) -> Option<(LineKey, Duration)> {
        self.of.iter().find_map(|limited| {
            let met = &limited.met;
            Some(((met.it.id, met.name.clone()), met.it.spec.wait?.get()))
        })
    }

    /// How long until it makes sense to try again; nothing where that is in vain.
    fn pause(&self, accounts: &Accounts, denied: Denied, waited: Duration) -> Option<Duration> {
        let Denied::Spent { index, standing } = denied else {
            return None;
        };
        let limited = self.of.get(index)?;
        let left = limited.met.it.spec.wait?.get().checked_sub(waited)?;
        let pause = until_some_is_free(limited, standing, accounts.now());
        (pause <= left).then(|| pause.clamp(SHORTEST_PAUSE, LONGEST_PAUSE).min(left))
    }
}

/// As far as that is known.
fn until_some_is_free(limited: &Limited, standing: Standing, now: DateTime<Utc>) -> Duration {
    match limited.measure {
        Measure::AtOnce => Duration::ZERO,
        _ => {
            let resets_in = standing.resets_at.map(|at| (at - now).to_std().unwrap_or_default());
            resets_in.unwrap_or_default()
        }
    }
}
