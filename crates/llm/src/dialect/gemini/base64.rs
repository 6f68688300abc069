//! Base64 as Google writes it: its SDKs send the alphabet made for addresses where other providers insist on the
//! standard one.

use std::borrow::Cow;

use base64::Engine as _;
use base64::alphabet::STANDARD as ALPHABET;
use base64::engine::general_purpose::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &ALPHABET,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

pub(super) fn encode(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

/// Of either alphabet, padded or not; `None` for anything else.
pub(super) fn decode(text: &str) -> Option<Vec<u8>> {
    LENIENT.decode(&*standard(text.into())).ok()
}

/// The same in the standard alphabet, padded.
pub(super) fn standard(text: Cow<'_, str>) -> Box<str> {
    if !text.contains(['-', '_']) && text.len().is_multiple_of(4) {
        return text.into();
    }
    let mut standard = text.replace('-', "+").replace('_', "/");
    while !standard.len().is_multiple_of(4) {
        standard.push('=');
    }
    standard.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_come_back_from_either_alphabet() {
        for (bytes, text) in [
            (&b""[..], ""),
            (b"f", "Zg=="),
            (b"fo", "Zm8="),
            (b"foo", "Zm9v"),
            (b"\xfb\xff\xbf\xfe", "+/+//g=="),
        ] {
            assert_eq!(encode(bytes), text);
            assert_eq!(decode(text).as_deref(), Some(bytes));
        }
        assert_eq!(decode("-_-__g").as_deref(), Some(&b"\xfb\xff\xbf\xfe"[..]));
        assert_eq!(decode("a:b="), None);
        assert_eq!(decode("abcde"), None);
    }

    #[test]
    fn data_is_made_standard() {
        assert_eq!(&*standard("-_-__g".into()), "+/+//g==");
        assert_eq!(&*standard("Zm9v".into()), "Zm9v");
    }
}
