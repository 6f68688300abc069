//! Numbers, money, spans and moments as people read them. Pure: the clock and the time zone are given.

use chrono::{DateTime, FixedOffset, Utc};
use gatewright_types::Nanos;

/// `1,234,567`.
pub(crate) fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (position, digit) in digits.chars().enumerate() {
        if position > 0 && (digits.len() - position).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `950`, `1.2k`, `34k`, `5.6M`: for axes and tiles.
pub(crate) fn compact(number: f64) -> String {
    let steps = [(1e12, "T"), (1e9, "B"), (1e6, "M"), (1e3, "k")];
    // What would round up to the next step belongs to it.
    let step = steps.into_iter().find(|(size, _)| number >= size * 0.9995);
    match step {
        None if number.fract().abs() < 1e-9 => format!("{number:.0}"),
        None => trimmed(format!("{number:.2}")),
        Some((size, mark)) => {
            let scaled = number / size;
            let digits = if scaled < 99.95 {
                format!("{scaled:.1}")
            } else {
                format!("{scaled:.0}")
            };
            trimmed(digits) + mark
        }
    }
}

/// An amount with as many digits as it takes to see it: `$1,204.50`, `$0.0375`, `$0.000012`.
pub(crate) fn money(amount: Nanos) -> String {
    let nanos = amount.get().unsigned_abs();
    let sign = if amount.get() < 0 { "-" } else { "" };
    if nanos == 0 {
        return "$0.00".to_owned();
    }
    if nanos >= 1_000_000_000 {
        let cents = (nanos + 5_000_000) / 10_000_000;
        return format!("{sign}${}.{:02}", count(cents / 100), cents % 100);
    }
    let fraction = format!("{nanos:09}");
    let leading = fraction.len() - fraction.trim_start_matches('0').len();
    let kept = fraction
        .get(..(leading + 3).min(9))
        .unwrap_or(&fraction)
        .trim_end_matches('0');
    format!("{sign}$0.{kept:0<2}")
}

/// How much more something is: `+$0.50`, `-$1.25`.
pub(crate) fn difference(amount: Nanos) -> String {
    let sign = if amount > Nanos::ZERO { "+" } else { "" };
    sign.to_owned() + &money(amount)
}

/// An amount of dollars on an axis or a tile: `$12k`, `$0.25`.
pub(crate) fn compact_money(dollars: f64) -> String {
    if dollars >= 1_000.0 {
        return format!("${}", compact(dollars));
    }
    if dollars >= 1.0 && dollars.fract() < 1e-9 {
        return format!("${dollars:.0}");
    }
    if dollars == 0.0 {
        return "$0".to_owned();
    }
    if dollars >= 0.095 {
        return format!("${dollars:.2}");
    }
    format!("${}", trimmed(format!("{dollars:.6}")))
}

/// `840 ms`, `1.24 s`, `2 min 5 s`.
pub(crate) fn millis(millis: u64) -> String {
    match millis {
        0..1_000 => format!("{millis} ms"),
        1_000..60_000 => format!("{}.{:02} s", millis / 1_000, millis % 1_000 / 10),
        _ => {
            let seconds = millis / 1_000;
            format!("{} min {} s", seconds / 60, seconds % 60)
        }
    }
}

/// A share of a whole: `0.4%`, `12%`; a dash when there is no whole.
pub(crate) fn share(part: u64, whole: u64) -> String {
    if whole == 0 {
        return "–".to_owned();
    }
    let percent = part as f64 / whole as f64 * 100.0;
    if percent > 0.0 && percent < 9.95 {
        format!("{percent:.1}%")
    } else {
        format!("{percent:.0}%")
    }
}

/// `just now`, `5 min ago`, `in 3 days`: the distance of a moment.
pub(crate) fn distance(moment: DateTime<Utc>, now: DateTime<Utc>) -> String {
    let seconds = (moment - now).num_seconds();
    let (amount, unit) = match seconds.unsigned_abs() {
        0..45 => return "just now".to_owned(),
        size @ 45..3_570 => ((size + 30) / 60, "min"),
        size @ 3_570..84_600 => ((size + 1_800) / 3_600, "h"),
        size => ((size + 43_200) / 86_400, "day"),
    };
    let plural = if unit == "day" && amount != 1 { "s" } else { "" };
    if seconds < 0 {
        format!("{amount} {unit}{plural} ago")
    } else {
        format!("in {amount} {unit}{plural}")
    }
}

/// `21 Nov 2026`.
pub(crate) fn day(moment: DateTime<FixedOffset>) -> String {
    moment.format("%-d %b %Y").to_string()
}

/// `21 Nov, 14:05:09`.
pub(crate) fn second(moment: DateTime<FixedOffset>) -> String {
    moment.format("%-d %b, %H:%M:%S").to_string()
}

/// `21 Nov 2026, 14:05:09 +01:00`: everything there is to know.
pub(crate) fn exact(moment: DateTime<FixedOffset>) -> String {
    moment.format("%-d %b %Y, %H:%M:%S %:z").to_string()
}

/// The start of a bucket on an axis: a time of day, or a day when buckets are that long.
pub(crate) fn axis(moment: DateTime<FixedOffset>, span_seconds: i64) -> String {
    let pattern = if span_seconds <= 2 * 86_400 { "%H:%M" } else { "%-d %b" };
    moment.format(pattern).to_string()
}

/// The start of a bucket in full: `Sat 21 Nov, 14:00`, or only the day for buckets of a day or more.
pub(crate) fn bucket(moment: DateTime<FixedOffset>, bucket_seconds: u32) -> String {
    let pattern = if bucket_seconds < 86_400 {
        "%a %-d %b, %H:%M"
    } else {
        "%a %-d %b"
    };
    moment.format(pattern).to_string()
}

/// What a program calls `some_thing`, for people: `Some thing`.
pub(crate) fn words(identifier: &str) -> String {
    heading(&identifier.replace(['_', '-'], " "))
}

/// The same text, as the beginning of a line.
pub(crate) fn heading(text: &str) -> String {
    let mut chars = text.chars();
    chars
        .next()
        .map(|first| first.to_uppercase().chain(chars).collect())
        .unwrap_or_default()
}

fn trimmed(text: String) -> String {
    if text.contains('.') {
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    } else {
        text
    }
}

/// Which price: a catalogue's version, or that it is the organization's own.
pub(crate) fn price_version(version: &str) -> String {
    let (which, us_only) = match version.strip_suffix("+us") {
        Some(which) => (which, true),
        None => (version, false),
    };
    let which = if which.parse::<gatewright_types::PriceId>().is_ok() {
        "own price"
    } else {
        which
    };
    match (which, us_only) {
        (which, false) => which.to_owned(),
        ("", true) => "within the US".to_owned(),
        (which, true) => format!("{which}, within the US"),
    }
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, Utc};
    use gatewright_types::Nanos;

    use super::{compact, compact_money, count, difference, distance, millis, money, share, words};

    #[test]
    fn counts_are_grouped_by_thousands() {
        for (number, text) in [(0, "0"), (999, "999"), (1_000, "1,000"), (1_234_567, "1,234,567")] {
            assert_eq!(count(number), text);
        }
    }

    #[test]
    fn compact_numbers_keep_what_matters() {
        let table = [
            (0.0, "0"),
            (950.0, "950"),
            (999.9, "1k"),
            (1_234.0, "1.2k"),
            (99_960.0, "100k"),
            (5_600_000.0, "5.6M"),
        ];
        for (number, text) in table {
            assert_eq!(compact(number), text, "{number}");
        }
    }

    #[test]
    fn small_amounts_of_money_do_not_round_to_nothing() {
        let table = [
            (0, "$0.00"),
            (12, "$0.000000012"),
            (37_500_000, "$0.0375"),
            (500_000_000, "$0.50"),
            (1_204_500_000_000, "$1,204.50"),
            (1_995_000_000, "$2.00"),
            (-2_500_000_000, "-$2.50"),
        ];
        for (nanos, text) in table {
            assert_eq!(money(Nanos::new(nanos)), text, "{nanos}");
        }
        assert_eq!(difference(Nanos::new(500_000_000)), "+$0.50");
        assert_eq!(difference(Nanos::new(-12)), "-$0.000000012");
        assert_eq!(difference(Nanos::ZERO), "$0.00");
        assert_eq!(compact_money(12_000.0), "$12k");
        assert_eq!(compact_money(0.05), "$0.05");
    }

    #[test]
    fn spans_and_shares_read_well() {
        for (span, text) in [(840, "840 ms"), (1_240, "1.24 s"), (125_000, "2 min 5 s")] {
            assert_eq!(millis(span), text);
        }
        for (part, text) in [(0, "0%"), (4, "0.4%"), (120, "12%")] {
            assert_eq!(share(part, 1_000), text);
        }
        assert_eq!(share(0, 0), "–");
        assert_eq!(words("input_cache_read"), "Input cache read");
    }

    #[test]
    fn distances_look_both_ways() {
        let now = DateTime::<Utc>::from_timestamp(1_000_000, 0).expect("a moment");
        let table = [
            (-10, "just now"),
            (-300, "5 min ago"),
            (-7_200, "2 h ago"),
            (-86_400, "1 day ago"),
            (259_200, "in 3 days"),
        ];
        for (offset, text) in table {
            let moment = now + chrono::TimeDelta::seconds(offset);
            assert_eq!(distance(moment, now), text);
        }
    }
}
