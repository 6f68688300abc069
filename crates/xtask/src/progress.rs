//! What a person sees while a task works: one line per step with how long it took. The only place that prints.

use std::fmt;
use std::io::Write;
use std::time::{Duration, Instant};

use anyhow::Result;

pub(crate) fn line(text: &str) {
    // A closed terminal is no reason to stop half-way.
    let _closed = writeln!(std::io::stdout().lock(), "{text}");
}

pub(crate) fn error(text: &str) {
    let _closed = writeln!(std::io::stderr().lock(), "{text}");
}

/// Tells that a step begins, does it, and tells how long it took.
pub(crate) fn step<T>(what: &str, work: impl FnOnce() -> Result<T>) -> Result<T> {
    line(&format!("==> {what}"));
    let stopwatch = Stopwatch::start();
    let done = work()?;
    line(&format!("    {what}: {}", Took(stopwatch.elapsed())));
    Ok(done)
}

/// Wall-clock time, for people to read and for limits on other programs.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stopwatch(Instant);

impl Stopwatch {
    #[expect(
        clippy::disallowed_methods,
        reason = "there is no tokio here, and no test that needs to pause the clock"
    )]
    pub(crate) fn start() -> Self {
        Self(Instant::now())
    }

    pub(crate) fn elapsed(self) -> Duration {
        self.0.elapsed()
    }
}

/// A duration as people say it: `0.4 s`, `12 s`, `3 min 05 s`.
#[derive(Debug)]
pub(crate) struct Took(pub(crate) Duration);

impl fmt::Display for Took {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0.as_secs();
        match seconds {
            0..10 => write!(formatter, "{:.1} s", self.0.as_secs_f64()),
            10..60 => write!(formatter, "{seconds} s"),
            _ => write!(formatter, "{} min {:02} s", seconds / 60, seconds % 60),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_read_as_people_say_them() {
        for (duration, said) in [
            (Duration::from_millis(412), "0.4 s"),
            (Duration::from_secs(12), "12 s"),
            (Duration::from_secs(185), "3 min 05 s"),
        ] {
            assert_eq!(Took(duration).to_string(), said);
        }
    }
}
