//! Model identifiers in addresses. Model names come from people, so this is the only way one gets into a path.

use std::borrow::Cow;
use std::fmt::Write as _;

use thiserror::Error;

/// The identifier would change the address it is put into, however it is encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("the model identifier cannot be part of an address")]
pub struct UnsafeModelId;

/// The identifier as one segment of a path. Colons stay, as Bedrock wants them; everything else that is not unreserved
/// is percent-encoded. Segments of dots are refused: many clients resolve them encoded or not.
pub fn path_segment(model: &str) -> Result<Cow<'_, str>, UnsafeModelId> {
    if matches!(model, "" | "." | "..") {
        return Err(UnsafeModelId);
    }
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~:".contains(&byte);
    if model.bytes().all(plain) {
        return Ok(Cow::Borrowed(model));
    }
    let mut segment = String::with_capacity(model.len() + 16);
    for byte in model.bytes() {
        if plain(byte) {
            segment.push(char::from(byte));
        } else {
            write!(segment, "%{byte:02X}").expect("writing to a string cannot fail");
        }
    }
    Ok(Cow::Owned(segment))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ordinary_identifiers_stay_readable() {
        let check = |model: &str, segment: &str| assert_eq!(path_segment(model).as_deref(), Ok(segment));

        check("gpt-4o-mini", "gpt-4o-mini");
        check(
            "anthropic.claude-sonnet-4-5-20250929-v1:0",
            "anthropic.claude-sonnet-4-5-20250929-v1:0",
        );
        check("meta-llama/Llama-3.3-70B", "meta-llama%2FLlama-3.3-70B");
        check("arn:aws:bedrock:eu-west-1::m/x", "arn:aws:bedrock:eu-west-1::m%2Fx");
    }

    #[test]
    fn no_identifier_leaves_its_segment() {
        let attacks = [
            "../admin",
            "..\\admin",
            "a/../../b",
            "/etc/passwd",
            "//evil.test/x",
            "http://evil.test",
            "a?key=1",
            "a#b",
            "a%2f..%2fb",
            "%2e%2e",
            "..;/x",
            "a\r\nHost: evil",
            "a b",
            "a\u{0}b",
            "é",
            "\u{202e}x",
            "a@evil.test",
            "..%00",
            "...",
            "a;b",
            "a&b=c",
        ];
        for model in attacks {
            let segment = path_segment(model).expect(model);
            assert!(
                segment
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || b"-._~:%".contains(&b)),
                "{segment}"
            );
            assert!(segment != "." && segment != "..", "{segment}");
            assert_eq!(decoded(&segment), model);
        }
        for model in ["", ".", ".."] {
            assert_eq!(path_segment(model), Err(UnsafeModelId));
        }
    }

    fn decoded(segment: &str) -> String {
        let mut bytes = Vec::new();
        let mut rest = segment;
        while let Some((before, after)) = rest.split_once('%') {
            bytes.extend_from_slice(before.as_bytes());
            let (code, after) = after.split_at(2);
            bytes.push(u8::from_str_radix(code, 16).expect("two digits"));
            rest = after;
        }
        bytes.extend_from_slice(rest.as_bytes());
        String::from_utf8(bytes).expect("text")
    }
}
