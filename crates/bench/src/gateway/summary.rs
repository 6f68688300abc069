//! The medians of all passes, with ratios to nginx and to the bare forwarder, as lines of JSON and as a table.

use serde::Serialize;

use super::measure::Run;
use super::targets::Name;
use super::workload::Workload;
use crate::accounting::Precision;
use crate::results::say;

#[derive(Debug, Clone, Serialize)]
pub(crate) struct Row {
    summary: Workload,
    target: Name,
    good: bool,
    /// The least precise of the runs.
    precision: Precision,
    cpu_us: f64,
    cpu_us_least: f64,
    cpu_us_most: f64,
    cpu_us_settled: Option<f64>,
    times_nginx: Option<f64>,
    times_floor: Option<f64>,
    requests_per_second: f64,
    p50_us: f64,
    p99_us: f64,
    first_byte_p50_us: f64,
    /// Beyond what the mock alone takes in the same pass; only where the rate is fixed.
    added_p50_us: Option<f64>,
    added_p99_us: Option<f64>,
    peak_mb: f64,
    /// For each stream while all are open.
    stream_kb: Option<f64>,
    /// What nodes asked of Redis for a thousand requests.
    redis_calls: Option<f64>,
}

pub(crate) fn rows(runs: &[Run]) -> Vec<Row> {
    let workloads = Workload::ALL.into_iter();
    workloads
        .flat_map(|workload| Name::ALL.into_iter().filter_map(move |name| row(runs, workload, name)))
        .collect()
}

fn row(runs: &[Run], workload: Workload, target: Name) -> Option<Row> {
    let of = |name| {
        runs.iter()
            .filter(move |run| run.workload == workload && run.target == name)
    };
    let figure = |name, read: fn(&Run) -> f64| median(of(name).map(read));
    let cpu = |name| figure(name, |run| run.cpu_us);
    let mine = |read: fn(&Run) -> f64| figure(target, read);
    let added = |read: fn(&Run) -> f64| {
        let differences = of(target).filter_map(|run| {
            let direct = of(Name::Direct).find(|direct| direct.pass == run.pass)?;
            Some(read(run) - read(direct))
        });
        workload.has_rate().then(|| median(differences)).flatten()
    };
    let cpu_us = cpu(target)?;
    let each = || of(target).map(|run| run.cpu_us);
    Some(Row {
        summary: workload,
        target,
        good: of(target).all(Run::is_good),
        precision: of(target).map(|run| run.precision).max()?,
        cpu_us,
        cpu_us_least: each().fold(f64::INFINITY, f64::min),
        cpu_us_most: each().fold(0.0, f64::max),
        cpu_us_settled: median(of(target).filter_map(|run| run.cpu_us_settled)),
        times_nginx: cpu(Name::Nginx).map(|nginx| cpu_us / nginx),
        times_floor: cpu(Name::Floor).map(|floor| cpu_us / floor),
        requests_per_second: mine(|run| run.report.good as f64 / run.report.seconds)?,
        p50_us: mine(|run| run.report.latency.p50)?,
        p99_us: mine(|run| run.report.latency.p99)?,
        first_byte_p50_us: mine(|run| run.report.first_byte.p50)?,
        added_p50_us: added(|run| run.report.latency.p50),
        added_p99_us: added(|run| run.report.latency.p99),
        peak_mb: mine(|run| run.peak_bytes as f64 / 1e6)?,
        stream_kb: median(of(target).filter_map(|run| run.stream_bytes)).map(|bytes| bytes / 1e3),
        redis_calls: median(of(target).filter_map(|run| Some(run.redis?.calls))),
    })
}

/// The middle value; the mean of both middle ones when their number is even.
fn median(values: impl Iterator<Item = f64>) -> Option<f64> {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    let upper = *values.get(values.len() / 2)?;
    let lower = *values.get((values.len() - 1) / 2)?;
    Some(f64::midpoint(lower, upper))
}

