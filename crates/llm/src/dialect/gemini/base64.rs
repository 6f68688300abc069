//! Base64 as Google writes it: its SDKs send the alphabet made for addresses where other providers insist on the
//! standard one.

use std::borrow::Cow;

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

pub(super) fn encode(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let byte = |index: usize| u32::from(chunk.get(index).copied().unwrap_or_default());
        let group = byte(0) << 16 | byte(1) << 8 | byte(2);
        for place in 0..4 {
            let digit = (group >> (18 - 6 * place)) & 0x3f;
            let digit = ALPHABET.get(digit as usize).copied().unwrap_or_default();
            text.push(if place <= chunk.len() { char::from(digit) } else { '=' });
        }
    }
    text
}

/// Of either alphabet, padded or not; `None` for anything else.
pub(super) fn decode(text: &str) -> Option<Vec<u8>> {
    let text = text.trim_end_matches('=').as_bytes();
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3 + 2);
    for chunk in text.chunks(4) {
        let mut group: u32 = 0;
        for byte in chunk {
            group = group << 6 | value_of(*byte)?;
        }
        group <<= 6 * (4 - chunk.len());
        let [_, decoded @ ..] = group.to_be_bytes();
        let known = match chunk.len() {
            1 => return None,
            length => length - 1,
        };
        bytes.extend_from_slice(decoded.get(..known)?);
    }
    Some(bytes)
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

fn value_of(byte: u8) -> Option<u32> {
    let value = match byte {
        b'A'..=b'Z' => byte - b'A',
        b'a'..=b'z' => byte - b'a' + 26,
        b'0'..=b'9' => byte - b'0' + 52,
        b'+' | b'-' => 62,
        b'/' | b'_' => 63,
        _ => return None,
    };
    Some(value.into())
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
