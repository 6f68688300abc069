//! Quotes and escapes of texts.

use crate::problem::Mistake;

/// Whether a text begins here: the length of its prefix with the first quote, whether it is raw, whether it is bytes.
pub(crate) fn opening(rest: &str) -> Option<(usize, bool, bool)> {
    let prefix = rest.bytes().take(3).position(|byte| matches!(byte, b'"' | b'\''))?;
    let (raw, bytes) = match rest.get(..prefix)?.to_ascii_lowercase().as_str() {
        "" => (false, false),
        "r" => (true, false),
        "b" => (false, true),
        "br" => (true, true),
        _ => return None,
    };
    Some((prefix + 1, raw, bytes))
}

/// What an escape stands for.
enum Escaped {
    Character(char),
    /// By number, up to 255: a character in a text, an octet in bytes.
    Octet(u8),
}

pub(crate) fn unescape_text(inside: &str, offset: u32) -> Result<String, Mistake> {
    let mut text = String::with_capacity(inside.len());
    unescape(inside, offset, |part| match part {
        Escaped::Character(character) => text.push(character),
        Escaped::Octet(octet) => text.push(char::from(octet)),
    })?;
    Ok(text)
}

pub(crate) fn unescape_bytes(inside: &str, offset: u32) -> Result<Vec<u8>, Mistake> {
    let mut bytes = Vec::with_capacity(inside.len());
    unescape(inside, offset, |part| match part {
        Escaped::Character(character) => bytes.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes()),
        Escaped::Octet(octet) => bytes.push(octet),
    })?;
    Ok(bytes)
}

fn unescape(inside: &str, offset: u32, mut push: impl FnMut(Escaped)) -> Result<(), Mistake> {
    let mut rest = inside;
    while let Some(first) = rest.chars().next() {
        if first != '\\' {
            push(Escaped::Character(first));
            rest = rest.get(first.len_utf8()..).unwrap_or_default();
            continue;
        }
        let Some((part, length)) = escape(rest) else {
            let at = u32::try_from(inside.len() - rest.len()).unwrap_or(u32::MAX);
            let shown: String = rest.chars().take(2).collect();
            return Err(Mistake::new(
                offset.saturating_add(at),
                format!("{shown} is no escape; a backslash itself is \\\\, or write the text as r\"…\""),
            ));
        };
        push(part);
        rest = rest.get(length..).unwrap_or_default();
    }
    Ok(())
}

/// The escape that a text begins with, and its length.
fn escape(rest: &str) -> Option<(Escaped, usize)> {
    let code = rest.chars().nth(1)?;
    let simple = match code {
        '\\' | '?' | '"' | '\'' | '`' => code,
        'a' => '\u{7}',
        'b' => '\u{8}',
        'f' => '\u{c}',
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        'v' => '\u{b}',
        'x' | 'X' => return Some((Escaped::Octet(u8::try_from(digits(rest, 2, 2, 16)?).ok()?), 4)),
        '0'..='3' => return Some((Escaped::Octet(u8::try_from(digits(rest, 1, 3, 8)?).ok()?), 4)),
        'u' => return Some((Escaped::Character(char::from_u32(digits(rest, 2, 4, 16)?)?), 6)),
        'U' => return Some((Escaped::Character(char::from_u32(digits(rest, 2, 8, 16)?)?), 10)),
        _ => return None,
    };
    Some((Escaped::Character(simple), 2))
}

fn digits(rest: &str, from: usize, count: usize, radix: u32) -> Option<u32> {
    let digits = rest.get(from..from + count)?;
    if !digits.chars().all(|c| c.is_digit(radix)) {
        return None;
    }
    u32::from_str_radix(digits, radix).ok()
}
