//! Files that were read a short while ago, each for the organization whose caller named it and for nobody else.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use gatewright_types::OrganizationId;
use tokio::time::Instant;

/// Long enough for the next request of a conversation.
const KEPT_FOR: Duration = Duration::from_secs(5 * 60);
const ORGANIZATION_BYTES: usize = 32 << 20;
const NODE_BYTES: usize = 128 << 20;
/// What an entry takes besides its file and its address.
const ENTRY_BYTES: usize = 256;

type Key = (OrganizationId, Arc<str>);

#[derive(Debug, Default)]
pub(super) struct Kept {
    shelf: Mutex<Shelf>,
}

#[derive(Debug, Default)]
struct Shelf {
    files: HashMap<Key, (Bytes, Instant)>,
    /// The oldest first.
    order: VecDeque<Key>,
    size_bytes: usize,
    by_organization: HashMap<OrganizationId, usize>,
}

impl Kept {
    pub(super) fn find(&self, organization: OrganizationId, address: &str) -> Option<Bytes> {
        let mut shelf = self.shelf();
        shelf.forget_old();
        let (file, _) = shelf.files.get(&(organization, Arc::from(address)))?;
        Some(file.clone())
    }

    /// What is too large for that is not kept.
    pub(super) fn keep(&self, organization: OrganizationId, address: &str, file: &Bytes) {
        let key = (organization, Arc::from(address));
        let size_bytes = size(&key, file);
        if size_bytes > ORGANIZATION_BYTES {
            return;
        }
        let mut shelf = self.shelf();
        shelf.forget_old();
        shelf.forget(&key);
        while shelf.of(organization) + size_bytes > ORGANIZATION_BYTES {
            let Some(oldest) = shelf.order.iter().find(|(owner, _)| *owner == organization).cloned() else {
                break;
            };
            shelf.forget(&oldest);
        }
        while shelf.size_bytes + size_bytes > NODE_BYTES {
            let Some(oldest) = shelf.order.front().cloned() else {
                break;
            };
            shelf.forget(&oldest);
        }
        shelf.put(key, file.clone());
    }

    fn shelf(&self) -> MutexGuard<'_, Shelf> {
        self.shelf.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Shelf {
    fn of(&self, organization: OrganizationId) -> usize {
        self.by_organization.get(&organization).copied().unwrap_or_default()
    }

    fn put(&mut self, key: Key, file: Bytes) {
        let size_bytes = size(&key, &file);
        self.size_bytes += size_bytes;
        *self.by_organization.entry(key.0).or_default() += size_bytes;
        self.order.push_back(key.clone());
        self.files.insert(key, (file, Instant::now()));
    }

    fn forget_old(&mut self) {
        while let Some(oldest) = self.order.front()
            && let Some((_, since)) = self.files.get(oldest)
            && since.elapsed() > KEPT_FOR
        {
            let oldest = oldest.clone();
            self.forget(&oldest);
        }
    }

    fn forget(&mut self, key: &Key) {
        let Some((file, _)) = self.files.remove(key) else {
            return;
        };
        let size_bytes = size(key, &file);
        self.size_bytes -= size_bytes;
        self.order.retain(|other| other != key);
        if let Some(of_organization) = self.by_organization.get_mut(&key.0) {
            *of_organization -= size_bytes;
            if *of_organization == 0 {
                self.by_organization.remove(&key.0);
            }
        }
    }
}

fn size(key: &Key, file: &Bytes) -> usize {
    key.1.len() + file.len() + ENTRY_BYTES
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(size_bytes: usize) -> Bytes {
        vec![7; size_bytes].into()
    }

    #[tokio::test(start_paused = true)]
    async fn a_file_is_kept_a_short_while_and_for_one_organization() {
        let kept = Kept::default();
        let (ours, theirs) = (OrganizationId::mint(), OrganizationId::mint());

        kept.keep(ours, "https://a.example/x", &file(10));

        assert_eq!(kept.find(ours, "https://a.example/x"), Some(file(10)));
        assert_eq!(kept.find(ours, "https://a.example/y"), None);
        assert_eq!(kept.find(theirs, "https://a.example/x"), None);
        tokio::time::advance(KEPT_FOR + Duration::from_secs(1)).await;
        assert_eq!(kept.find(ours, "https://a.example/x"), None);
        assert_eq!(kept.shelf().size_bytes, 0);
    }

    #[tokio::test(start_paused = true)]
    async fn the_oldest_gives_way_and_nobody_elses() {
        let kept = Kept::default();
        let (ours, theirs) = (OrganizationId::mint(), OrganizationId::mint());
        let third = ORGANIZATION_BYTES / 3;

        kept.keep(theirs, "0", &file(third));
        for name in ["1", "2", "3", "3"] {
            kept.keep(ours, name, &file(third));
        }
        kept.keep(ours, "too large", &file(ORGANIZATION_BYTES));

        let have = ["1", "2", "3", "too large"].map(|name| kept.find(ours, name).is_some());
        assert_eq!(have, [false, true, true, false]);
        assert!(kept.find(theirs, "0").is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn a_node_keeps_no_more_than_it_may() {
        let kept = Kept::default();
        let organizations: Vec<_> = (0..6).map(|_| OrganizationId::mint()).collect();

        for organization in &organizations {
            kept.keep(*organization, "f", &file(ORGANIZATION_BYTES - 1_000));
        }

        let have: Vec<_> = organizations
            .iter()
            .map(|organization| kept.find(*organization, "f").is_some())
            .collect();
        assert_eq!(have, [false, false, true, true, true, true]);
        assert!(kept.shelf().size_bytes <= NODE_BYTES);
    }
}
