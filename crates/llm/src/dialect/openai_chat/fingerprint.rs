//! Short identifiers made from longer ones: always the same from the same, so that a call and its result keep matching.

const LETTERS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const LENGTH: usize = 9;

/// Nine letters and digits.
pub(super) fn of(text: &str) -> String {
    // FNV-1a: it need not be secret, only spread well.
    let mut hash = text.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    let mut letters = String::with_capacity(LENGTH);
    for _ in 0..LENGTH {
        let letter = usize::try_from(hash % 62).ok().and_then(|place| LETTERS.get(place));
        letters.push(char::from(letter.copied().unwrap_or(b'0')));
        hash /= 62;
    }
    letters
}

/// Whether a text could have been made here.
pub(super) fn is_one(text: &str) -> bool {
    text.len() == LENGTH && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fingerprint_has_nine_letters_and_tells_texts_apart() {
        let made: Vec<_> = ["", "call_1", "call_2", "toolu_01A09q90qw90lq917835lq9"].map(of).into();

        assert!(made.iter().all(|text| is_one(text)));
        let mut unique = made.clone();
        unique.sort();
        unique.dedup();
        assert_eq!(unique.len(), made.len());
    }
}
