//! How strategies put what is below a node in order.

use gatewright_contract::Route;
use gatewright_types::api::Affinity;

use crate::choose::{Leaf, Placed, Walk, lead};
use crate::dice::mixed;
use crate::facts::Facts;

impl Walk<'_, '_> {
    /// By something of the deployment that would be called, the smallest first; chance decides between equals.
    pub(crate) fn measure(&mut self, mark: usize, of: impl Fn(&Facts<'_>, &Leaf<'_>) -> u64) {
        for placed in self.order.iter_mut().skip(mark) {
            placed.rank = placed.lead_rank;
            placed.key = lead(&self.parts, placed.part).map_or(u64::MAX, |leaf| of(self.facts, leaf));
            placed.tie = self.dice.roll();
        }
    }

    /// From another one on each time, among those that can be called.
    pub(crate) fn rotate(&mut self, route: &Route, mark: usize) {
        let situation = self.facts.situation;
        let placed = self.order.get_mut(mark..).unwrap_or_default();
        let usable = || placed.iter().filter(|placed| placed.lead_rank == 0).count();
        let (usable, turn) = (usable() as u64, situation.turns.take(situation.model.id, &route.place));
        let mut passed = 0;
        for placed in placed {
            placed.rank = placed.lead_rank;
            if placed.lead_rank == 0 {
                placed.key = (passed + usable - turn % usable) % usable;
                passed += 1;
            }
        }
    }

    /// The faster of two that are picked at random, the other one, and the rest from fast to slow. Picking keeps a crowd
    /// from running to the same one between two looks at how it does.
    pub(crate) fn race(&mut self, mark: usize) {
        let known = |walk: &Self, placed: &Placed| {
            let leaf = lead(&walk.parts, placed.part)?;
            leaf.vitals?.latency_micros(walk.facts.situation.now)
        };
        let placed = self.order.get(mark..).unwrap_or_default();
        // One that nobody called yet counts as the fastest of the others, so that it is tried and not overrun.
        let fastest = placed
            .iter()
            .filter_map(|placed| known(self, placed))
            .min()
            .unwrap_or(1);
        let times: Vec<u64> = placed
            .iter()
            .map(|placed| {
                let under_way = lead(&self.parts, placed.part).and_then(|leaf| leaf.vitals);
                let under_way = under_way.map_or(0, |vitals| u64::from(vitals.in_flight()));
                u64::from(known(self, placed).unwrap_or(fastest).max(1)) * (under_way + 1)
            })
            .collect();
        for (placed, time) in self.order.iter_mut().skip(mark).zip(times) {
            placed.rank = placed.lead_rank;
            placed.key = self.dice.roll();
            placed.tie = time;
        }
        let placed = self.order.get_mut(mark..).unwrap_or_default();
        placed.sort_unstable();
        let picked = placed.iter().filter(|placed| placed.lead_rank == 0).count().min(2);
        for (index, placed) in placed.iter_mut().enumerate() {
            let others = if index < picked { 0 } else { 1 << 63 };
            placed.key = others | placed.tie.min((1 << 63) - 1);
            placed.tie = index as u64;
        }
    }

    /// Rendezvous hashing: each route has a number for each affinity, and the largest goes first. When one leaves, only what
    /// stuck to it moves.
    pub(crate) fn stick(&mut self, mark: usize, by: &[Affinity]) -> Option<(Affinity, u64)> {
        let shared = self.facts.affinity(by);
        let affinity = shared.map_or_else(|| self.dice.roll(), |(_, affinity)| affinity);
        for placed in self.order.iter_mut().skip(mark) {
            let identity = self.parts.get(placed.part).map_or(0, |part| part.route.identity);
            placed.key = !mixed(affinity ^ mixed(identity));
            placed.tie = placed.part as u64;
        }
        shared
    }
}
