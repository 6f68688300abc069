//! When a budget's window begins and ends, by the calendar of its time zone.

use chrono::{DateTime, Datelike as _, Days, Months, NaiveDate, NaiveDateTime, TimeDelta, Timelike as _, Utc};
use gatewright_cel::Zone;
use gatewright_types::api::BudgetWindow;

/// A window of a budget. What counts at its first moment counts in it, what counts at its end does not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Period {
    pub from: DateTime<Utc>,
    pub to: DateTime<Utc>,
}

/// A rolling window moves on by parts, of which so many make its length.
const ROLLING_PARTS: i64 = 60;

/// How a budget's spending is counted at a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Counting {
    /// From the beginning of a period to its end.
    Period(Period),
    /// In parts of a time, of which so many count, the one that runs included: the whole length, and less than a part more.
    Rolling { part: TimeDelta, parts: i64 },
    /// For ever.
    Total,
}

impl Counting {
    pub fn at(window: BudgetWindow, zone: Zone, now: DateTime<Utc>) -> Self {
        match window {
            BudgetWindow::Total => Self::Total,
            BudgetWindow::Rolling(length) => {
                let millis = i64::try_from(length.get().as_millis()).unwrap_or(i64::MAX);
                Self::Rolling {
                    part: TimeDelta::milliseconds((millis / ROLLING_PARTS).max(1)),
                    parts: ROLLING_PARTS + 1,
                }
            }
            BudgetWindow::Hour
            | BudgetWindow::Day
            | BudgetWindow::Week
            | BudgetWindow::Month
            | BudgetWindow::FiscalMonth { .. } => Self::Period(period(window, zone, now)),
        }
    }

    /// The first moment that counts.
    pub fn since(self, now: DateTime<Utc>) -> DateTime<Utc> {
        match self {
            Self::Period(period) => period.from,
            Self::Rolling { part, parts } => {
                let part = part.num_milliseconds();
                let running = now.timestamp_millis().div_euclid(part);
                DateTime::from_timestamp_millis((running - parts + 1) * part).unwrap_or(DateTime::UNIX_EPOCH)
            }
            Self::Total => DateTime::UNIX_EPOCH,
        }
    }

    /// The part that what happens at a moment counts in. A period is one part, and so is what counts for ever.
    pub fn part(self, at: DateTime<Utc>) -> i64 {
        match self {
            Self::Period(_) | Self::Total => 0,
            Self::Rolling { part, .. } => at.timestamp_millis().div_euclid(part.num_milliseconds().max(1)),
        }
    }

    /// The oldest part that counts.
    pub fn first_part(self, now: DateTime<Utc>) -> i64 {
        match self {
            Self::Period(_) | Self::Total => 0,
            Self::Rolling { parts, .. } => self.part(now) - parts + 1,
        }
    }

    /// When a part stops to count. Absent for what counts for ever.
    pub fn part_counts_until(self, part: i64) -> Option<DateTime<Utc>> {
        match self {
            Self::Period(period) => Some(period.to),
            Self::Total => None,
            Self::Rolling { part: length, parts } => {
                DateTime::from_timestamp_millis((part + parts) * length.num_milliseconds())
            }
        }
    }
}

impl Period {
    pub fn has(&self, at: DateTime<Utc>) -> bool {
        self.from <= at && at < self.to
    }

    /// The one right before.
    pub fn before(self, window: BudgetWindow, zone: Zone) -> Self {
        period(window, zone, self.from - TimeDelta::milliseconds(1))
    }
}

fn period(window: BudgetWindow, zone: Zone, now: DateTime<Utc>) -> Period {
    let local = zone
        .at(now)
        .map_or_else(|_| now.naive_utc(), |local| local.naive_local());
    let hour = local
        .with_minute(0)
        .and_then(|hour| hour.with_second(0)?.with_nanosecond(0))
        .unwrap_or(local);
    let today = local.date();
    let (from, to) = match window {
        // An hour is as long as an hour, also where clocks are put back in it.
        BudgetWindow::Hour | BudgetWindow::Rolling(_) | BudgetWindow::Total => {
            let past = local - hour;
            let from = now - past;
            return Period {
                from,
                to: from + TimeDelta::hours(1),
            };
        }
        BudgetWindow::Day => (today, today + Days::new(1)),
        BudgetWindow::Week => {
            let monday = today - Days::new(today.weekday().num_days_from_monday().into());
            (monday, monday + Days::new(7))
        }
        BudgetWindow::Month => month(today, 1),
        BudgetWindow::FiscalMonth { starts_on } => month(today, starts_on.into()),
    };
    Period {
        from: midnight(from, zone),
        to: midnight(to, zone),
    }
}

/// The month around a day that begins on that day of the calendar's months.
fn month(today: NaiveDate, starts_on: u32) -> (NaiveDate, NaiveDate) {
    let this = today.with_day(starts_on.clamp(1, 28)).unwrap_or(today);
    let from = match this <= today {
        true => this,
        false => this - Months::new(1),
    };
    (from, from + Months::new(1))
}

