//! What a plain text means, and which characters a text can have as they are.

/// The JSON of a plain text; a text of its own where it is no number, word or nothing. None for numbers JSON has not.
pub(super) fn json(text: &str) -> Option<String> {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Some("null".to_owned()),
        "true" | "True" | "TRUE" => return Some("true".to_owned()),
        "false" | "False" | "FALSE" => return Some("false".to_owned()),
        ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" | "-.inf" | "-.Inf" | "-.INF" | ".nan" | ".NaN"
        | ".NAN" => return None,
        _ => {}
    }
    Some(number(text).unwrap_or_else(|| json_text(text)))
}

/// Whether a text is one when it is written plainly.
pub(super) fn is_text(text: &str) -> bool {
    json(text).is_some_and(|json| json.starts_with('"'))
}

pub(super) fn json_text(text: &str) -> String {
    serde_json::to_string(text).expect("texts are always written")
}

fn number(text: &str) -> Option<String> {
    let (sign, digits) = match text.as_bytes().first()? {
        b'-' => ("-", &text[1..]),
        b'+' => ("", &text[1..]),
        b'0'..=b'9' | b'.' => ("", text),
        _ => return None,
    };
    let first = digits.as_bytes().first()?;
    let has_leading_zero = digits.len() > 1 && digits.bytes().all(|byte| byte.is_ascii_digit()) && *first == b'0';
    if has_leading_zero || !matches!(first, b'0'..=b'9' | b'.') {
        return None;
    }
    let radix = match digits.get(..2) {
        Some("0x") => 16,
        Some("0o") => 8,
        Some("0b") => 2,
        _ => 10,
    };
    let bare = if radix == 10 { digits } else { &digits[2..] };
    if !bare.starts_with(['+', '-'])
        && let Ok(whole) = u64::from_str_radix(bare, radix)
        && (sign.is_empty() || whole <= i64::MIN.unsigned_abs())
    {
        let sign = if whole == 0 { "" } else { sign };
        return Some(format!("{sign}{whole}"));
    }
    let float: f64 = format!("{sign}{digits}").parse().ok()?;
    serde_json::Number::from_f64(float).map(|number| number.to_string())
}

/// Whether YAML takes a character as it is, in the middle of a line.
pub(super) fn is_printable(char: char) -> bool {
    !matches!(char, '\0'..='\u{8}' | '\n'..='\u{1f}' | '\u{7f}'..='\u{9f}' | '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}')
}
