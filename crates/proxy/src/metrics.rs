//! Numbers for Prometheus. Every label comes from an enum of ours, so their count is fixed when the program is built.

use std::fmt::Write as _;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use gatewright_contract::UsageRecord;
use gatewright_types::UsageUnit;
use gatewright_types::api::{CacheStatus, Outcome};

/// Upper bounds in microseconds.
const DURATION_BOUNDS: &[u64] = &[
    1_000,
    2_500,
    5_000,
    10_000,
    25_000,
    50_000,
    100_000,
    250_000,
    500_000,
    1_000_000,
    2_500_000,
    5_000_000,
    10_000_000,
    30_000_000,
    60_000_000,
    300_000_000,
];
const OVERHEAD_BOUNDS: &[u64] = &[25, 50, 100, 200, 300, 500, 1_000, 2_500, 5_000, 10_000, 50_000, 250_000];

/// The data plane's counters of one node.
#[derive(Debug)]
pub struct Metrics {
    in_flight: AtomicI64,
    outcomes: [AtomicU64; Outcome::ALL.len()],
    streams: AtomicU64,
    rejected: AtomicU64,
    unpriced: AtomicU64,
    estimated: AtomicU64,
    /// In the order of `CacheStatus`.
    cache: [AtomicU64; CacheStatus::ALL.len()],
    saved_nanos: AtomicI64,
    retries: AtomicU64,
    failovers: AtomicU64,
    attempts: AtomicU64,
    shadow_limited: AtomicU64,
    counter_round_trips: AtomicU64,
    breakers_opened: AtomicU64,
    breakers_closed: AtomicU64,
    units: [AtomicU64; UsageUnit::ALL.len()],
    cost_nanos: AtomicI64,
    duration: Histogram,
    first_token: Histogram,
    overhead: Histogram,
}

#[derive(Debug)]
struct Histogram {
    bounds: &'static [u64],
    counts: Box<[AtomicU64]>,
    sum: AtomicU64,
}

impl Default for Metrics {
    fn default() -> Self {
        Self {
            in_flight: AtomicI64::new(0),
            outcomes: Default::default(),
            streams: AtomicU64::new(0),
            rejected: AtomicU64::new(0),
            unpriced: AtomicU64::new(0),
            estimated: AtomicU64::new(0),
            cache: Default::default(),
            saved_nanos: AtomicI64::new(0),
            retries: AtomicU64::new(0),
            failovers: AtomicU64::new(0),
            attempts: AtomicU64::new(0),
            shadow_limited: AtomicU64::new(0),
            counter_round_trips: AtomicU64::new(0),
            breakers_opened: AtomicU64::new(0),
            breakers_closed: AtomicU64::new(0),
            units: Default::default(),
            cost_nanos: AtomicI64::new(0),
            duration: Histogram::new(DURATION_BOUNDS),
            first_token: Histogram::new(DURATION_BOUNDS),
            overhead: Histogram::new(OVERHEAD_BOUNDS),
        }
    }
}

