//! Whose turn it is where routes are taken in turn. Kept apart from the compiled configuration, so that no change of it
//! begins anew; a model's turns are forgotten with the node.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use arc_swap::ArcSwap;
use gatewright_types::ModelId;

type Counters = HashMap<ModelId, HashMap<Arc<str>, Arc<AtomicU64>>>;

/// One counter for each place in a model. Cheap to clone; clones are the same.
#[derive(Debug, Clone, Default)]
pub struct Turns {
    counters: Arc<ArcSwap<Counters>>,
}

impl Turns {
    /// The number of the turn, from 0.
    pub(crate) fn take(&self, model: ModelId, place: &Arc<str>) -> u64 {
        let counters = self.counters.load();
        if let Some(counter) = counters.get(&model).and_then(|places| places.get(place)) {
            return counter.fetch_add(1, Ordering::Relaxed);
        }
        let new = Arc::<AtomicU64>::default();
        self.counters.rcu(|counters| {
            let mut counters = Counters::clone(counters);
            let places = counters.entry(model).or_default();
            places.entry(place.clone()).or_insert_with(|| new.clone());
            counters
        });
        let counters = self.counters.load();
        let counter = counters.get(&model).and_then(|places| places.get(place));
        counter.map_or(0, |counter| counter.fetch_add(1, Ordering::Relaxed))
    }
}
