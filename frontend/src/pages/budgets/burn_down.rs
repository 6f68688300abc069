//! What is left of a budget in the course of its window, and where that leads if spending goes on as it did lately. Pure.

use chrono::{DateTime, TimeDelta, Utc};

/// Spending in buckets of one length, oldest first, from the beginning of the window up to now.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Course {
    pub(super) from: DateTime<Utc>,
    pub(super) to: DateTime<Utc>,
    pub(super) now: DateTime<Utc>,
    pub(super) starts: Vec<DateTime<Utc>>,
    pub(super) bucket_seconds: u32,
    /// In dollars.
    pub(super) spent: Vec<f64>,
    pub(super) cap: f64,
    /// In dollars, as the budget itself has it: more than the buckets' sum by what is not summed up yet.
    pub(super) spent_in_all: f64,
}

/// Two lines over the buckets of the whole window; what is not a number is not drawn.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct BurnDown {
    pub(super) starts: Vec<DateTime<Utc>>,
    pub(super) left: Vec<f64>,
    pub(super) forecast: Vec<f64>,
    pub(super) pace: Option<Pace>,
}

/// How fast money goes lately.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Pace {
    /// What was looked at, up to now.
    pub(super) looked_at: TimeDelta,
    pub(super) dollars_an_hour: f64,
    /// What will have been spent when the window ends.
    pub(super) at_the_end: f64,
    /// When nothing will be left, before the window ends.
    pub(super) empty_at: Option<DateTime<Utc>>,
}

impl Course {
    pub(super) fn burn_down(&self) -> BurnDown {
        let pace = self.pace();
        let step = TimeDelta::seconds(i64::from(self.bucket_seconds.max(1)));
        let mut starts: Vec<_> = self.starts.iter().copied().filter(|start| *start <= self.now).collect();
        let summed: f64 = self.spent.iter().sum();
        // What was spent before there were buckets, or is not in one yet, belongs to no moment: it is gone from the beginning.
        let mut left = self.cap - (self.spent_in_all - summed).max(0.0);
        let mut course = Vec::with_capacity(starts.len());
        for spent in self.spent.iter().take(starts.len()) {
            left -= spent;
            course.push(left.max(0.0));
        }
        let known = course.len();
        while let Some(last) = starts.last().copied().filter(|last| *last + step < self.to) {
            starts.push(last + step);
        }
        course.resize(starts.len(), f64::NAN);
        let mut forecast = vec![f64::NAN; starts.len()];
        if let Some(pace) = pace {
            let ends = starts.iter().map(|start| *start + step);
            for (slot, end) in forecast.iter_mut().zip(ends).skip(known.saturating_sub(1)) {
                let hours = hours(end.min(self.to) - self.now).max(0.0);
                *slot = (self.cap - self.spent_in_all - hours * pace.dollars_an_hour).max(0.0);
            }
        }
        BurnDown {
            starts,
            left: course,
            forecast,
            pace,
        }
    }

    /// The last quarter of a window's length, or all of it that has been, if that is less. Nothing before a twentieth of
    /// the window is over: so little says nothing about the rest.
    fn pace(&self) -> Option<Pace> {
        let (length, elapsed) = (self.to - self.from, self.now - self.from);
        if length <= TimeDelta::zero() || elapsed < length / 20 {
            return None;
        }
        let looked_at = elapsed.min(length / 4);
        let since = self.now - looked_at;
        // Whole buckets only, and at least the last of them.
        let early = self.starts.iter().filter(|start| **start < since).count();
        let early = early.min(self.starts.len().saturating_sub(1));
        let looked_at = self.now - *self.starts.get(early)?;
        if looked_at <= TimeDelta::zero() {
            return None;
        }
        let dollars_an_hour = self.spent.iter().skip(early).sum::<f64>() / hours(looked_at);
        let rest = hours(self.to - self.now).max(0.0);
        let left = self.cap - self.spent_in_all;
        let hours_left = (dollars_an_hour > 0.0).then(|| left / dollars_an_hour);
        let empty_in = hours_left.filter(|hours| *hours > 0.0 && *hours < rest);
        Some(Pace {
            looked_at,
            dollars_an_hour,
            at_the_end: self.spent_in_all + rest * dollars_an_hour,
            empty_at: empty_in.map(|hours| self.now + seconds(hours * 3_600.0)),
        })
    }
}

fn hours(span: TimeDelta) -> f64 {
    span.num_seconds() as f64 / 3_600.0
}

fn seconds(seconds: f64) -> TimeDelta {
    TimeDelta::seconds(format!("{seconds:.0}").parse().unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: i64 = 3_600;

    fn at(hours: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(hours * HOUR, 0).expect("a moment")
    }

    /// A day in buckets of an hour, of which some are over.
    fn day(spent: &[f64]) -> Course {
        let over = i64::try_from(spent.len()).expect("few");
        Course {
            from: at(0),
            to: at(24),
            now: at(over),
            starts: (0..over).map(at).collect(),
            bucket_seconds: 3_600,
            spent: spent.to_vec(),
            cap: 24.0,
            spent_in_all: spent.iter().sum(),
        }
    }

    #[test]
    fn an_even_pace_leads_to_exactly_nothing_at_the_end() {
        let burn_down = day(&[1.0; 12]).burn_down();

        let pace = burn_down.pace.expect("half a day says something");
        assert_eq!((pace.dollars_an_hour, pace.at_the_end), (1.0, 24.0));
        assert_eq!((pace.looked_at, pace.empty_at), (TimeDelta::hours(6), None));
        assert_eq!(burn_down.starts.len(), 24);
        assert_eq!(burn_down.left.get(..3), Some(&[23.0, 22.0, 21.0][..]));
        assert_eq!(burn_down.forecast.last(), Some(&0.0));
        assert_eq!(
            burn_down.forecast.get(11),
            Some(&12.0),
            "the forecast begins where the line ends"
        );
    }

    #[test]
    fn what_was_spent_lately_counts_and_not_the_quiet_before() {
        let mut spent = [0.0; 12];
        spent[6..].fill(2.0);

        let pace = day(&spent).burn_down().pace.expect("a pace");

        assert_eq!(pace.dollars_an_hour, 2.0);
        assert_eq!(pace.empty_at, Some(at(18)));
    }

    #[test]
    fn too_little_time_makes_no_forecast() {
        let burn_down = day(&[5.0]).burn_down();

        assert_eq!(burn_down.pace, None);
        assert!(burn_down.forecast.iter().all(|value| value.is_nan()));
    }

    #[test]
    fn what_no_bucket_has_is_gone_from_the_beginning() {
        let course = Course {
            spent_in_all: 10.0,
            ..day(&[1.0, 1.0, 1.0])
        };

        assert_eq!(course.burn_down().left.get(..3), Some(&[16.0, 15.0, 14.0][..]));
    }
}
