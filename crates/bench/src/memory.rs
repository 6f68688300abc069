//! Resident memory of a process and its descendants: the highest it has been, and what it is.

use std::fs;

use crate::accounting::tree;

/// Forgets how high memory has been. Where that is not allowed, peaks are since the start of the process.
pub(crate) fn reset_peak(root: i32) {
    for process in tree(root) {
        let _not_allowed = fs::write(format!("/proc/{process}/clear_refs"), "5");
    }
}

/// The sum of the peaks since the last reset, in bytes.
pub(crate) fn peak(root: i32) -> u64 {
    sum(root, "VmHWM")
}

/// What the processes have in memory, in bytes.
pub(crate) fn resident(root: i32) -> u64 {
    sum(root, "VmRSS")
}

fn sum(root: i32, name: &str) -> u64 {
    let each = tree(root).into_iter();
    each.map(|process| field(&status(process), name)).sum()
}

fn status(process: i32) -> String {
    fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default()
}

/// A field of `/proc/PID/status` in bytes; the kernel writes kibibytes.
fn field(status: &str, name: &str) -> u64 {
    let mut lines = status.lines().filter_map(|line| line.split_once(':'));
    let value = lines
        .find(|(found, _)| *found == name)
        .map(|(_, value)| value.trim().trim_end_matches(" kB"));
    value
        .and_then(|value| value.parse::<u64>().ok())
        .map_or(0, |kibibytes| kibibytes * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_read_in_bytes() {
        let status = "Name:\tmock\nVmHWM:\t    2048 kB\nVmRSS:\t    1024 kB\n";

        assert_eq!(
            (field(status, "VmHWM"), field(status, "VmRSS"), field(status, "VmSwap")),
            (2 << 20, 1 << 20, 0)
        );
    }

    #[test]
    fn this_process_has_memory() {
        let process = i32::try_from(std::process::id()).expect("a process id is small");

        assert!(resident(process) > 0);
        assert!(peak(process) > 0);
    }
}
