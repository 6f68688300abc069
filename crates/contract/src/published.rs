//! The one place a node's current configuration is held: one writer, the follower; any number of readers.

use std::sync::Arc;

use arc_swap::{ArcSwapOption, Guard};

use crate::Snapshot;

/// Reader and writer of the current snapshot. Empty until the first one is there.
#[derive(Debug, Clone, Default)]
pub struct Published {
    current: Arc<ArcSwapOption<Snapshot>>,
}

impl Published {
    /// The current snapshot, to be kept for the whole of a request.
    pub fn load(&self) -> Option<Arc<Snapshot>> {
        self.current.load_full()
    }

    /// A short look at the current snapshot without touching its reference count.
    pub fn peek(&self) -> Guard<Option<Arc<Snapshot>>> {
        self.current.load()
    }

    pub fn store(&self, snapshot: Snapshot) {
        self.current.store(Some(Arc::new(snapshot)));
    }
}
