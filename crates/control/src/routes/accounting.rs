//! What was used, what it came to, and who bears it.

use gatewright_types::Permission::{ChargebackLock, ChargebackUnlock, LedgerRead, LedgerWrite, UsageRead};

use super::{Route, delete, get, needs, post};
use crate::api::{chargeback, ledger, reprice, usage};

pub(super) fn routes() -> Vec<Route> {
    vec![
        needs(
            UsageRead,
            get(below!("/usage")),
            "List requests, the newest first",
            usage::list,
        ),
        needs(
            UsageRead,
            get(below!("/usage/series")),
            "Sums of usage over time",
            usage::series,
        ),
        needs(
            UsageRead,
            get(below!("/usage/{request}/trace")),
            "Why a request went where it went, where that was kept",
            usage::trace,
        ),
        needs(
            UsageRead,
            get(below!("/usage/{request}")),
            "One request, and what was added to its cost since",
            usage::read,
        ),
        needs(
            LedgerRead,
            get(below!("/ledger/verification")),
            "Whether sums, budgets and counters say what the rows of requests say",
            ledger::verification,
        ),
        needs(
            LedgerWrite,
            post(below!("/reprice")),
            "Price requests anew in the background, or find out there what that would come to",
            reprice::create,
        ),
        needs(
            LedgerRead,
            get(below!("/reprice")),
            "List runs that price requests anew, the newest first",
            reprice::list,
        ),
        needs(
            LedgerRead,
            get(below!("/reprice/{run}")),
            "How far a run is, and what it came to",
            reprice::read,
        ),
        needs(
            LedgerWrite,
            post(below!("/reprice/{run}/cancel")),
            "End a run before its time; what it has added stays",
            reprice::cancel,
        ),
        needs(
            UsageRead,
            get(below!("/chargeback")),
            "What a month came to and who bears it, the dearest first",
            chargeback::report,
        ),
        needs(
            UsageRead,
            get(below!("/chargeback/months")),
            "List months with their state, the newest first",
            chargeback::months,
        ),
        needs(
            UsageRead,
            get(below!("/chargeback/focus.csv")),
            "A month's charges as FinOps FOCUS 1.2",
            chargeback::focus,
        ),
        needs(
            ChargebackLock,
            post(below!("/chargeback/{month}/lock")),
            "Keep a month that is over as it is",
            chargeback::lock,
        ),
        needs(
            ChargebackUnlock,
            delete(below!("/chargeback/{month}/lock")),
            "Open a locked month again",
            chargeback::unlock,
        ),
    ]
}
