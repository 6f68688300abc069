//! When the next request starts: at once in a closed loop, or at its place in a fixed schedule. The schedule does not
//! wait for answers, so a slow answer makes the following ones late and their lateness is counted.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::{Context, Result};
use rustix::fd::OwnedFd;
use rustix::time::{Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec};
use tokio::io::unix::AsyncFd;
use tokio::time::Instant;

/// Hands out the starts of a fixed number of requests to all connections.
#[derive(Debug)]
pub(crate) struct Schedule {
    start: Instant,
    /// Time from one start to the next; none in a closed loop.
    period: Option<Duration>,
    next: AtomicU64,
    requests: u64,
    /// No request starts after this.
    end: Instant,
}

impl Schedule {
    pub(crate) fn new(requests: u64, longest: Duration, rate: Option<u32>) -> Self {
        let start = Instant::now();
        let period = rate.map(|rate| Duration::from_secs(1) / rate.max(1));
        Self {
            start,
            period,
            next: AtomicU64::new(0),
            requests,
            end: start + longest,
        }
    }

    /// Takes the next request's place and waits for its time. Gives the instant its latency counts from.
    pub(crate) async fn turn(&self, alarm: &Alarm) -> Result<Option<Instant>> {
        let index = self.next.fetch_add(1, Ordering::Relaxed);
        if index >= self.requests {
            return Ok(None);
        }
        let now = Instant::now();
        let Some(period) = self.period else {
            return Ok((now < self.end).then_some(now));
        };
        let offset = period.saturating_mul(u32::try_from(index).unwrap_or(u32::MAX));
        let intended = self.start + offset;
        if intended >= self.end {
            return Ok(None);
        }
        if let Some(wait) = intended.checked_duration_since(now).filter(|wait| !wait.is_zero()) {
            alarm.wait(wait).await?;
        }
        Ok(Some(intended))
    }

    /// Makes every further turn the last: what is broken need not be asked again.
    pub(crate) fn stop(&self) {
        self.next.store(self.requests, Ordering::Relaxed);
    }

    pub(crate) fn elapsed(&self) -> Duration {
        self.start.elapsed()
    }
}

/// A timer with the precision of the kernel's: the runtime's own counts whole milliseconds.
#[derive(Debug)]
pub(crate) struct Alarm {
    timer: AsyncFd<OwnedFd>,
}

impl Alarm {
    #[expect(
        deprecated,
        reason = "its successor is unsafe; a descriptor that is owned here is used soundly by both"
    )]
    pub(crate) fn new() -> Result<Self> {
        let flags = TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC;
        let timer = rustix::time::timerfd_create(TimerfdClockId::Monotonic, flags).context("no timer")?;
        Ok(Self {
            timer: AsyncFd::new(timer).context("the timer cannot be waited for")?,
        })
    }

    async fn wait(&self, duration: Duration) -> Result<()> {
        let never = Timespec { tv_sec: 0, tv_nsec: 0 };
        let once = Itimerspec {
            it_interval: never,
            it_value: Timespec::try_from(duration)?,
        };
        rustix::time::timerfd_settime(self.timer.get_ref(), TimerfdTimerFlags::empty(), &once)?;
        loop {
            let mut ready = self.timer.readable().await?;
            let read = ready.try_io(|timer| Ok(rustix::io::read(timer.get_ref(), &mut [0_u8; 8])?));
            match read {
                Ok(read) => return read.map(drop).context("the timer cannot be read"),
                Err(_not_ready_after_all) => continue,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_fixed_rate_counts_from_the_intended_start_even_when_late() {
        let schedule = Schedule::new(3, Duration::from_secs(60), Some(1000));
        let alarm = Alarm::new().expect("a timer");
        let first = schedule.turn(&alarm).await.expect("no error").expect("a turn");
        Alarm::new()
            .expect("a timer")
            .wait(Duration::from_millis(5))
            .await
            .expect("it rings");

        let second = schedule.turn(&alarm).await.expect("no error").expect("a turn");
        let third = schedule.turn(&alarm).await.expect("no error").expect("a turn");

        assert_eq!([second - first, third - second], [Duration::from_millis(1); 2]);
        assert!(schedule.turn(&alarm).await.expect("no error").is_none());
    }

    #[tokio::test]
    async fn a_request_waits_for_its_place_in_the_schedule() {
        let schedule = Schedule::new(2, Duration::from_secs(60), Some(100));
        let alarm = Alarm::new().expect("a timer");
        schedule.turn(&alarm).await.expect("no error").expect("a turn");

        let second = schedule.turn(&alarm).await.expect("no error").expect("a turn");

        assert!(Instant::now() >= second);
        assert!(schedule.elapsed() >= Duration::from_millis(10));
    }
}