pub(crate) fn print(runs: &[Run]) {
    let rows = rows(runs);
    for workload in Workload::ALL {
        let mut rows = rows.iter().filter(|row| row.summary == workload).peekable();
        if rows.peek().is_none() {
            continue;
        }
        say(format_args!("\n{}", workload.title()));
        say(format_args!(
            "{:<12}{:>10} {:>17}{:>9}{:>8}{:>8}{:>9}{:>10}{:>10}{:>9}{:>9}{:>8}{:>10}{:>12}",
            "",
            "CPU us",
            "(least-most)",
            "settled",
            "x nginx",
            "x floor",
            "req/s",
            "p50 us",
            "p99 us",
            "+p50 us",
            "+p99 us",
            "MB",
            "kB/stream",
            "Redis/1,000",
        ));
        for row in rows {
            let about = match row.precision {
                Precision::Nanoseconds => "",
                Precision::Ticks => "~",
            };
            let spread = format!("{about}({:.1}-{:.1})", row.cpu_us_least, row.cpu_us_most);
            say(format_args!(
                "{:<12}{:>10.1} {:>17}{:>9}{:>8}{:>8}{:>9.0}{:>10.0}{:>10.0}{:>9}{:>9}{:>8.1}{:>10}{:>12}{}",
                row.target.title(),
                row.cpu_us,
                spread,
                optional(row.cpu_us_settled, 1),
                optional(row.times_nginx, 2),
                optional(row.times_floor, 2),
                row.requests_per_second,
                row.p50_us,
                row.p99_us,
                optional(row.added_p50_us, 0),
                optional(row.added_p99_us, 0),
                row.peak_mb,
                optional(row.stream_kb, 1),
                optional(row.redis_calls, 1),
                if row.good { "" } else { "  ERRORS" },
            ));
        }
    }
}

fn optional(value: Option<f64>, decimals: usize) -> String {
    value.map_or_else(|| "-".to_owned(), |value| format!("{value:.decimals$}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::load::Report;

    fn run(target: Name, pass: u32, cpu_us: f64, p50: f64) -> Run {
        let mut report = Report {
            good: 10,
            seconds: 2.0,
            ..Report::default()
        };
        report.latency.p50 = p50;
        Run {
            pass,
            target,
            workload: Workload::Rate,
            cpu_us,
            precision: Precision::Nanoseconds,
            cpu_us_settled: None,
            peak_bytes: 3_000_000,
            stream_bytes: Some(40_000.0),
            report,
            records: None,
            redis: None,
        }
    }

    #[test]
    fn one_imprecise_run_makes_the_row_imprecise() {
        let mut runs = [run(Name::Nginx, 1, 20.0, 150.0), run(Name::Nginx, 2, 20.0, 150.0)];
        runs[1].precision = Precision::Ticks;

        let nginx = row(&runs, Workload::Rate, Name::Nginx).expect("it was measured");

        assert_eq!(nginx.precision, Precision::Ticks);
    }

    #[test]
    fn ratios_are_of_medians_and_added_latency_is_within_a_pass() {
        let runs = [
            run(Name::Direct, 1, 8.0, 100.0),
            run(Name::Nginx, 1, 20.0, 150.0),
            run(Name::Nginx, 2, 20.0, 150.0),
            run(Name::Floor, 1, 30.0, 250.0),
            run(Name::Floor, 2, 50.0, 350.0),
            run(Name::Direct, 2, 8.0, 190.0),
        ];

        let floor = row(&runs, Workload::Rate, Name::Floor).expect("it was measured");

        assert_eq!(
            (floor.cpu_us, floor.times_nginx, floor.times_floor),
            (40.0, Some(2.0), Some(1.0))
        );
        assert_eq!(floor.added_p50_us, Some(155.0));
        assert_eq!((floor.requests_per_second, floor.peak_mb), (5.0, 3.0));
        assert_eq!(floor.stream_kb, Some(40.0));
        assert!(row(&runs, Workload::Rate, Name::Gatewright).is_none());
    }
}
