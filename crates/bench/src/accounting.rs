//! The CPU time, user and system, of a process and its descendants. The scheduler counts it in nanoseconds for each
//! thread that lives; where threads ended in between, the kernel's count of a process in ticks is used, which keeps them.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::time::Duration;

/// What the kernel had counted at one moment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Snapshot {
    /// Nanoseconds by process and thread.
    threads: BTreeMap<(i32, i32), u64>,
    ticks: u64,
}

/// How precisely a time could be told, the better first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Precision {
    Nanoseconds,
    Ticks,
}

/// Linux tells user space a hundred ticks a second, whatever its own timer does.
const TICK: Duration = Duration::from_millis(10);

impl Snapshot {
    pub(crate) fn take(root: i32) -> Self {
        let mut snapshot = Self::default();
        for process in tree(root) {
            for thread in threads(process) {
                let path = format!("/proc/{process}/task/{thread}/schedstat");
                if let Some(nanos) = fs::read_to_string(path).ok().as_deref().and_then(on_cpu) {
                    snapshot.threads.insert((process, thread), nanos);
                }
            }
            let stat = fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
            if let Some(Ticks { own, of_ended_children }) = ticks(&stat) {
                snapshot.ticks += own + of_ended_children;
            }
        }
        snapshot
    }

    /// The time used from `before` until now.
    pub(crate) fn since(&self, before: &Self) -> (Duration, Precision) {
        let ticks = u32::try_from(self.ticks.saturating_sub(before.ticks)).unwrap_or(u32::MAX);
        let by_ticks = TICK * ticks;
        // A thread that is new began at nothing.
        let used = |(thread, nanos): (_, &u64)| nanos.saturating_sub(*before.threads.get(thread).unwrap_or(&0));
        let by_threads = Duration::from_nanos(self.threads.iter().map(used).sum());
        let all_still_there = before.threads.keys().all(|thread| self.threads.contains_key(thread));
        // User and system time are each rounded down; what the ticks have beyond that was used by threads that both
        // began and ended in between.
        let rounding = TICK * 2 * self.processes();
        if all_still_there && by_ticks <= by_threads + rounding {
            return (by_threads, Precision::Nanoseconds);
        }
        (by_ticks, Precision::Ticks)
    }

    fn processes(&self) -> u32 {
        let processes: BTreeSet<_> = self.threads.keys().map(|(process, _)| process).collect();
        u32::try_from(processes.len()).unwrap_or(u32::MAX)
    }
}

/// The process and all of its descendants.
pub(crate) fn tree(root: i32) -> Vec<i32> {
    let (mut found, mut next) = (vec![root], 0);
    while let Some(process) = found.get(next).copied() {
        next += 1;
        for thread in threads(process) {
            let children = fs::read_to_string(format!("/proc/{process}/task/{thread}/children")).unwrap_or_default();
            found.extend(
                children
                    .split_whitespace()
                    .filter_map(|child| child.parse::<i32>().ok()),
            );
        }
    }
    found
}

fn threads(process: i32) -> Vec<i32> {
    let entries = fs::read_dir(format!("/proc/{process}/task"))
        .into_iter()
        .flatten()
        .flatten();
    entries
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .collect()
}

#[derive(Debug, PartialEq, Eq)]
struct Ticks {
    own: u64,
    of_ended_children: u64,
}

/// `/proc/PID/stat`. The name in it is in brackets and may hold anything, brackets and spaces too.
fn ticks(stat: &str) -> Option<Ticks> {
    let (_, after_name) = stat.rsplit_once(')')?;
    let mut fields = after_name
        .split_whitespace()
        .skip(11)
        .map_while(|field| field.parse::<u64>().ok());
    let (user, system, children_user, children_system) =
        (fields.next()?, fields.next()?, fields.next()?, fields.next()?);
    Some(Ticks {
        own: user + system,
        of_ended_children: children_user + children_system,
    })
}

/// The first number of `/proc/PID/task/TID/schedstat`: nanoseconds on a core.
fn on_cpu(schedstat: &str) -> Option<u64> {
    schedstat.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn snapshot(threads: &[((i32, i32), u64)], ticks: u64) -> Snapshot {
        Snapshot {
            threads: threads.iter().copied().collect(),
            ticks,
        }
    }

    #[test]
    fn the_kernels_lines_are_read() {
        let stat = "4242 (odd) name) R) S 1 4242 4242 0 -1 4194560 100 7 0 0 250 31 5 6 20 0 3 0 99 1000 50";

        assert_eq!(
            ticks(stat),
            Some(Ticks {
                own: 281,
                of_ended_children: 11
            })
        );
        assert_eq!(ticks("no such line"), None);
        assert_eq!(on_cpu("123456789 42 7\n"), Some(123_456_789));
        assert_eq!(on_cpu(""), None);
    }

    #[test]
    fn new_threads_count_in_full() {
        let before = snapshot(&[((1, 1), 100), ((1, 2), 50)], 0);
        let after = snapshot(&[((1, 1), 170), ((1, 2), 50), ((1, 3), 9)], 0);

        assert_eq!(after.since(&before), (Duration::from_nanos(79), Precision::Nanoseconds));
    }

    #[test]
    fn a_thread_that_ended_makes_ticks_count() {
        let before = snapshot(&[((1, 1), 100), ((1, 2), 50)], 7);
        let after = snapshot(&[((1, 1), 170)], 12);

        assert_eq!(after.since(&before), (Duration::from_millis(50), Precision::Ticks));
    }

    #[test]
    fn threads_that_came_and_went_make_ticks_count() {
        let before = snapshot(&[((1, 1), 100)], 7);
        let after = |ticks| snapshot(&[((1, 1), 1_000_100)], ticks);

        assert_eq!(
            after(9).since(&before),
            (Duration::from_millis(1), Precision::Nanoseconds)
        );
        assert_eq!(after(12).since(&before), (Duration::from_millis(50), Precision::Ticks));
    }

    #[test]
    fn work_of_this_process_is_counted() {
        let process = i32::try_from(std::process::id()).expect("a process id is small");
        let before = Snapshot::take(process);
        let mut sum = 0_u64;
        for number in 0..20_000_000_u64 {
            sum = std::hint::black_box(sum ^ number);
        }

        let (used, _precision) = Snapshot::take(process).since(&before);

        assert!(used > Duration::ZERO, "{sum}");
        assert!(tree(process).contains(&process));
    }
}
