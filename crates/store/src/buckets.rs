//! Buckets of time, and the sums they are made of.

use crate::rollup::{DAY, HOUR, MINUTE};

const MOST_BUCKETS: i64 = 200;
/// Longer spans are read by the hour.
const LONGEST_BY_THE_MINUTE: i64 = 12 * HOUR;
/// Longer spans are read by the day.
const LONGEST_BY_THE_HOUR: i64 = 14 * DAY;
const MINUTES_KEPT: i64 = 14 * DAY;
const HOURS_KEPT: i64 = 400 * DAY;
/// Lengths that read well on an axis.
const LENGTHS: [i64; 13] = [
    MINUTE,
    5 * MINUTE,
    10 * MINUTE,
    15 * MINUTE,
    30 * MINUTE,
    HOUR,
    2 * HOUR,
    3 * HOUR,
    6 * HOUR,
    12 * HOUR,
    DAY,
    2 * DAY,
    7 * DAY,
];

/// Whole buckets that cover a span, in seconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Buckets {
    pub(crate) first: i64,
    pub(crate) end: i64,
    pub(crate) length: i64,
}

/// Sums of a grain, in seconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Piece {
    pub(crate) granularity: i64,
    pub(crate) first: i64,
    pub(crate) end: i64,
}

/// How long sums of a granularity are kept, in seconds.
pub(crate) const fn kept_for(granularity: i64) -> i64 {
    match granularity {
        MINUTE => MINUTES_KEPT,
        HOUR => HOURS_KEPT,
        _ => i64::MAX,
    }
}

impl Buckets {
    pub(crate) fn of(from: i64, to: i64, now: i64) -> Self {
        let from = from.max(0);
        let to = to.max(from);
        let shortest = match now.saturating_sub(from) {
            age if age > HOURS_KEPT - DAY => DAY,
            age if age > MINUTES_KEPT - DAY => HOUR,
            _ => MINUTE,
        };
        let shortest = match to - from {
            span if span > LONGEST_BY_THE_HOUR => DAY,
            span if span > LONGEST_BY_THE_MINUTE => shortest.max(HOUR),
            _ => shortest,
        };
        let fits = |length: &i64| *length >= shortest && Self::covering(from, to, *length).count() <= MOST_BUCKETS;
        let length = LENGTHS.into_iter().find(fits);
        let days = (to - from) / (DAY * (MOST_BUCKETS - 1)) + 1;
        Self::covering(from, to, length.unwrap_or(days * DAY))
    }

    fn covering(from: i64, to: i64, length: i64) -> Self {
        let first = from - from.rem_euclid(length);
        let end = if to > from {
            to + (length - to.rem_euclid(length)) % length
        } else {
            first
        };
        Self { first, end, length }
    }

    fn count(self) -> i64 {
        (self.end - self.first) / self.length
    }

    /// The grain of the rollups these buckets are made of.
    pub(crate) fn granularity(self) -> i64 {
        match self.length {
            length if length % DAY == 0 => DAY,
            length if length % HOUR == 0 => HOUR,
            _ => MINUTE,
        }
    }

    /// Whole sums of the next coarser grain, and what is before and after them.
    pub(crate) fn pieces(self) -> Vec<Piece> {
        let Self { first, end, .. } = self;
        let granularity = self.granularity();
        let piece = |granularity, first, end| Piece {
            granularity,
            first,
            end,
        };
        let coarser = match granularity {
            MINUTE => HOUR,
            HOUR => DAY,
            _ => return vec![piece(granularity, first, end)],
        };
        let from = first + (coarser - first.rem_euclid(coarser)) % coarser;
        let to = end - end.rem_euclid(coarser);
        if from >= to {
            return vec![piece(granularity, first, end)];
        }
        let mut pieces = vec![
            piece(granularity, first, from),
            piece(coarser, from, to),
            piece(granularity, to, end),
        ];
        pieces.retain(|piece| piece.first < piece.end);
        pieces
    }

    /// All of it, at its own grain.
    pub(crate) fn whole(self) -> Piece {
        Piece {
            granularity: self.granularity(),
            first: self.first,
            end: self.end,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_800_000_000;

    #[test]
    fn the_finest_buckets_that_fit_and_are_kept_are_chosen() {
        let check = |span, age, length| {
            let buckets = Buckets::of(NOW - age, NOW - age + span, NOW);
            assert_eq!(buckets.length, length, "span {span}, age {age}");
            assert!(
                buckets.count() <= MOST_BUCKETS,
                "span {span}: {} buckets",
                buckets.count()
            );
        };

        check(HOUR, HOUR, MINUTE);
        check(12 * HOUR, 12 * HOUR, 5 * MINUTE);
        check(DAY, DAY, HOUR);
        check(7 * DAY, 7 * DAY, HOUR);
        check(14 * DAY, 14 * DAY, 2 * HOUR);
        check(30 * DAY, 30 * DAY, DAY);
        check(365 * DAY, 365 * DAY, 2 * DAY);
        check(HOUR, 30 * DAY, HOUR);
        check(HOUR, 500 * DAY, DAY);
        check(NOW, NOW, 105 * DAY);
    }

    #[test]
    fn a_span_is_made_of_the_coarsest_sums_that_fit_without_a_gap() {
        let check = |from, to, expected: &[(i64, i64, i64)]| {
            let pieces = Buckets::of(from, to, NOW).pieces();
            let pieces: Vec<_> = pieces
                .into_iter()
                .map(|piece| (piece.granularity, piece.first, piece.end))
                .collect();
            assert_eq!(pieces, expected, "{from} to {to}");
        };
        // In the middle of a day, and on the hour.
        let noon = NOW - NOW.rem_euclid(DAY) + 12 * HOUR;

        check(
            noon - 30 * MINUTE,
            noon - MINUTE,
            &[(MINUTE, noon - 30 * MINUTE, noon - MINUTE)],
        );
        check(
            noon - 90 * MINUTE,
            noon + 90 * MINUTE,
            &[
                (MINUTE, noon - 90 * MINUTE, noon - HOUR),
                (HOUR, noon - HOUR, noon + HOUR),
                (MINUTE, noon + HOUR, noon + 90 * MINUTE),
            ],
        );
        check(
            noon - 3 * DAY,
            noon,
            &[
                (HOUR, noon - 3 * DAY, noon - 3 * DAY + 12 * HOUR),
                (DAY, noon - 3 * DAY + 12 * HOUR, noon - 12 * HOUR),
                (HOUR, noon - 12 * HOUR, noon),
            ],
        );
        check(
            noon - 60 * DAY,
            noon,
            &[(DAY, noon - 60 * DAY - 12 * HOUR, noon + 12 * HOUR)],
        );
    }

    #[test]
    fn buckets_cover_the_span_and_start_on_whole_lengths() {
        let buckets = Buckets::of(NOW + 61, NOW + 119, NOW);
        let nothing = Buckets::of(NOW, NOW, NOW);

        assert_eq!((buckets.first, buckets.end), (NOW + 60, NOW + 120));
        assert_eq!(nothing.count(), 0);
    }
}
