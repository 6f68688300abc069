//! A hash map whose changed copies share all but a sliver with the original: what lets a node with a million keys
//! apply one change in microseconds while requests go on reading the version they started with.

use std::collections::HashMap;
use std::hash::{BuildHasher, BuildHasherDefault, Hash, Hasher, RandomState};
use std::sync::Arc;

const SHARDS: usize = 4096;

/// A map in shards; a clone copies pointers to the shards, a change copies the one shard it falls in.
#[derive(Debug, Clone)]
pub struct CowMap<K, V, S = RandomState> {
    shards: Arc<[Arc<HashMap<K, V, S>>]>,
    hasher: S,
    len: usize,
}

/// Takes a key's own bits for its hash. Only for keys that are digests already: nobody can choose those to collide.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct OwnBits(u64);

/// Makes `OwnBits`.
pub(crate) type DigestState = BuildHasherDefault<OwnBits>;

impl Hasher for OwnBits {
    fn write(&mut self, bytes: &[u8]) {
        let first = bytes.first_chunk().copied().map_or(0, u64::from_le_bytes);
        self.0 ^= first;
    }

    fn write_u64(&mut self, bits: u64) {
        self.0 ^= bits;
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

impl<K: Hash + Eq + Clone, V: Clone, S: BuildHasher + Clone + Default> CowMap<K, V, S> {
    pub fn new() -> Self {
        let hasher = S::default();
        let empty = Arc::new(HashMap::with_hasher(hasher.clone()));
        Self {
            shards: std::iter::repeat_n(empty, SHARDS).collect(),
            hasher,
            len: 0,
        }
    }

    pub const fn len(&self) -> usize {
        self.len
    }

    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    pub fn get<Q>(&self, key: &Q) -> Option<&V>
    where
        K: std::borrow::Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        self.shards.get(self.shard_of(key)).and_then(|shard| shard.get(key))
    }

    pub fn insert(&mut self, key: K, value: V) {
        let shard = self.shard_mut(&key);
        if shard.insert(key, value).is_none() {
            self.len += 1;
        }
    }

    pub fn remove(&mut self, key: &K) -> Option<V> {
        self.get(key)?;
        let removed = self.shard_mut(key).remove(key);
        self.len -= usize::from(removed.is_some());
        removed
    }

    pub fn iter(&self) -> impl Iterator<Item = (&K, &V)> {
        self.shards.iter().flat_map(|shard| shard.iter())
    }

    fn shard_of<Q: Hash + ?Sized>(&self, key: &Q) -> usize {
        // The middle bits: the shard's own table uses the lowest and the highest ones of the same hash.
        (self.hasher.hash_one(key) >> 40) as usize % SHARDS
    }

    fn shard_mut(&mut self, key: &K) -> &mut HashMap<K, V, S> {
        let index = self.shard_of(key);
        let shards = Arc::make_mut(&mut self.shards);
        Arc::make_mut(shards.get_mut(index).expect("a shard's number is below their count"))
    }
}

impl<K: Hash + Eq + Clone, V: Clone, S: BuildHasher + Clone + Default> Default for CowMap<K, V, S> {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_leaves_the_clone_it_was_made_from_alone() {
        let mut before = CowMap::<_, _>::new();
        for n in 0..10_000 {
            before.insert(n, n);
        }

        let mut after = before.clone();
        after.insert(5, 50);
        after.remove(&6);

        assert_eq!(
            (before.get(&5), before.get(&6), before.len()),
            (Some(&5), Some(&6), 10_000)
        );
        assert_eq!((after.get(&5), after.get(&6), after.len()), (Some(&50), None, 9_999));
    }

    #[test]
    fn a_change_copies_one_shard_only() {
        let mut before = CowMap::<_, _>::new();
        for n in 0..10_000 {
            before.insert(n, n);
        }

        let mut after = before.clone();
        after.insert(20_000, 1);

        let shared = before
            .shards
            .iter()
            .zip(after.shards.iter())
            .filter(|(a, b)| Arc::ptr_eq(a, b))
            .count();
        assert_eq!(shared, SHARDS - 1);
    }
}
