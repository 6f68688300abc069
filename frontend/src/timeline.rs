//! Usage over time, made ready for charts: buckets without requests filled in, sums split into bands. Pure.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use gatewright_types::api::{Totals, UsageSeries};

/// Consecutive buckets, oldest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Timeline {
    pub(crate) bucket_seconds: u32,
    pub(crate) starts: Vec<DateTime<Utc>>,
    pub(crate) totals: Vec<Totals>,
}

/// One part of a split sum, with a value per bucket.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Band {
    pub(crate) name: String,
    pub(crate) values: Vec<f64>,
    pub(crate) sum: f64,
}

impl Timeline {
    /// The series' buckets between two moments, those without requests included.
    pub(crate) fn new(series: &UsageSeries, from: DateTime<Utc>, to: DateTime<Utc>) -> Self {
        let starts = starts(series, from, to);
        let mut found: BTreeMap<DateTime<Utc>, &Totals> = BTreeMap::new();
        for bucket in series.buckets.iter().filter(|bucket| bucket.group.is_none()) {
            found.insert(bucket.start, &bucket.totals);
        }
        let totals = starts
            .iter()
            .map(|start| found.get(start).copied().cloned().unwrap_or_default())
            .collect();
        Self {
            bucket_seconds: series.bucket_seconds,
            starts,
            totals,
        }
    }

    pub(crate) fn values(&self, pick: impl Fn(&Totals) -> f64) -> Vec<f64> {
        self.totals.iter().map(pick).collect()
    }
}

/// The series split into its largest groups, largest first; the rest is one last band.
pub(crate) fn bands(
    series: &UsageSeries,
    starts: &[DateTime<Utc>],
    most: usize,
    pick: impl Fn(&Totals) -> f64,
) -> Vec<Band> {
    let mut bands: Vec<Band> = Vec::new();
    for bucket in &series.buckets {
        let name = bucket.group.as_deref().unwrap_or("none");
        let value = pick(&bucket.totals);
        let position = bands.iter().position(|band| band.name == name).unwrap_or_else(|| {
            bands.push(Band {
                name: name.to_owned(),
                values: vec![0.0; starts.len()],
                sum: 0.0,
            });
            bands.len() - 1
        });
        let Some(band) = bands.get_mut(position) else { continue };
        band.sum += value;
        let slot = starts
            .binary_search(&bucket.start)
            .ok()
            .and_then(|at| band.values.get_mut(at));
        if let Some(slot) = slot {
            *slot += value;
        }
    }
    bands.sort_by(|a, b| b.sum.total_cmp(&a.sum));
    if bands.len() > most + 1 {
        let rest = bands.split_off(most);
        let mut other = Band {
            name: format!("{} others", rest.len()),
            values: vec![0.0; starts.len()],
            sum: 0.0,
        };
        for band in rest {
            other.sum += band.sum;
            for (into, value) in other.values.iter_mut().zip(band.values) {
                *into += value;
            }
        }
        bands.push(other);
    }
    bands
}

/// Round values from zero to at least `highest`, for an axis of about four steps, each a multiple of `least`; zero for
/// no such limit.
pub(crate) fn ticks(highest: f64, least: f64) -> Vec<f64> {
    if highest <= 0.0 || !highest.is_finite() {
        return vec![0.0, 1.0];
    }
    let rough = highest / 4.0;
    let magnitude = 10_f64.powf(rough.log10().floor());
    let factors = [1.0, 2.0, 2.5, 5.0, 10.0];
    let step = factors
        .into_iter()
        .map(|factor| factor * magnitude)
        .find(|step| *step >= rough * 0.999 && (least == 0.0 || (step / least).fract() == 0.0))
        .unwrap_or(least.max(rough));
    let mut ticks = vec![0.0];
    while ticks.last().is_some_and(|last| *last < highest * 0.999) {
        ticks.push(ticks.len() as f64 * step);
    }
    ticks
}

fn starts(series: &UsageSeries, from: DateTime<Utc>, to: DateTime<Utc>) -> Vec<DateTime<Utc>> {
    let step = i64::from(series.bucket_seconds.max(1));
    // Buckets are counted from where the server began them, which need not be a multiple of their length.
    let phase = series
        .buckets
        .first()
        .map_or(0, |bucket| bucket.start.timestamp().rem_euclid(step));
    let first = (from.timestamp() - phase).div_euclid(step) * step + phase;
    let most = usize::from(u16::MAX);
    (0..)
        .map_while(|n| DateTime::from_timestamp(first, 0)?.checked_add_signed(TimeDelta::seconds(n * step)))
        .take_while(|start| *start < to)
        .take(most)
        .collect()
}

#[cfg(test)]
mod tests {
    use gatewright_types::Nanos;
    use gatewright_types::api::UsageBucket;

    use super::*;

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(seconds, 0).expect("a moment")
    }

    fn totals(requests: u64) -> Totals {
        Totals {
            requests,
            cost: Nanos::new(1),
            ..Totals::default()
        }
    }

    fn series(buckets: &[(i64, Option<&str>, u64)]) -> UsageSeries {
        let buckets = buckets.iter().map(|(start, group, requests)| UsageBucket {
            start: at(*start),
            group: group.map(str::to_owned),
            totals: totals(*requests),
        });
        UsageSeries {
            bucket_seconds: 60,
            totals: Totals::default(),
            buckets: buckets.collect(),
        }
    }

    #[test]
    fn silent_buckets_are_filled_in() {
        let series = series(&[(120, None, 5), (240, None, 7)]);

        let timeline = Timeline::new(&series, at(70), at(300));

        assert_eq!(timeline.starts, [at(60), at(120), at(180), at(240)]);
        assert_eq!(timeline.values(|totals| totals.requests as f64), [0.0, 5.0, 0.0, 7.0]);
    }

    #[test]
    fn the_largest_groups_stay_and_the_rest_is_one_band() {
        let series = series(&[
            (60, Some("a"), 1),
            (60, Some("b"), 9),
            (120, Some("c"), 3),
            (120, Some("d"), 2),
        ]);

        let bands = bands(&series, &[at(60), at(120)], 2, |totals| totals.requests as f64);

        let names: Vec<_> = bands.iter().map(|band| band.name.as_str()).collect();
        assert_eq!(names, ["b", "c", "2 others"]);
        assert_eq!(bands.last().map(|band| band.values.clone()), Some(vec![1.0, 2.0]));
    }

    #[test]
    fn ticks_are_round_and_reach_the_top() {
        assert_eq!(ticks(0.0, 0.0), [0.0, 1.0]);
        assert_eq!(ticks(7.0, 1.0), [0.0, 2.0, 4.0, 6.0, 8.0]);
        assert_eq!(ticks(100.0, 1.0), [0.0, 25.0, 50.0, 75.0, 100.0]);
        assert_eq!(ticks(10.0, 0.0), [0.0, 2.5, 5.0, 7.5, 10.0]);
        assert_eq!(ticks(10.0, 1.0), [0.0, 5.0, 10.0]);
        assert_eq!(ticks(2.0, 1.0), [0.0, 1.0, 2.0]);
    }
}
