//! What a decision comes to: where a request goes, and who stands in when that fails.

use std::ops::Range;
use std::sync::Arc;

use gatewright_contract::{Classes, Model, UpstreamTarget};
use gatewright_types::api::FailureClass;

/// Where a request goes. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Plan {
    pub model: Arc<Model>,
    pub legs: Legs,
    /// The region or area that the request is bound to.
    pub region: Option<Box<str>>,
    /// Stands for how its conversation begins, where that mattered.
    pub conversation: Option<u64>,
}

/// Targets in the order in which they are tried. There is at least one.
#[derive(Debug, Clone)]
pub struct Legs {
    legs: Arc<[Leg]>,
    gates: Arc<[Gate]>,
}

#[derive(Debug, Clone)]
pub struct Leg {
    pub target: Arc<UpstreamTarget>,
    /// Where in the model it is written: `route.fallback[0]`.
    pub place: Arc<str>,
    /// The failures of the one before it in the route that it stands in for.
    pub on: Classes,
    /// Stands for what the request has in common with those it sticks to: whatever is to be chosen there is chosen by
    /// it, so that they get the same.
    pub affinity: Option<u64>,
    /// Its turn in the route. In the plan it is later where it had better not be asked.
    turn: usize,
    pub(crate) state: State,
    gates: Range<usize>,
}

/// The way to a leg from legs that are outside of its own part of the route: those whose turn is `first` or later, up to
/// the next gate, lead to it when they fail like this.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Gate {
    pub(crate) first: usize,
    pub(crate) on: Classes,
}

/// A leg in the order of the route, with what is known of it beforehand.
#[derive(Debug)]
pub(crate) struct Candidate {
    pub(crate) target: Arc<UpstreamTarget>,
    pub(crate) place: Arc<str>,
    /// The outermost first.
    pub(crate) gates: Range<usize>,
    pub(crate) state: State,
    pub(crate) affinity: Option<u64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    Ready,
    /// It can probably not answer: as if it had failed because the conversation is too long.
    Doubtful,
    /// It failed too often a short while ago.
    Unhealthy,
    /// It cannot answer: as if it had been tried and failed like this.
    Unfit(FailureClass),
}

impl State {
    /// What can be called goes before what had better not.
    pub(crate) const fn rank(self) -> u8 {
        match self {
            Self::Ready => 0,
            Self::Doubtful => 1,
            Self::Unhealthy => 2,
            Self::Unfit(_) => 3,
        }
    }
}

impl Plan {
    /// The leg that stands in for one that failed, where there is one.
    pub fn after(&self, leg: usize, failed: FailureClass) -> Option<usize> {
        self.legs.after(leg, failed)
    }
}

impl Legs {
    /// One target, and nobody to stand in for it.
    pub fn only(target: Arc<UpstreamTarget>, place: Arc<str>) -> Self {
        let leg = Leg {
            target,
            place,
            on: Classes::default(),
            affinity: None,
            turn: 0,
            state: State::Ready,
            gates: 0..0,
        };
        Self {
            legs: Arc::new([leg]),
            gates: Arc::default(),
        }
    }

    pub fn first(&self) -> &Leg {
        self.legs.first().expect("there is at least one")
    }

    pub fn get(&self, leg: usize) -> Option<&Leg> {
        self.legs.get(leg)
    }

    pub fn iter(&self) -> std::slice::Iter<'_, Leg> {
        self.legs.iter()
    }

    /// The order in which candidates are tried; `None` when none can be. Those that cannot answer are left out. Those
    /// that had better not be asked come last, but are never left out.
    pub(crate) fn of(candidates: Vec<Candidate>, gates: Vec<Gate>) -> Option<Self> {
        let first = begin(&candidates, &gates)?;
        let mut legs: Vec<(u8, Leg)> = Vec::with_capacity(candidates.len());
        for (turn, candidate) in candidates.into_iter().enumerate() {
            if matches!(candidate.state, State::Unfit(_)) {
                continue;
            }
            let rank = if turn == first { 0 } else { 1 + candidate.state.rank() };
            let own = gates.get(candidate.gates.clone()).unwrap_or_default();
            let leg = Leg {
                target: candidate.target,
                place: candidate.place,
                on: own.last().map(|gate| gate.on).unwrap_or_default(),
                affinity: candidate.affinity,
                turn,
                state: candidate.state,
                gates: candidate.gates,
            };
            legs.push((rank, leg));
        }
        legs.sort_by_key(|(rank, _)| *rank);
        Some(Self {
            legs: legs.into_iter().map(|(_, leg)| leg).collect(),
            gates: gates.into(),
        })
    }

    fn after(&self, leg: usize, failed: FailureClass) -> Option<usize> {
        let from = self.legs.get(leg)?;
        let stands_in = |other: &Leg| match other.turn < from.turn {
            // It was passed over, and is the last resort.
            true => other.state != State::Ready && Classes::USUAL.contains(failed),
            false => between(&self.gates, &other.gates, from.turn).contains(failed),
        };
        let later = self.legs.iter().enumerate().skip(leg + 1);
        let mut open = later.filter(|(_, other)| stands_in(other));
        open.next().map(|(index, _)| index)
    }
}

/// The failures for which the way from the leg of a turn leads to one that has these gates.
fn between(gates: &[Gate], own: &Range<usize>, turn: usize) -> Classes {
    let own = gates.get(own.clone()).unwrap_or_default();
    let innermost = own.iter().rev().find(|gate| gate.first <= turn);
    innermost.map(|gate| gate.on).unwrap_or_default()
}

/// Whose turn it is first: the first one, else whoever stands in for it as if it had been tried. Where that leads nowhere,
/// the first one that had better not be asked, and then any that may.
fn begin(candidates: &[Candidate], gates: &[Gate]) -> Option<usize> {
    let mut turn = 0;
    while let Some(candidate) = candidates.get(turn) {
        let failed = match candidate.state {
            State::Ready => return Some(turn),
            State::Doubtful => FailureClass::ContextLength,
            State::Unhealthy => FailureClass::Error,
            State::Unfit(failed) => failed,
        };
        let mut later = candidates.iter().enumerate().skip(turn + 1);
        let next = later.find(|(_, other)| between(gates, &other.gates, turn).contains(failed));
        turn = next.map_or(candidates.len(), |(index, _)| index);
    }
    let usable = |is: fn(State) -> bool| candidates.iter().position(|candidate| is(candidate.state));
    usable(|state| state == State::Doubtful)
        .or_else(|| usable(|state| state == State::Unhealthy))
        .or_else(|| usable(|state| state == State::Ready))
}
