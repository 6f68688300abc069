//! What can be told of a node's configuration: its revision, its size, which organizations do not compile, and when the
//! feed was last heard of.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use gatewright_contract::{CompileProblem, Revision, Snapshot, Unit, UnitId};
use gatewright_coord::CoordError;
use gatewright_types::OrganizationId;
use serde::Serialize;
use tokio::time::Instant;

use crate::chain::Chain;

/// Shared between the follower and those who ask. Clones are the same status.
#[derive(Debug, Clone, Default)]
pub(crate) struct FollowStatus {
    shared: Arc<Mutex<Shared>>,
}

#[derive(Debug, Default)]
struct Shared {
    served: Option<Served>,
    /// Organizations whose units do not compile, and whether that was told.
    failing: BTreeMap<OrganizationId, Failing>,
    feed: Heard,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(crate) struct Served {
    pub(crate) revision: Revision,
    pub(crate) organizations: usize,
    pub(crate) keys: usize,
}

#[derive(Debug)]
struct Failing {
    problems: Vec<CompileProblem>,
    told: Told,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Told {
    NotYet,
    Already,
}

#[derive(Debug, Default)]
enum Heard {
    #[default]
    Never,
    At(Instant),
    Lost {
        since: Option<Instant>,
    },
}

impl FollowStatus {
    /// The snapshot after these units, with a note of organizations that do not compile.
    pub(super) fn apply(&self, from: &Snapshot, units: Vec<Unit>) -> Snapshot {
        let touched: BTreeSet<_> = units
            .iter()
            .filter(|unit| !matches!(unit.id, UnitId::Key(_)))
            .map(|unit| unit.organization)
            .collect();
        let applied = from.apply(units);
        let mut shared = self.lock();
        for organization in &touched {
            shared.failing.remove(organization);
        }
        let failing = applied.problems.into_iter().map(|(organization, problems)| {
            (
                organization,
                Failing {
                    problems,
                    told: Told::NotYet,
                },
            )
        });
        shared.failing.extend(failing);
        applied.snapshot
    }

    /// Forgets what did not compile: everything is read again.
    pub(super) fn start_over(&self) {
        self.lock().failing.clear();
    }

    pub(super) fn report_problems(&self) {
        for (organization, failing) in &mut self.lock().failing {
            if failing.told == Told::Already {
                continue;
            }
            failing.told = Told::Already;
            for CompileProblem { unit, field, message } in &failing.problems {
                tracing::error!(
                    organization.id = %organization, unit = %unit, field, problem = message,
                    "an organization's configuration cannot be used here; its last good one stays in force"
                );
            }
        }
    }

    pub(super) fn serves(&self, revision: Revision, snapshot: &Snapshot) {
        let (organizations, keys) = (snapshot.organization_count(), snapshot.key_count());
        self.lock().served = Some(Served {
            revision,
            organizations,
            keys,
        });
    }

    pub(super) fn reached(&self) {
        let mut shared = self.lock();
        if let Heard::Lost { .. } = shared.feed {
            tracing::info!("the configuration feed is there again");
        }
        shared.feed = Heard::At(Instant::now());
    }

    pub(super) fn failed(&self, error: &CoordError) {
        let mut shared = self.lock();
        let since = match shared.feed {
            Heard::Lost { .. } => return,
            Heard::At(heard) => Some(heard),
            Heard::Never => None,
        };
        tracing::warn!(
            error = %Chain(error),
            "the configuration feed is out of reach; the configuration at hand stays in force"
        );
        shared.feed = Heard::Lost { since };
    }

    pub(crate) fn served(&self) -> Option<Served> {
        self.lock().served
    }

    /// Appends metrics in the Prometheus text format.
    pub(crate) fn render(&self, text: &mut String) {
        let shared = self.lock();
        let served = shared.served.unwrap_or(Served {
            revision: Revision(0),
            organizations: 0,
            keys: 0,
        });
        let silence = match shared.feed {
            Heard::Never | Heard::Lost { since: None } => None,
            Heard::At(heard) | Heard::Lost { since: Some(heard) } => Some(heard.elapsed()),
        };
        let gauges = [
            (
                "gatewright_config_revision",
                "Revision of the configuration in use.",
                served.revision.0,
            ),
            (
                "gatewright_config_organizations",
                "Organizations in the configuration.",
                served.organizations as u64,
            ),
            (
                "gatewright_config_keys",
                "Keys in the configuration.",
                served.keys as u64,
            ),
            (
                "gatewright_config_failing_organizations",
                "Organizations whose configuration does not compile on this node.",
                shared.failing.len() as u64,
            ),
            (
                "gatewright_config_feed_silence_seconds",
                "Time since the configuration feed was last reached.",
                silence.unwrap_or(Duration::ZERO).as_secs(),
            ),
        ];
        for (name, help, value) in gauges {
            writeln!(text, "# HELP {name} {help}\n# TYPE {name} gauge\n{name} {value}")
                .expect("a string takes all that is written to it");
        }
    }

    fn lock(&self) -> MutexGuard<'_, Shared> {
        // Each change is a single assignment, so that a panic elsewhere leaves it usable.
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
