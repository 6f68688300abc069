//! What the configuration weighs on a proxy node at the size it is designed for, and what one change costs there: the
//! snapshot is built, changed and asked as a node does it, without a network.

mod population;

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use gatewright_contract::{Published, Snapshot, Unit};
use serde::Serialize;
use tokio::time::Instant;

use crate::histogram::{Histogram, Quantiles};
use crate::memory;
use crate::results::{Results, say};
use population::Population;

#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Options {
    #[arg(long, default_value_t = 10_000)]
    tenants: u64,
    /// In all tenants together
    #[arg(long, default_value_t = 1_000_000)]
    keys: u64,
    /// How often one key, and one model, is changed
    #[arg(long, default_value_t = 1_000)]
    changes: u64,
    /// How many lookups are timed
    #[arg(long, default_value_t = 1_000_000)]
    lookups: u64,
    #[arg(long, default_value = "target/bench")]
    out: PathBuf,
}

#[derive(Debug, Serialize)]
struct Outcome {
    tenants: u64,
    keys: u64,
    bytes_per_tenant: f64,
    bytes_per_key: f64,
    resident_mb: f64,
    /// From units to a snapshot, without the making of the units.
    bulk_load_seconds: f64,
    key_change: Quantiles,
    model_change: Quantiles,
    lookup_ns: f64,
    digest_ns: f64,
}

pub(crate) fn run(options: &Options) -> Result<ExitCode> {
    ensure!(
        options.tenants > 0 && options.keys > 0 && options.lookups > 0,
        "at least one of each"
    );
    let mut results = Results::create(&options.out, "keys")?;
    let population = Population::new(options.tenants, options.keys);
    // The tables that hashing and identifiers set up once belong to no tenant.
    population.tenants().take(100).for_each(drop);

    let own = rustix::process::getpid().as_raw_nonzero().get();
    let resident = || memory::resident(own);
    let before = resident();
    let (without_keys, tenants_seconds) = load(&Snapshot::default(), || population.tenants())?;
    let with_tenants = resident();
    let (loaded, keys_seconds) = load(&without_keys, || population.keys())?;
    drop(without_keys);
    let with_keys = resident();
    ensure!(
        loaded.key_count() as u64 == options.keys,
        "{} keys were loaded",
        loaded.key_count()
    );
    ensure!(
        loaded.organization_count() as u64 == options.tenants,
        "{} tenants",
        loaded.organization_count()
    );

    let published = Published::default();
    published.store(loaded);
    let key_change = changes(
        &published,
        (0..options.changes).map(|number| population.new_key(number)),
    )?;
    let model_change = changes(
        &published,
        (0..options.changes).map(|number| population.changed_model(number)),
    )?;
    let snapshot = published.load().context("a snapshot was stored")?;
    let (lookup_ns, digest_ns) = lookups(&snapshot, &population, options.lookups)?;

    let outcome = Outcome {
        tenants: options.tenants,
        keys: options.keys,
        bytes_per_tenant: with_tenants.saturating_sub(before) as f64 / options.tenants as f64,
        bytes_per_key: with_keys.saturating_sub(with_tenants) as f64 / options.keys as f64,
        resident_mb: with_keys as f64 / 1e6,
        bulk_load_seconds: tenants_seconds + keys_seconds,
        key_change,
        model_change,
        lookup_ns,
        digest_ns,
    };
    results.line(&outcome)?;
    outcome.print();
    say(format_args!("written to {}", results.path().display()));
    Ok(ExitCode::SUCCESS)
}

/// Applies all units at once, and tells the seconds beyond those that making the units takes.
fn load<I: Iterator<Item = Unit>>(onto: &Snapshot, units: impl Fn() -> I) -> Result<(Snapshot, f64)> {
    let start = Instant::now();
    units().for_each(|unit| drop(std::hint::black_box(unit)));
    let making = start.elapsed();
    let start = Instant::now();
    let applied = onto.apply(units());
    let seconds = start.elapsed().saturating_sub(making).as_secs_f64();
    ensure!(
        applied.problems.is_empty(),
        "the tenants do not compile: {:?}",
        applied.problems.first()
    );
    Ok((applied.snapshot, seconds))
}

/// Applies one unit after another as the follower does: a new snapshot is stored and the old one let go.
fn changes(published: &Published, units: impl Iterator<Item = Unit>) -> Result<Quantiles> {
    let mut times = Histogram::new();
    for unit in units {
        let start = Instant::now();
        let current = published.load().context("a snapshot was stored")?;
        let applied = current.apply([unit]);
        published.store(applied.snapshot);
        drop(current);
        times.record(start.elapsed());
        ensure!(
            applied.problems.is_empty(),
            "the change does not compile: {:?}",
            applied.problems
        );
    }
    Ok(times.quantiles())
}

/// Nanoseconds of a lookup among all keys in no order that helps a cache, and of the digest that comes before it.
fn lookups(snapshot: &Arc<Snapshot>, population: &Population, count: u64) -> Result<(f64, f64)> {
    let secrets: Vec<_> = population
        .sample(count)
        .map(|number| population.secret(number))
        .collect();
    let start = Instant::now();
    let digests: Vec<_> = secrets
        .iter()
        .map(|secret| gatewright_contract::Digest::of(secret.as_bytes()))
        .collect();
    let digesting = start.elapsed();
    let start = Instant::now();
    let found = digests
        .iter()
        .filter(|digest| matches!(snapshot.caller(digest), Some(Ok(_))))
        .count();
    let looking = start.elapsed();
    ensure!(found == digests.len(), "{found} of {} keys were found", digests.len());
    let each = |total: std::time::Duration| total.as_secs_f64() * 1e9 / count as f64;
    Ok((each(looking), each(digesting)))
}

impl Outcome {
    fn print(&self) {
        say(format_args!("\n{} keys in {} tenants", self.keys, self.tenants));
        say(format_args!("  a key            {:>10.0} bytes", self.bytes_per_key));
        say(format_args!(
            "  a tenant         {:>10.0} bytes without its keys",
            self.bytes_per_tenant
        ));
        say(format_args!(
            "  all              {:>10.0} MB resident",
            self.resident_mb
        ));
        say(format_args!("  loading all      {:>10.2} s", self.bulk_load_seconds));
        let change = |name, times: &Quantiles| {
            say(format_args!(
                "  {name:<17}{:>10.1} us p50, {:.1} us p99",
                times.p50, times.p99
            ));
        };
        change("changing a key", &self.key_change);
        change("changing a model", &self.model_change);
        say(format_args!(
            "  finding a key    {:>10.0} ns, after {:.0} ns for its digest",
            self.lookup_ns, self.digest_ns
        ));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_small_population_loads_changes_and_is_found() {
        let population = Population::new(3, 100);
        let (tenants, _) = load(&Snapshot::default(), || population.tenants()).expect("it compiles");
        let (loaded, _) = load(&tenants, || population.keys()).expect("it compiles");
        assert_eq!((loaded.organization_count(), loaded.key_count()), (3, 100));
        let published = Published::default();
        published.store(loaded);

        changes(&published, (0..7).map(|number| population.new_key(number))).expect("keys are added");
        changes(&published, (0..7).map(|number| population.changed_model(number))).expect("models change");

        let snapshot = published.load().expect("a snapshot");
        assert_eq!(snapshot.key_count(), 107);
        lookups(&snapshot, &population, 1000).expect("every key is found");
    }
}
