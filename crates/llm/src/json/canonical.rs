//! One form for texts that are the same JSON: white space, the order of members, and the spelling of strings and numbers
//! make no difference, and everything else does. Each value is written with its kind in front and, where it has no
//! certain length, its length, so that no two different values are written alike.

use super::{Kind, Slot, SyntaxError, Value};

/// Where a member is in the form: from its name's length on, from its value on, and its end.
type Written = (usize, usize, usize);

/// Appends the form of a value.
pub(crate) fn write(slot: Slot<'_, '_>, out: &mut Vec<u8>) -> Result<(), SyntaxError> {
    match slot.kind()? {
        Kind::Object => write_without(slot, &[], out),
        Kind::Array => {
            out.push(b'[');
            slot.elements(|element| write(element, out))?;
            out.push(b']');
            Ok(())
        }
        Kind::String | Kind::Number | Kind::True | Kind::False | Kind::Null => {
            leaf(&slot.pass()?, out);
            Ok(())
        }
    }
}

/// Of an object, without the members of these names.
pub(crate) fn write_without(slot: Slot<'_, '_>, without: &[&str], out: &mut Vec<u8>) -> Result<(), SyntaxError> {
    out.push(b'{');
    let mut written: Vec<Written> = Vec::new();
    slot.members(|name, value| {
        if without.iter().any(|other| other.as_bytes() == name) {
            return Ok(());
        }
        let start = out.len();
        framed(b's', name, out);
        let middle = out.len();
        write(value, out)?;
        written.push((start, middle, out.len()));
        Ok(())
    })?;
    in_order(&mut written, out);
    out.push(b'}');
    Ok(())
}

/// Puts members that were written one after the other in the order of their names. Those of one name stay as they are:
/// readers differ in which of them counts.
fn in_order(written: &mut [Written], out: &mut Vec<u8>) {
    let Some((first, ..)) = written.first().copied() else {
        return;
    };
    let name = |(start, middle, _): &Written| out.get(*start..*middle);
    if written.is_sorted_by_key(name) {
        return;
    }
    written.sort_by_key(name);
    let members = written.iter().filter_map(|(start, _, end)| out.get(*start..*end));
    let ordered = members.collect::<Vec<_>>().concat();
    out.truncate(first);
    out.extend_from_slice(&ordered);
}

fn leaf(value: &Value<'_>, out: &mut Vec<u8>) {
    match value.kind {
        Kind::True => out.push(b't'),
        Kind::False => out.push(b'f'),
        Kind::Number => number(value.text, out),
        Kind::String => match value.string() {
            Some(text) => framed(b's', text.as_bytes(), out),
            // An escape that is no character has no other spelling.
            None => framed(b'r', value.text, out),
        },
        Kind::Null | Kind::Array | Kind::Object => out.push(b'n'),
    }
}

/// A kind, a length, and as many bytes.
fn framed(kind: u8, bytes: &[u8], out: &mut Vec<u8>) {
    out.push(kind);
    out.extend_from_slice(&(bytes.len() as u64).to_be_bytes());
    out.extend_from_slice(bytes);
}

/// As digits without zeros around them, and the power of ten behind them: `1.0`, `10e-1` and `1` are one number.
fn number(text: &[u8], out: &mut Vec<u8>) {
    let (negative, unsigned) = match text {
        [b'-', rest @ ..] => (true, rest),
        rest => (false, rest),
    };
    let mantissa_len = unsigned.iter().position(|byte| matches!(byte, b'e' | b'E'));
    let (mantissa, exponent) = unsigned.split_at(mantissa_len.unwrap_or(unsigned.len()));
    let Some(mut exponent) = power(exponent) else {
        return framed(b'r', text, out);
    };
    let point = mantissa.iter().position(|byte| *byte == b'.');
    if let Some(point) = point {
        exponent -= (mantissa.len() - point - 1) as i64;
    }
    let mut digits: Vec<u8> = mantissa.iter().copied().filter(u8::is_ascii_digit).collect();
    while digits.last() == Some(&b'0') {
        digits.pop();
        exponent += 1;
    }
    let zeros = digits.iter().take_while(|digit| **digit == b'0').count();
    digits.drain(..zeros);
    if digits.is_empty() {
        return framed(b'd', b"0", out);
    }
    let sign: &[u8] = if negative { b"-" } else { b"" };
    framed(
        b'd',
        &[sign, &digits, b"e", exponent.to_string().as_bytes()].concat(),
        out,
    );
}

