//! Money as integers. Amounts are nano-dollars, prices are pico-dollars per unit; a request's cost is rounded once.

use std::fmt;
use std::str::FromStr;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Why a text is not an amount of money.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MoneyError {
    NotDecimal,
    TooManyDecimals { most: u32 },
    TooLarge,
    Negative,
}

impl fmt::Display for MoneyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotDecimal => f.write_str("expected a decimal number like \"12.50\""),
            Self::TooManyDecimals { most } => write!(f, "at most {most} digits may follow the decimal point"),
            Self::TooLarge => f.write_str("the amount is too large"),
            Self::Negative => f.write_str("the amount must not be negative"),
        }
    }
}

impl std::error::Error for MoneyError {}

/// An amount in nano-dollars.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Nanos(i64);

/// A price in pico-dollars per unit, written as dollars per million units (`"0.15"` is 150,000 pico-dollars each).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct UnitPrice(i64);

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum Currency {
    #[default]
    #[serde(rename = "USD")]
    Usd,
}

/// How an amount appears in the API.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Money {
    pub amount: Nanos,
    pub currency: Currency,
}

impl Nanos {
    pub const ZERO: Self = Self(0);
    const DECIMALS: u32 = 9;

    pub const fn new(nanos: i64) -> Self {
        Self(nanos)
    }

    pub const fn get(self) -> i64 {
        self.0
    }

    /// Rounds a sum of pico-dollars half up; sums beyond the range stop at its end.
    pub fn from_picos(picos: i128) -> Self {
        let nanos = picos.saturating_add(500).div_euclid(1_000);
        Self(i64::try_from(nanos).unwrap_or(if nanos < 0 { i64::MIN } else { i64::MAX }))
    }

    pub const fn saturating_sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }

    pub const fn saturating_add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl UnitPrice {
    const DECIMALS: u32 = 6;

    pub const fn from_picos(picos: i64) -> Self {
        Self(picos)
    }

    pub const fn picos(self) -> i64 {
        self.0
    }

    /// So many hundredths of it, to the nearest pico-dollar.
    #[must_use]
    pub fn at_percent(self, percent: u16) -> Self {
        let picos = (i128::from(self.0) * i128::from(percent) + 50).div_euclid(100);
        Self(i64::try_from(picos).unwrap_or(i64::MAX))
    }

    /// What `quantity` units cost, in pico-dollars, unrounded.
    pub fn times(self, quantity: u64) -> i128 {
        i128::from(self.0) * i128::from(quantity)
    }
}

impl From<Nanos> for Money {
    fn from(amount: Nanos) -> Self {
        Self {
            amount,
            currency: Currency::Usd,
        }
    }
}

/// Room for a sign, every digit an i64 has, a point and a zero before it.
type DecimalRoom = [u8; 24];

/// Writes digits from the right.
fn write_decimal(text: &mut DecimalRoom, value: i64, decimals: u32, at_least: usize) -> &str {
    let decimals = decimals as usize;
    text.fill(b'0');
    let mut start = text.len();
    let mut end = text.len();
    let mut rest = value.unsigned_abs();
    let mut digits = 0;
    while digits <= decimals || rest > 0 {
        if digits == decimals {
            start -= 1;
            put(text, start, b'.');
        }
        start -= 1;
        put(text, start, b'0' + u8::try_from(rest % 10).unwrap_or_default());
        rest /= 10;
        digits += 1;
    }
    let shortest = text.len() - decimals + at_least;
    while end > shortest && text.get(end - 1) == Some(&b'0') {
        end -= 1;
    }
    if value < 0 {
        start -= 1;
        put(text, start, b'-');
    }
    let written = text.get(start..end).unwrap_or_default();
    std::str::from_utf8(written).expect("digits are ASCII")
}

fn put(text: &mut [u8], at: usize, byte: u8) {
    if let Some(place) = text.get_mut(at) {
        *place = byte;
    }
}

