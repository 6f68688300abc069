//! Decimal numbers as JSON writes them, read as integers: money never goes by way of binary fractions.

/// The number times ten to the power of `places`, to the nearest whole one; `None` when it is none, or too large.
pub(crate) fn shifted(number: &str, places: i32) -> Option<i128> {
    let (mantissa, exponent) = number.split_once(['e', 'E']).unwrap_or((number, "0"));
    let exponent: i32 = exponent.parse().ok()?;
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits: i128 = format!("{whole}{fraction}").parse().ok()?;
    let shift = i32::try_from(fraction.len())
        .ok()
        .and_then(|fraction| exponent.checked_sub(fraction))?
        .checked_add(places)?;
    if digits == 0 {
        return Some(0);
    }
    let scale = 10_i128.checked_pow(shift.unsigned_abs());
    if shift >= 0 {
        return digits.checked_mul(scale?);
    }
    // A scale beyond the range leaves nothing of any number within it.
    Some(scale.map_or(0, |scale| (digits + scale / 2).div_euclid(scale)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_shifted_and_rounded() {
        assert_eq!(shifted("1.5e-07", 12), Some(150_000));
        assert_eq!(shifted("37756000", -1), Some(3_775_600));
        assert_eq!(shifted("5e-13", 12), Some(1));
        assert_eq!(shifted("4e-13", 12), Some(0));
        assert_eq!(shifted("1e-99", 12), Some(0));
        assert_eq!(shifted("0e99", 12), Some(0));
        assert_eq!(shifted("-2", 0), Some(-2));
        assert_eq!(shifted("1e40", 12), None);
        assert_eq!(shifted("", 0), None);
        assert_eq!(shifted("true", 0), None);
    }
}