/// What an `e12` says; `None` beyond what any number needs.
fn power(exponent: &[u8]) -> Option<i64> {
    const LARGEST: i64 = 1 << 40;
    let Some((_, digits)) = exponent.split_first() else {
        return Some(0);
    };
    let power: i64 = std::str::from_utf8(digits).ok()?.parse().ok()?;
    (-LARGEST..=LARGEST).contains(&power).then_some(power)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value as Tree;

    use super::*;

    fn form(text: &str) -> Vec<u8> {
        let mut out = Vec::new();
        let value = Value::at(text.as_bytes(), 0..text.len()).expect("JSON");
        value.again(|slot| write(slot, &mut out)).expect("JSON");
        out
    }

    #[test]
    fn spelling_makes_no_difference() {
        for [one, other] in [
            ["1", "1.0"],
            ["1", "10e-1"],
            ["100", "1E2"],
            ["100", "1e+2"],
            ["0", "-0.00"],
            ["0.5", "5e-1"],
            ["-120.50", "-1205e-1"],
            [r#""aé""#, "\"\\u0061\\u00e9\""],
            [
                r#"{"a":1,"b":[true,null]}"#,
                "{ \"b\" : [ true , null ] ,\n \"\\u0061\" : 1.0 }",
            ],
        ] {
            assert_eq!(form(one), form(other), "{one} {other}");
        }
    }

    #[test]
    fn everything_else_does() {
        let texts = [
            "1",
            "-1",
            "10",
            "0.1",
            "1e400",
            "1e99999999999999999999",
            "0",
            "null",
            "true",
            "false",
            "\"\"",
            "\"1\"",
            "[]",
            "[1]",
            "[[1]]",
            "[1,1]",
            "[11]",
            "{}",
            r#"{"a":1}"#,
            r#"{"a":"1"}"#,
            r#"{"a":1,"a":2}"#,
            r#"{"a":2,"a":1}"#,
            r#"["a","b"]"#,
            r#"["ab"]"#,
            r#"["b","a"]"#,
            r#""\ud800""#,
            r#""\ud801""#,
            r#"{"a":{"b":1}}"#,
            r#"{"a":{},"b":1}"#,
        ];
        for (index, one) in texts.iter().enumerate() {
            for other in texts.iter().skip(index + 1) {
                assert_ne!(form(one), form(other), "{one} {other}");
            }
        }
    }

    fn tree() -> impl Strategy<Value = Tree> {
        let leaf = prop_oneof![
            Just(Tree::Null),
            any::<bool>().prop_map(Tree::from),
            any::<i32>().prop_map(Tree::from),
            (-1000_i32..1000).prop_map(|n| Tree::from(f64::from(n) / 8.0)),
            "[a-c\"\\\\\u{e9}]{0,3}".prop_map(Tree::from),
        ];
        leaf.prop_recursive(4, 24, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Tree::from),
                prop::collection::btree_map("[ab]{0,2}", inner, 0..4)
                    .prop_map(|members| Tree::Object(members.into_iter().collect())),
            ]
        })
    }

    /// The same value, its members in the opposite order and with white space around everything.
    fn turned(tree: &Tree) -> String {
        match tree {
            Tree::Array(elements) => {
                let elements: Vec<_> = elements.iter().map(turned).collect();
                format!("[ {} ]", elements.join(" ,\n"))
            }
            Tree::Object(members) => {
                let mut members: Vec<_> = members
                    .iter()
                    .map(|(name, value)| format!("{} : {}", Tree::from(name.as_str()), turned(value)))
                    .collect();
                members.reverse();
                format!("{{ {} }}", members.join(" , "))
            }
            leaf => leaf.to_string(),
        }
    }

    proptest! {
        #[test]
        fn two_values_have_one_form_exactly_when_they_are_equal(one in tree(), other in tree()) {
            prop_assert_eq!(form(&one.to_string()), form(&turned(&one)));
            prop_assert_eq!(form(&one.to_string()) == form(&other.to_string()), one == other);
        }
    }
}
