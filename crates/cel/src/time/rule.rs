//! How a time zone goes on for ever: the rule at the end of its table, such as `CET-1CEST,M3.5.0,M10.5.0/3`. Offsets in
//! it count to the west. Days are given by month, week and weekday; no zone gives them in another way.

use chrono::{DateTime, Datelike, NaiveDate, Weekday};

const HOUR: i32 = 3600;

/// When a change comes without a time.
const TWO_O_CLOCK: i32 = 2 * HOUR;

pub(super) fn seconds_east(rule: &str, at: i64) -> Option<i32> {
    let (west, rest) = seconds(name(rule)?)?;
    let standard = -west;
    if rest.is_empty() {
        return Some(standard);
    }
    let rest = name(rest)?;
    let (summer, rest) = if rest.starts_with(',') {
        (standard + HOUR, rest)
    } else {
        let (west, rest) = seconds(rest)?;
        (-west, rest)
    };
    let (begin, end) = rest.strip_prefix(',')?.split_once(',')?;
    let year = DateTime::from_timestamp(at.checked_add(standard.into())?, 0)?.year();
    let begin = change(begin, year)? - i64::from(standard);
    let end = change(end, year)? - i64::from(summer);
    let is_summer = if begin < end {
        (begin..end).contains(&at)
    } else {
        // In the south, summer goes over the end of a year.
        !(end..begin).contains(&at)
    };
    Some(if is_summer { summer } else { standard })
}

/// What follows the name of an offset: letters, or anything between angle brackets.
fn name(text: &str) -> Option<&str> {
    if let Some(inside) = text.strip_prefix('<') {
        return inside.split_once('>').map(|(_, rest)| rest);
    }
    let rest = text.trim_start_matches(|c: char| c.is_ascii_alphabetic());
    (rest.len() < text.len()).then_some(rest)
}

/// `[+-]hours[:minutes[:seconds]]`, and what follows.
fn seconds(text: &str) -> Option<(i32, &str)> {
    let (sign, unsigned) = match text.strip_prefix('-') {
        Some(unsigned) => (-1, unsigned),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    let length = unsigned.find(|c: char| !c.is_ascii_digit() && c != ':');
    let (digits, rest) = unsigned.split_at(length.unwrap_or(unsigned.len()));
    let mut total: i32 = 0;
    let mut unit = HOUR;
    for number in digits.split(':') {
        total += number.parse::<i32>().ok().filter(|number| *number < 1000)? * unit;
        unit /= 60;
    }
    Some((sign * total, rest))
}

/// `Mmonth.week.day[/time]` in a year, in seconds of the local time before the change.
fn change(text: &str, year: i32) -> Option<i64> {
    let (date, time) = match text.split_once('/') {
        Some((date, time)) => (date, seconds(time)?.0),
        None => (text, TWO_O_CLOCK),
    };
    let mut numbers = date
        .strip_prefix('M')?
        .split('.')
        .map(|number| number.parse::<u8>().ok());
    let (month, week, day) = (numbers.next()??, numbers.next()??, numbers.next()??);
    // Days count from Sunday; the fifth week is the last one that the month has.
    let weekday = Weekday::try_from((day + 6) % 7).ok()?;
    let of_week = |week| NaiveDate::from_weekday_of_month_opt(year, month.into(), weekday, week);
    let date = if week == 5 {
        of_week(5).or_else(|| of_week(4))
    } else {
        of_week(week)
    };
    let midnight = date?.and_time(chrono::NaiveTime::MIN).and_utc().timestamp();
    Some(midnight + i64::from(time))
}
