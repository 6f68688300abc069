//! Makes a provider's words fit to show and to log: one line, bounded, without what looks like a secret or an account.

/// Characters of the longest message that is kept.
const LONGEST: usize = 500;
const LONGEST_CODE: usize = 64;
/// Bytes of a foreign text that are looked at.
const LOOKED_AT: usize = 8 * 1024;
const REDACTED: &str = "[redacted]";

/// What keys, tokens and account identifiers begin with.
const PREFIXES: [&str; 16] = [
    "sk-", "sk_", "pk-", "rk-", "gw-", "gwt-", "AIza", "ya29.", "xai-", "gsk_", "hf_", "AKIA", "ASIA", "eyJ", "org-",
    "proj_",
];

pub(super) fn message(text: &str) -> String {
    bounded(text, LONGEST)
}

pub(super) fn code(text: &str) -> String {
    bounded(text, LONGEST_CODE)
}

/// A message from a body that is no JSON error: a page's title, or the first words of a text.
pub(super) fn from_other_body(body: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(body.get(..LOOKED_AT).unwrap_or(body));
    let text = text.trim();
    let words = match text.chars().next()? {
        // What was meant for machines is of no use to a reader.
        '{' | '[' => return None,
        '<' => {
            let lower = text.to_ascii_lowercase();
            let start = lower.find("<title>")? + "<title>".len();
            let length = lower.get(start..)?.find("</title>")?;
            message(text.get(start..start + length)?)
        }
        _ => message(text),
    };
    (!words.is_empty()).then_some(words)
}

/// Words joined by single spaces, as many characters as are allowed.
fn bounded(text: &str, longest: usize) -> String {
    let mut cleaned = String::with_capacity(text.len().min(longest));
    let mut characters = 0;
    let mut after_bearer = false;
    for word in text
        .split(|c: char| c.is_whitespace() || c.is_control())
        .filter(|word| !word.is_empty())
    {
        if characters > 0 {
            cleaned.push(' ');
            characters += 1;
        }
        for piece in pieces(word) {
            let shown = if is_secret(piece, after_bearer) {
                REDACTED
            } else {
                piece
            };
            for c in shown.chars() {
                if characters >= longest {
                    cleaned.truncate(cleaned.trim_end().len());
                    return cleaned;
                }
                cleaned.push(c);
                characters += 1;
            }
        }
        after_bearer = word.eq_ignore_ascii_case("bearer");
    }
    cleaned
}

/// Splits a word into runs of the characters that secrets are made of, and what stands between.
fn pieces(word: &str) -> impl Iterator<Item = &str> {
    let mut rest = word;
    std::iter::from_fn(move || {
        let first = rest.chars().next()?;
        let end = rest.find(|c| of_secrets(c) != of_secrets(first)).unwrap_or(rest.len());
        let (piece, after) = rest.split_at(end);
        rest = after;
        Some(piece)
    })
}

fn of_secrets(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '*' | '.' | '+' | '/' | '~')
}

fn is_secret(piece: &str, after_bearer: bool) -> bool {
    let looks_minted = |text: &str| text.len() >= 10 && text.bytes().any(|b| b.is_ascii_digit() || b == b'*');
    let prefixed = PREFIXES.iter().any(|prefix| piece.starts_with(prefix)) && looks_minted(piece);
    let bearer = after_bearer && piece.len() >= 8;
    // Model names and dates are long too, but are broken up by punctuation.
    let dense = piece.split(|c: char| !c.is_ascii_alphanumeric()).any(|run| {
        run.len() >= 24 && run.bytes().any(|b| b.is_ascii_digit()) && run.bytes().any(|b| b.is_ascii_alphabetic())
    });
    prefixed || bearer || dense
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_and_accounts_are_removed() {
        let check = |text: &str, expected: &str| assert_eq!(message(text), expected);

        check(
            "Incorrect API key provided: sk-pro**********3f2A.",
            "Incorrect API key provided: [redacted]",
        );
        check("key=\"sk-ant-api03-abc123\", sorry", "key=\"[redacted]\", sorry");
        check(
            "limit for gpt-4o in organization org-Ab3dEf9h1 on tokens",
            "limit for gpt-4o in organization [redacted] on tokens",
        );
        check(
            "got Authorization: Bearer letmeinplease",
            "got Authorization: Bearer [redacted]",
        );
        check(
            "token 0123456789abcdef01234567 is unknown",
            "token [redacted] is unknown",
        );
        check(
            "no anthropic.claude-sonnet-4-5-20250929-v1:0 here",
            "no anthropic.claude-sonnet-4-5-20250929-v1:0 here",
        );
        check(
            "an org-wide or sk-less text, and/or more",
            "an org-wide or sk-less text, and/or more",
        );
    }

    #[test]
    fn a_message_is_one_line_of_at_most_five_hundred_characters() {
        assert_eq!(message(" a\r\n\tb\u{0}c  é "), "a b c é");
        assert_eq!(message(&"é".repeat(600)).chars().count(), 500);
        assert_eq!(message(&"abcd ".repeat(200)).len(), 499);
    }

    #[test]
    fn pages_and_plain_texts_give_their_first_words() {
        assert_eq!(
            from_other_body(b"<!DOCTYPE html><html><HEAD><Title>502 Bad\nGateway</title>").as_deref(),
            Some("502 Bad Gateway")
        );
        assert_eq!(
            from_other_body(b"upstream connect error\n").as_deref(),
            Some("upstream connect error")
        );
        for body in [
            &b""[..],
            b"  ",
            b"<html></html>",
            b"<title>",
            b"{\"a\":1}",
            b"[1",
            b"\x19\0",
        ] {
            assert_eq!(from_other_body(body), None);
        }
    }
}
