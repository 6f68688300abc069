//! What the operating system says of this process, in the Prometheus text format. On other systems than Linux it says
//! nothing.

use std::fmt::Write as _;

/// The kernel's clock ticks per second, fixed for all programs.
const TICKS_PER_SECOND: f64 = 100.0;

/// Appends the process's gauges.
pub(crate) fn render(text: &mut String) {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let descriptors = std::fs::read_dir("/proc/self/fd").map(Iterator::count).ok();
    let metrics = [
        (
            "process_resident_memory_bytes",
            "gauge",
            kilobytes(&status, "VmRSS:").map(|kb| kb * 1024.0),
        ),
        (
            "process_peak_resident_memory_bytes",
            "gauge",
            kilobytes(&status, "VmHWM:").map(|kb| kb * 1024.0),
        ),
        ("process_cpu_seconds_total", "counter", cpu_seconds(&stat)),
        (
            "process_open_fds",
            "gauge",
            descriptors.and_then(|count| u32::try_from(count).ok()).map(f64::from),
        ),
    ];
    for (name, kind, value) in metrics {
        if let Some(value) = value {
            writeln!(text, "# TYPE {name} {kind}\n{name} {value}").expect("a string takes all that is written to it");
        }
    }
}

fn kilobytes(status: &str, name: &str) -> Option<f64> {
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    line.split_whitespace().next()?.parse().ok()
}

fn cpu_seconds(stat: &str) -> Option<f64> {
    // The program's name stands in parentheses and may hold anything; user and system time are the 12th and 13th after.
    let after_name = stat.rsplit_once(')')?.1;
    let mut fields = after_name.split_whitespace().skip(11);
    let user: f64 = fields.next()?.parse().ok()?;
    let system: f64 = fields.next()?.parse().ok()?;
    Some((user + system) / TICKS_PER_SECOND)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_found_behind_any_program_name() {
        let stat = "1 (a) b c) S 1 1 1 0 -1 4194304 100 0 0 0 250 50 0 0 20 0 1 0 5 1 1";

        assert_eq!(cpu_seconds(stat), Some(3.0));
    }

    #[test]
    fn memory_is_told_in_bytes() {
        assert_eq!(kilobytes("VmPeak:\t 9 kB\nVmRSS:\t  12 kB\n", "VmRSS:"), Some(12.0));
    }
}
