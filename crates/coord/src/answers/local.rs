//! Answers in memory, of all organizations together within one bound. Who needs room takes it from the organization that
//! holds the most, and there from what was used least recently: nobody who asks a lot empties the others' caches.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use gatewright_contract::Digest;
use gatewright_types::OrganizationId;
use tokio::time::Instant;

use crate::CoordError;

/// What an entry takes besides itself.
const OVERHEAD_BYTES: u64 = 256;

#[derive(Debug, Clone)]
pub struct LocalAnswers {
    shelves: Arc<Mutex<Shelves>>,
}

#[derive(Debug)]
struct Shelves {
    room_bytes: u64,
    held_bytes: u64,
    of: HashMap<OrganizationId, Shelf>,
    /// Who holds how much.
    by_size: BTreeSet<(u64, OrganizationId)>,
    /// The number of the next use.
    next: u64,
}

/// One organization's entries.
#[derive(Debug, Default)]
struct Shelf {
    held_bytes: u64,
    entries: HashMap<Digest, Entry>,
    by_use: BTreeMap<u64, Digest>,
}

#[derive(Debug)]
struct Entry {
    text: Bytes,
    until: Instant,
    last_use: u64,
}

impl LocalAnswers {
    pub fn new(room_bytes: u64) -> Self {
        Self {
            shelves: Arc::new(Mutex::new(Shelves {
                room_bytes,
                held_bytes: 0,
                of: HashMap::new(),
                by_size: BTreeSet::new(),
                next: 0,
            })),
        }
    }

    pub(super) fn find(&self, organization: OrganizationId, keys: &[Digest]) -> Vec<Option<Bytes>> {
        let mut shelves = self.shelves.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        keys.iter().map(|key| shelves.find(organization, key, now)).collect()
    }

    pub(super) fn keep(
        &self,
        organization: OrganizationId,
        entries: Vec<(Digest, Bytes)>,
        time_to_live: Duration,
    ) -> Result<(), CoordError> {
        let until = Instant::now() + time_to_live;
        let mut shelves = self.shelves.lock().unwrap_or_else(PoisonError::into_inner);
        for (key, text) in entries {
            shelves.keep(organization, key, text, until)?;
        }
        Ok(())
    }
}

impl Shelves {
    fn find(&mut self, organization: OrganizationId, key: &Digest, now: Instant) -> Option<Bytes> {
        let shelf = self.of.get_mut(&organization)?;
        let entry = shelf.entries.get_mut(key)?;
        if entry.until <= now {
            self.remove(organization, key);
            return None;
        }
        shelf.by_use.remove(&entry.last_use);
        shelf.by_use.insert(self.next, *key);
        entry.last_use = self.next;
        self.next += 1;
        Some(entry.text.clone())
    }

    fn keep(
        &mut self,
        organization: OrganizationId,
        key: Digest,
        text: Bytes,
        until: Instant,
    ) -> Result<(), CoordError> {
        let size = size_of(&text);
        if size > self.room_bytes {
            return Err(CoordError::TooLarge);
        }
        self.remove(organization, &key);
        while self.held_bytes + size > self.room_bytes && self.make_room() {}
        let last_use = self.next;
        self.next += 1;
        self.resized(organization, |shelf| {
            shelf.held_bytes += size;
            shelf.by_use.insert(last_use, key);
            shelf.entries.insert(key, Entry { text, until, last_use });
        });
        self.held_bytes += size;
        Ok(())
    }

    /// Takes one entry out; false when there is none.
    fn make_room(&mut self) -> bool {
        let Some((_, largest)) = self.by_size.last().copied() else {
            return false;
        };
        let oldest = self.of.get(&largest).and_then(|shelf| shelf.by_use.first_key_value());
        let Some(key) = oldest.map(|(_, key)| *key) else {
            return false;
        };
        self.remove(largest, &key);
        true
    }

    fn remove(&mut self, organization: OrganizationId, key: &Digest) {
        let entry = self
            .of
            .get_mut(&organization)
            .and_then(|shelf| shelf.entries.remove(key));
        let Some(entry) = entry else { return };
        let size = size_of(&entry.text);
        self.held_bytes -= size;
        self.resized(organization, |shelf| {
            shelf.held_bytes -= size;
            shelf.by_use.remove(&entry.last_use);
        });
    }

    /// Changes what an organization holds, and the order by size with it.
    fn resized(&mut self, organization: OrganizationId, change: impl FnOnce(&mut Shelf)) {
        let shelf = self.of.entry(organization).or_default();
        self.by_size.remove(&(shelf.held_bytes, organization));
        change(shelf);
        if shelf.entries.is_empty() {
            self.of.remove(&organization);
        } else {
            self.by_size.insert((shelf.held_bytes, organization));
        }
    }
}

fn size_of(text: &Bytes) -> u64 {
    text.len() as u64 + OVERHEAD_BYTES
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_secs(3600);

    fn key(name: &str) -> Digest {
        Digest::of(name.as_bytes())
    }

    fn put(answers: &LocalAnswers, organization: OrganizationId, name: &str) {
        let text = Bytes::from(vec![b'x'; 1000 - 256]);
        let kept = answers.keep(organization, vec![(key(name), text)], HOUR);
        kept.expect("there is room");
    }

    fn there(answers: &LocalAnswers, organization: OrganizationId, names: &[&str]) -> Vec<bool> {
        let keys: Vec<_> = names.iter().map(|name| key(name)).collect();
        let found = answers.find(organization, &keys);
        found.iter().map(Option::is_some).collect()
    }

    #[test]
    fn what_was_used_least_recently_makes_room() {
        let (answers, ours) = (LocalAnswers::new(3000), OrganizationId::mint());
        for name in ["a", "b", "c"] {
            put(&answers, ours, name);
        }
        assert_eq!(there(&answers, ours, &["a"]), [true]);

        put(&answers, ours, "d");

        assert_eq!(there(&answers, ours, &["a", "b", "c", "d"]), [true, false, true, true]);
    }

    #[test]
    fn who_holds_the_most_makes_room_for_the_others() {
        let answers = LocalAnswers::new(4000);
        let (small, large) = (OrganizationId::mint(), OrganizationId::mint());
        put(&answers, small, "mine");
        for name in ["a", "b", "c", "d", "e"] {
            put(&answers, large, name);
        }

        assert_eq!(there(&answers, small, &["mine"]), [true]);
        assert_eq!(
            there(&answers, large, &["a", "b", "c", "d", "e"]),
            [false, false, true, true, true]
        );
    }

    #[test]
    fn an_entry_that_is_replaced_or_gone_takes_no_room() {
        let (answers, ours) = (LocalAnswers::new(2000), OrganizationId::mint());
        for _ in 0..5 {
            put(&answers, ours, "a");
        }
        put(&answers, ours, "b");
        assert_eq!(there(&answers, ours, &["a", "b"]), [true, true]);

        let too_large = Bytes::from(vec![b'x'; 2000]);
        let refused = answers.keep(ours, vec![(key("c"), too_large)], HOUR);
        assert!(matches!(refused, Err(CoordError::TooLarge)));
        assert_eq!(there(&answers, ours, &["a", "b"]), [true, true]);
    }
}