impl Metrics {
    pub(crate) fn request_begins(&self) {
        self.in_flight.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn request_ends(&self, usage: &UsageRecord) {
        self.in_flight.fetch_sub(1, Ordering::Relaxed);
        add(&self.outcomes, usage.outcome as usize, 1);
        self.streams.fetch_add(u64::from(usage.stream), Ordering::Relaxed);
        self.unpriced
            .fetch_add(u64::from(usage.cost.is_none()), Ordering::Relaxed);
        self.estimated.fetch_add(u64::from(usage.estimated), Ordering::Relaxed);
        add(&self.cache, usage.cache as usize, 1);
        self.saved_nanos
            .fetch_add(usage.saved.unwrap_or_default().get(), Ordering::Relaxed);
        for line in &usage.lines {
            add(&self.units, line.unit as usize, line.quantity);
        }
        self.cost_nanos
            .fetch_add(usage.cost.unwrap_or_default().get(), Ordering::Relaxed);
        self.duration.observe(usage.duration_us);
        self.overhead.observe(usage.overhead_us);
        if let Some(first_token) = usage.first_token_us {
            self.first_token.observe(first_token);
        }
    }

    /// A request was turned away before anybody could be billed for it.
    pub(crate) fn rejected(&self) {
        self.rejected.fetch_add(1, Ordering::Relaxed);
    }

    /// A call to a provider begins.
    pub(crate) fn attempted(&self) {
        self.attempts.fetch_add(1, Ordering::Relaxed);
    }

    /// A call that failed is made again at the same target.
    pub(crate) fn retried(&self) {
        self.retries.fetch_add(1, Ordering::Relaxed);
    }

    /// Another target takes the place of one that failed.
    pub(crate) fn failed_over(&self) {
        self.failovers.fetch_add(1, Ordering::Relaxed);
    }

    /// The shared counters of budgets and limits are asked, for requests or by the way.
    pub(crate) fn counter_round_trip(&self) {
        self.counter_round_trips.fetch_add(1, Ordering::Relaxed);
    }

    /// A limit in shadow would have refused a request.
    pub(crate) fn shadow_limited(&self) {
        self.shadow_limited.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn breaker_opened(&self) {
        self.breakers_opened.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn breaker_closed(&self) {
        self.breakers_closed.fetch_add(1, Ordering::Relaxed);
    }

    /// Requests that began and did not end yet.
    pub fn in_flight(&self) -> i64 {
        self.in_flight.load(Ordering::Relaxed)
    }

    /// Appends everything in Prometheus' text format.
    pub fn render(&self, text: &mut String) {
        gauge(
            text,
            "gatewright_requests_in_flight",
            "Requests under way.",
            self.in_flight(),
        );
        head(
            text,
            "gatewright_requests_total",
            "Finished requests by outcome.",
            "counter",
        );
        for outcome in Outcome::ALL {
            let count = read(&self.outcomes, outcome as usize);
            line(
                text,
                "gatewright_requests_total",
                &format!("outcome=\"{}\"", outcome.as_str()),
                count,
            );
        }
        counter(
            text,
            "gatewright_streams_total",
            "Finished requests that streamed.",
            &self.streams,
        );
        counter(
            text,
            "gatewright_rejected_total",
            "Requests turned away before a key was known.",
            &self.rejected,
        );
        counter(
            text,
            "gatewright_unpriced_total",
            "Requests whose price is not known.",
            &self.unpriced,
        );
        counter(
            text,
            "gatewright_estimated_total",
            "Requests whose tokens were counted by us.",
            &self.estimated,
        );
        head(
            text,
            "gatewright_cache_requests_total",
            "Finished requests by what the cache of answers had for them.",
            "counter",
        );
        for status in CacheStatus::ALL {
            let count = read(&self.cache, status as usize);
            let label = format!("cache=\"{}\"", status.as_str());
            line(text, "gatewright_cache_requests_total", &label, count);
        }
        head(
            text,
            "gatewright_cache_saved_nanodollars_total",
            "What answers had cost that the cache had.",
            "counter",
        );
        line(
            text,
            "gatewright_cache_saved_nanodollars_total",
            "",
            self.saved_nanos.load(Ordering::Relaxed),
        );
        counter(text, "gatewright_attempts_total", "Calls to providers.", &self.attempts);
        counter(
            text,
            "gatewright_retries_total",
            "Calls that were made again at the same target.",
            &self.retries,
        );
        counter(
            text,
            "gatewright_failovers_total",
            "Times that another target took the place of one that failed.",
            &self.failovers,
        );
        counter(
            text,
            "gatewright_counter_round_trips_total",
            "Calls to the counters that all nodes share.",
            &self.counter_round_trips,
        );
        counter(
            text,
            "gatewright_shadow_limited_total",
            "Requests that a limit in shadow would have refused.",
            &self.shadow_limited,
        );
        head(
            text,
            "gatewright_breaker_changes_total",
            "Times that a breaker of a model at a provider changed.",
            "counter",
        );
        for (state, count) in [("open", &self.breakers_opened), ("closed", &self.breakers_closed)] {
            let labels = format!("state=\"{state}\"");
            line(
                text,
                "gatewright_breaker_changes_total",
                &labels,
                count.load(Ordering::Relaxed),
            );
        }
        head(text, "gatewright_units_total", "Units used.", "counter");
        for unit in UsageUnit::ALL {
            let count = read(&self.units, unit as usize);
            line(
                text,
                "gatewright_units_total",
                &format!("unit=\"{}\"", unit.as_str()),
                count,
            );
        }
        head(
            text,
            "gatewright_cost_nanodollars_total",
            "What priced requests cost.",
            "counter",
        );
        line(
            text,
            "gatewright_cost_nanodollars_total",
            "",
            self.cost_nanos.load(Ordering::Relaxed),
        );
        self.duration
            .render(text, "gatewright_request_duration_seconds", "Duration of requests.");
        self.first_token.render(
            text,
            "gatewright_first_token_seconds",
            "Time to the first token of streams.",
        );
        self.overhead
            .render(text, "gatewright_overhead_seconds", "Time spent in the gateway itself.");
    }
}

impl Histogram {
    fn new(bounds: &'static [u64]) -> Self {
        let counts = std::iter::repeat_with(AtomicU64::default)
            .take(bounds.len() + 1)
            .collect();
        Self {
            bounds,
            counts,
            sum: AtomicU64::new(0),
        }
    }

    fn observe(&self, micros: u64) {
        let index = self.bounds.partition_point(|bound| *bound < micros);
        add(&self.counts, index, 1);
        self.sum.fetch_add(micros, Ordering::Relaxed);
    }

    fn render(&self, text: &mut String, name: &str, help: &str) {
        head(text, name, help, "histogram");
        let mut total = 0;
        let bucket = format!("{name}_bucket");
        for (index, bound) in self.bounds.iter().enumerate() {
            total += read(&self.counts, index);
            line(text, &bucket, &format!("le=\"{}\"", Seconds(*bound)), total);
        }
        total += read(&self.counts, self.bounds.len());
        line(text, &bucket, "le=\"+Inf\"", total);
        line(
            text,
            &format!("{name}_sum"),
            "",
            Seconds(self.sum.load(Ordering::Relaxed)),
        );
        line(text, &format!("{name}_count"), "", total);
    }
}

/// Microseconds, printed as seconds.
struct Seconds(u64);

impl std::fmt::Display for Seconds {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{:06}", self.0 / 1_000_000, self.0 % 1_000_000)
    }
}

fn add(counters: &[AtomicU64], index: usize, count: u64) {
    if let Some(counter) = counters.get(index) {
        counter.fetch_add(count, Ordering::Relaxed);
    }
}

fn read(counters: &[AtomicU64], index: usize) -> u64 {
    counters.get(index).map_or(0, |counter| counter.load(Ordering::Relaxed))
}

fn head(text: &mut String, name: &str, help: &str, kind: &str) {
    writeln!(text, "# HELP {name} {help}\n# TYPE {name} {kind}").expect("writing to a string cannot fail");
}

fn line(text: &mut String, name: &str, labels: &str, value: impl std::fmt::Display) {
    let labels = if labels.is_empty() {
        String::new()
    } else {
        format!("{{{labels}}}")
    };
    writeln!(text, "{name}{labels} {value}").expect("writing to a string cannot fail");
}

fn counter(text: &mut String, name: &str, help: &str, value: &AtomicU64) {
    head(text, name, help, "counter");
    line(text, name, "", value.load(Ordering::Relaxed));
}

fn gauge(text: &mut String, name: &str, help: &str, value: i64) {
    head(text, name, help, "gauge");
    line(text, name, "", value);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn histogram_buckets_are_cumulative_and_inclusive() {
        let histogram = Histogram::new(&[10, 100]);
        for micros in [10, 11, 1_000] {
            histogram.observe(micros);
        }
        let mut text = String::new();
        histogram.render(&mut text, "x", "X.");

        let expected = "# HELP x X.\n# TYPE x histogram\nx_bucket{le=\"0.000010\"} 1\nx_bucket{le=\"0.000100\"} 2\n\
                        x_bucket{le=\"+Inf\"} 3\nx_sum 0.001021\nx_count 3\n";
        assert_eq!(text, expected);
    }
}