/// When a day begins somewhere: where its first hour is left out, that is later than midnight.
fn midnight(day: NaiveDate, zone: Zone) -> DateTime<Utc> {
    let wanted: NaiveDateTime = day.and_hms_opt(0, 0, 0).unwrap_or_default();
    let offset = |at: DateTime<Utc>| zone.at(at).map_or(0, |local| local.offset().local_minus_utc());
    let guess = wanted.and_utc();
    // The offset of the day before and that of the day after: the earlier moment that clocks show it at.
    let candidates = [guess - TimeDelta::days(1), guess + TimeDelta::days(1)]
        .map(|near| guess - TimeDelta::seconds(offset(near).into()));
    let shows = |at: &DateTime<Utc>| zone.at(*at).is_ok_and(|local| local.naive_local() == wanted);
    let shown = candidates.into_iter().filter(shows).min();
    // Left out: clocks go from before it to after it at the moment that the later offset makes of it.
    shown.unwrap_or_else(|| candidates.into_iter().max().unwrap_or(guess))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn time(text: &str) -> DateTime<Utc> {
        text.parse().expect(text)
    }

    fn of(window: BudgetWindow, zone: &str, now: &str) -> (String, String) {
        let zone = Zone::named(zone).expect(zone);
        match Counting::at(window, zone, time(now)) {
            Counting::Period(period) => (period.from.to_rfc3339(), period.to.to_rfc3339()),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn windows_begin_where_the_budgets_clock_says_so() {
        let check = |window, zone, now, from: &str, to: &str| {
            assert_eq!(
                of(window, zone, now),
                (from.to_owned(), to.to_owned()),
                "{window:?} {zone} {now}"
            );
        };
        let fiscal = BudgetWindow::FiscalMonth { starts_on: 26 };

        check(
            BudgetWindow::Day,
            "UTC",
            "2026-11-30T23:59:59.999Z",
            "2026-11-30T00:00:00+00:00",
            "2026-12-01T00:00:00+00:00",
        );
        check(
            BudgetWindow::Day,
            "Asia/Tokyo",
            "2026-11-30T15:00:00Z",
            "2026-11-30T15:00:00+00:00",
            "2026-12-01T15:00:00+00:00",
        );
        check(
            BudgetWindow::Week,
            "UTC",
            "2026-11-30T00:00:00Z",
            "2026-11-30T00:00:00+00:00",
            "2026-12-07T00:00:00+00:00",
        );
        check(
            BudgetWindow::Week,
            "UTC",
            "2026-11-29T23:00:00Z",
            "2026-11-23T00:00:00+00:00",
            "2026-11-30T00:00:00+00:00",
        );
        check(
            BudgetWindow::Month,
            "UTC",
            "2026-02-28T12:00:00Z",
            "2026-02-01T00:00:00+00:00",
            "2026-03-01T00:00:00+00:00",
        );
        check(
            fiscal,
            "UTC",
            "2026-01-25T12:00:00Z",
            "2025-12-26T00:00:00+00:00",
            "2026-01-26T00:00:00+00:00",
        );
        check(
            fiscal,
            "UTC",
            "2026-01-26T00:00:00Z",
            "2026-01-26T00:00:00+00:00",
            "2026-02-26T00:00:00+00:00",
        );
        check(
            BudgetWindow::Hour,
            "Asia/Kolkata",
            "2026-11-30T10:10:00Z",
            "2026-11-30T09:30:00+00:00",
            "2026-11-30T10:30:00+00:00",
        );
    }

    #[test]
    fn a_day_on_which_clocks_are_changed_is_as_long_as_it_is_there() {
        let (from, to) = of(BudgetWindow::Day, "Europe/Berlin", "2026-03-29T12:00:00Z");
        assert_eq!(time(&to) - time(&from), TimeDelta::hours(23));
        let (from, to) = of(BudgetWindow::Day, "Europe/Berlin", "2026-10-25T12:00:00Z");
        assert_eq!(time(&to) - time(&from), TimeDelta::hours(25));
        // In São Paulo clocks went from midnight to one.
        let (from, _) = of(BudgetWindow::Day, "America/Sao_Paulo", "2018-11-04T12:00:00Z");
        assert_eq!(from, "2018-11-04T03:00:00+00:00");
    }

    #[test]
    fn periods_follow_each_other_without_a_gap() {
        for (window, zone) in [
            (BudgetWindow::Hour, "Asia/Kathmandu"),
            (BudgetWindow::Day, "America/Sao_Paulo"),
            (BudgetWindow::Week, "Europe/Berlin"),
            (BudgetWindow::Month, "Pacific/Auckland"),
            (BudgetWindow::FiscalMonth { starts_on: 28 }, "Africa/Cairo"),
        ] {
            let zone = Zone::named(zone).expect(zone);
            let mut at = time("2027-12-31T12:34:56Z");
            for _ in 0..200 {
                let this = period(window, zone, at);
                let before = this.before(window, zone);
                assert!(this.from <= at && at < this.to, "{window:?} {at}");
                assert_eq!(before.to, this.from, "{window:?} {at}");
                at = before.from;
            }
        }
    }

    #[test]
    fn a_rolling_window_counts_its_whole_length_and_less_than_a_part_more() {
        let counting = Counting::at(
            BudgetWindow::Rolling("1h".parse().expect("a duration")),
            Zone::named("UTC").expect("UTC"),
            time("2026-11-30T10:00:30Z"),
        );

        let now = time("2026-11-30T10:00:30Z");
        assert_eq!(counting.since(now), time("2026-11-30T09:00:00Z"));
        let first = counting.first_part(now);
        assert_eq!(first, counting.part(time("2026-11-30T09:00:00Z")));
        assert_eq!(first - 1, counting.part(time("2026-11-30T08:59:59.999Z")));
        assert_eq!(counting.part_counts_until(first), Some(time("2026-11-30T10:01:00Z")));
    }
}
