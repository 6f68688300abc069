//! Requests that wait for their turn, where a limit lets them: in the order in which they came to this node.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use gatewright_types::{DisplayName, LimitId};
use tokio::sync::OwnedMutexGuard;
use tokio::time::{Instant, timeout_at};

/// Whoever comes when so many wait before one limit is refused: it would be minutes before it was their turn.
const LONGEST_LINE: usize = 1_000;

/// Which limit, and for whom where it is for each.
pub(super) type LineKey = (LimitId, Option<DisplayName>);

/// Only limits before which somebody waits have a line.
#[derive(Debug, Clone, Default)]
pub struct Lines {
    lines: Arc<Mutex<HashMap<LineKey, Line>>>,
}

#[derive(Debug, Default)]
struct Line {
    /// Held by the first of them; a fair lock is a line.
    head: Arc<tokio::sync::Mutex<()>>,
    length: usize,
}

/// The first place of a line, until it is dropped.
#[derive(Debug)]
pub(super) struct Turn {
    _head: OwnedMutexGuard<()>,
    _place: Place,
}

/// A place in a line, until it is dropped.
#[derive(Debug)]
struct Place {
    lines: Lines,
    key: LineKey,
}

impl Lines {
    pub(super) fn has(&self, key: &LineKey) -> bool {
        self.locked(|lines| lines.contains_key(key))
    }

    /// Waits to be the first; nothing where that takes too long.
    pub(super) async fn turn(&self, key: &LineKey, until: Instant) -> Option<Turn> {
        let (head, place) = self.join(key)?;
        let head = timeout_at(until, head.lock_owned()).await.ok()?;
        Some(Turn {
            _head: head,
            _place: place,
        })
    }

    fn join(&self, key: &LineKey) -> Option<(Arc<tokio::sync::Mutex<()>>, Place)> {
        let head = self.locked(|lines| {
            let line = lines.entry(key.clone()).or_default();
            if line.length == LONGEST_LINE {
                return None;
            }
            line.length += 1;
            Some(line.head.clone())
        })?;
        let place = Place {
            lines: self.clone(),
            key: key.clone(),
        };
        Some((head, place))
    }

    fn locked<T>(&self, with: impl FnOnce(&mut HashMap<LineKey, Line>) -> T) -> T {
        with(&mut self.lines.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.lines.locked(|lines| match lines.get_mut(&self.key) {
            Some(line) if line.length > 1 => line.length -= 1,
            _ => {
                lines.remove(&self.key);
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use futures_util::future::{join, join_all};

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_line_is_served_in_order_and_is_gone_when_nobody_waits() {
        let (lines, key) = (Lines::default(), (LimitId::mint(), None));
        let until = Instant::now() + Duration::from_secs(60);
        let first = lines.turn(&key, until).await.expect("nobody is before it");
        let served = Mutex::new(Vec::new());
        let waiting = (0..3).map(async |number| {
            let turn = lines.turn(&key, until).await;
            served.lock().expect("not poisoned").push(number);
            drop(turn);
        });
        let leaving = async {
            tokio::time::sleep(Duration::from_secs(1)).await;
            let before = served.lock().expect("not poisoned").len();
            drop(first);
            before
        };

        let (before, _) = join(leaving, join_all(waiting)).await;

        assert_eq!(before, 0);
        assert_eq!(*served.lock().expect("not poisoned"), [0, 1, 2]);
        assert!(!lines.has(&key));
    }

    #[tokio::test(start_paused = true)]
    async fn a_place_is_given_up_when_its_time_is_over_and_a_line_has_an_end() {
        let (lines, key) = (Lines::default(), (LimitId::mint(), None));
        let soon = || Instant::now() + Duration::from_secs(1);
        let first = lines.turn(&key, soon()).await;

        assert!(lines.turn(&key, soon()).await.is_none());
        assert_eq!(lines.locked(|lines| lines.get(&key).map(|line| line.length)), Some(1));

        let places: Vec<_> = (1..LONGEST_LINE).map(|_| lines.join(&key)).collect();
        assert!(places.iter().all(Option::is_some));
        assert!(lines.join(&key).is_none());
        drop((first, places));
        assert!(!lines.has(&key));
    }
}
