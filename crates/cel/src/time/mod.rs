//! Timestamps from year 1 to 9999, durations, and parts of them in a time zone.

mod rule;
mod zone;

use chrono::{DateTime, Datelike, SecondsFormat, TimeDelta, Timelike, Utc};

use crate::failed::Failed;

pub use zone::Zone;
pub(crate) use zone::names;

const NANOSECONDS: i128 = 1_000_000_000;

/// Fractions of a unit beyond a nanosecond are cut off.
const FRACTION_DIGITS: usize = 9;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Field {
    Year,
    /// From zero, as in the specification.
    Month,
    /// From one.
    Date,
    /// From zero.
    DayOfMonth,
    /// From zero, which is Sunday.
    DayOfWeek,
    /// From zero.
    DayOfYear,
    Hours,
    Minutes,
    Seconds,
    Milliseconds,
}

pub(crate) fn checked(time: Option<DateTime<Utc>>) -> Result<DateTime<Utc>, Failed> {
    time.filter(|time| (1..=9999).contains(&time.year()))
        .ok_or_else(|| Failed::range("the timestamp is not between the years 1 and 9999"))
}

pub(crate) fn checked_duration(duration: Option<TimeDelta>) -> Result<TimeDelta, Failed> {
    duration.ok_or_else(|| Failed::range("the duration is too long"))
}

pub(crate) fn parse(text: &str) -> Result<DateTime<Utc>, Failed> {
    let Ok(time) = DateTime::parse_from_rfc3339(text) else {
        return Err(Failed::conversion(format!(
            "{text:?} is no timestamp like 2026-01-31T08:00:00Z"
        )));
    };
    checked(Some(time.with_timezone(&Utc)))
}

pub(crate) fn print(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::AutoSi, true)
}

/// Numbers with units, such as `1h30m` or `-1.5s`.
pub(crate) fn parse_duration(text: &str) -> Result<TimeDelta, Failed> {
    let wrong = || Failed::conversion(format!("{text:?} is no duration like 90s, 1h30m or 250ms"));
    let (negative, unsigned) = match text.strip_prefix('-') {
        Some(unsigned) => (true, unsigned),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    if unsigned == "0" {
        return Ok(TimeDelta::zero());
    }
    let mut total: i128 = 0;
    let mut rest = unsigned;
    loop {
        let (amount, after) = amount(rest).ok_or_else(wrong)?;
        total = amount.checked_add(total).ok_or_else(wrong)?;
        if after.is_empty() {
            break;
        }
        rest = after;
    }
    let total = if negative { -total } else { total };
    let seconds = i64::try_from(total.div_euclid(NANOSECONDS)).ok();
    let nanoseconds = u32::try_from(total.rem_euclid(NANOSECONDS)).ok();
    checked_duration(
        seconds
            .zip(nanoseconds)
            .and_then(|(seconds, rest)| TimeDelta::new(seconds, rest)),
    )
}

/// One number with its unit, in nanoseconds, and what follows.
fn amount(text: &str) -> Option<(i128, &str)> {
    let (whole, rest) = digits(text);
    let (fraction, rest) = match rest.strip_prefix('.') {
        Some(rest) => digits(rest),
        None => ("", rest),
    };
    if whole.is_empty() && fraction.is_empty() {
        return None;
    }
    let length = rest
        .find(|c: char| c.is_ascii_digit() || c == '.')
        .unwrap_or(rest.len());
    let unit: i128 = match rest.get(..length)? {
        "h" => 3600 * NANOSECONDS,
        "m" => 60 * NANOSECONDS,
        "s" => NANOSECONDS,
        "ms" => 1_000_000,
        "us" | "µs" => 1_000,
        "ns" => 1,
        _ => return None,
    };
    let number = |digits: &str| {
        if digits.is_empty() {
            Some(0)
        } else {
            digits.parse::<u64>().ok().map(i128::from)
        }
    };
    let fraction = fraction.get(..FRACTION_DIGITS).unwrap_or(fraction);
    let scale = 10_i128.checked_pow(u32::try_from(fraction.len()).ok()?)?;
    let total = number(whole)?.checked_mul(unit)? + number(fraction)? * unit / scale;
    Some((total, rest.get(length..)?))
}

fn digits(text: &str) -> (&str, &str) {
    text.split_at(text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len()))
}

/// In seconds, as `duration()` reads it.
pub(crate) fn print_duration(duration: TimeDelta) -> String {
    let total = i128::from(duration.num_seconds()) * NANOSECONDS + i128::from(duration.subsec_nanos());
    let sign = if total < 0 { "-" } else { "" };
    let (seconds, rest) = (total.abs() / NANOSECONDS, total.abs() % NANOSECONDS);
    let fraction = format!(".{rest:09}");
    format!(
        "{sign}{seconds}{}s",
        fraction.trim_end_matches('0').trim_end_matches('.')
    )
}

impl Field {
    pub(crate) fn of(self, local: &(impl Datelike + Timelike)) -> i64 {
        match self {
            Self::Year => local.year().into(),
            Self::Month => local.month0().into(),
            Self::Date => local.day().into(),
            Self::DayOfMonth => local.day0().into(),
            Self::DayOfWeek => local.weekday().num_days_from_sunday().into(),
            Self::DayOfYear => local.ordinal0().into(),
            Self::Hours => local.hour().into(),
            Self::Minutes => local.minute().into(),
            Self::Seconds => local.second().into(),
            Self::Milliseconds => (local.nanosecond() / 1_000_000).into(),
        }
    }

    /// The whole duration in that unit, but for milliseconds, of which only those beyond full seconds count.
    pub(crate) fn of_duration(self, duration: TimeDelta) -> Option<i64> {
        match self {
            Self::Hours => Some(duration.num_hours()),
            Self::Minutes => Some(duration.num_minutes()),
            Self::Seconds => Some(duration.num_seconds()),
            Self::Milliseconds => Some((duration.subsec_nanos() / 1_000_000).into()),
            Self::Year | Self::Month | Self::Date | Self::DayOfMonth | Self::DayOfWeek | Self::DayOfYear => None,
        }
    }
}