fn parse_decimal(text: &str, decimals: u32) -> Result<i64, MoneyError> {
    if text.starts_with('-') {
        return Err(MoneyError::Negative);
    }
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
    if whole.is_empty() || !digits(whole) || !digits(fraction) || text.ends_with('.') {
        return Err(MoneyError::NotDecimal);
    }
    let fraction = fraction.trim_end_matches('0');
    if fraction.len() > decimals as usize {
        return Err(MoneyError::TooManyDecimals { most: decimals });
    }
    let padded = format!("{whole}{fraction:0<width$}", width = decimals as usize);
    padded.parse().map_err(|_| MoneyError::TooLarge)
}

macro_rules! decimal_text {
    ($name:ident, $least:literal, $about:literal) => {
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(write_decimal(&mut DecimalRoom::default(), self.0, Self::DECIMALS, $least))
            }
        }

        impl FromStr for $name {
            type Err = MoneyError;

            fn from_str(text: &str) -> Result<Self, MoneyError> {
                parse_decimal(text, Self::DECIMALS).map(Self)
            }
        }

        impl Serialize for $name {
            /// Formats that no person reads get the bare number.
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                if !serializer.is_human_readable() {
                    return self.0.serialize(serializer);
                }
                serializer.serialize_str(write_decimal(&mut DecimalRoom::default(), self.0, Self::DECIMALS, $least))
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                if !deserializer.is_human_readable() {
                    return i64::deserialize(deserializer).map(Self);
                }
                let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
                if let Some(magnitude) = text.strip_prefix('-') {
                    let value = parse_decimal(magnitude, Self::DECIMALS).map_err(D::Error::custom)?;
                    return Ok(Self(-value));
                }
                text.parse().map_err(D::Error::custom)
            }
        }

        #[cfg(feature = "schema")]
        impl schemars::JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({
                    "type": "string", "description": $about, "pattern": "^-?[0-9]+(\\.[0-9]+)?$"
                })
            }
        }
    };
}

decimal_text!(Nanos, 2, "An amount in US dollars, as a decimal number.");
decimal_text!(
    UnitPrice,
    2,
    "A price in US dollars per million units, as a decimal number."
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_read_and_print_as_plain_decimals() {
        let check = |text: &str, nanos: i64, printed: &str| {
            let amount: Nanos = text.parse().expect(text);
            assert_eq!((amount.get(), amount.to_string().as_str()), (nanos, printed));
        };

        check("0", 0, "0.00");
        check("12.5", 12_500_000_000, "12.50");
        check("0.000000001", 1, "0.000000001");
        check("1.230000000000", 1_230_000_000, "1.23");
        check("1000", 1_000_000_000_000, "1000.00");
        for extreme in [i64::MIN, -1, i64::MAX] {
            let printed = Nanos::new(extreme).to_string();
            let digits: String = printed.chars().filter(|c| *c != '.').collect();
            assert_eq!(digits.parse::<i64>(), Ok(extreme), "{printed}");
        }
    }

    #[test]
    fn what_is_no_amount_is_refused_with_its_reason() {
        let check = |text: &str, error| assert_eq!(text.parse::<Nanos>(), Err(error), "{text}");

        check("", MoneyError::NotDecimal);
        check("1e3", MoneyError::NotDecimal);
        check("1.", MoneyError::NotDecimal);
        check("-1", MoneyError::Negative);
        check("0.0000000001", MoneyError::TooManyDecimals { most: 9 });
        check("99999999999", MoneyError::TooLarge);
    }

    #[test]
    fn a_unit_price_is_dollars_per_million() {
        let price: UnitPrice = "0.15".parse().expect("a price");

        assert_eq!(price.picos(), 150_000);
        assert_eq!(Nanos::from_picos(price.times(1_000_000)).to_string(), "0.15");
    }

    #[test]
    fn rounding_happens_half_up_at_the_nano() {
        assert_eq!(Nanos::from_picos(499).get(), 0);
        assert_eq!(Nanos::from_picos(500).get(), 1);
        assert_eq!(Nanos::from_picos(i128::MAX / 2).get(), i64::MAX);
    }
}
