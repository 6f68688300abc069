//! Takes the text out of `{"input":"…"}` while it comes in pieces, cut anywhere. What a model writes instead of that is
//! held until its end and made the best of: nothing of it is lost.

use serde_json::Value;

use super::INPUT;

/// What stands before the text, with any space between.
const BEFORE: [&str; 4] = ["{", "\"input\"", ":", "\""];

#[derive(Debug, Default)]
pub(crate) struct Unwrapping {
    state: State,
    /// What was not told yet: the beginning, an escape without its end, or everything.
    held: String,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum State {
    #[default]
    Before,
    Within,
    After,
    /// It is something else.
    Other,
}

enum Prefix {
    /// The text begins here.
    Whole(usize),
    Unfinished,
    Other,
}

impl Unwrapping {
    /// What the next piece brings of the text.
    pub(crate) fn push(&mut self, piece: &str) -> String {
        match self.state {
            State::After => return String::new(),
            State::Before | State::Within | State::Other => self.held.push_str(piece),
        }
        if self.state == State::Before {
            match prefix(&self.held) {
                Prefix::Whole(at) => {
                    self.held.drain(..at);
                    self.state = State::Within;
                }
                Prefix::Unfinished => {}
                Prefix::Other => self.state = State::Other,
            }
        }
        match self.state {
            State::Within => self.read(),
            State::Before | State::After | State::Other => String::new(),
        }
    }

    /// What is left, when no more pieces come.
    pub(crate) fn finish(self) -> String {
        match self.state {
            State::Other => whole(self.held),
            State::Before | State::Within | State::After => String::new(),
        }
    }

    /// What is held of the text, up to its end or to an escape that is not whole.
    fn read(&mut self) -> String {
        let held = std::mem::take(&mut self.held);
        let mut text = String::new();
        let mut rest = held.as_str();
        while let Some(at) = rest.find(['"', '\\']) {
            let (plain, special) = rest.split_at(at);
            text.push_str(plain);
            if special.starts_with('"') {
                self.state = State::After;
                return text;
            }
            match escape(special) {
                Some((c, length)) => {
                    text.push(c);
                    rest = special.get(length..).unwrap_or_default();
                }
                None => {
                    self.held = special.to_owned();
                    return text;
                }
            }
        }
        text.push_str(rest);
        text
    }
}

fn prefix(held: &str) -> Prefix {
    let mut rest = held;
    for token in BEFORE {
        rest = rest.trim_ascii_start();
        match rest.strip_prefix(token) {
            Some(after) => rest = after,
            None if token.starts_with(rest) => return Prefix::Unfinished,
            None => return Prefix::Other,
        }
    }
    Prefix::Whole(held.len() - rest.len())
}

/// The character that an escape stands for and the length of the escape; `None` when more of it has to come.
fn escape(text: &str) -> Option<(char, usize)> {
    let c = match text.as_bytes().get(1)? {
        b'n' => '\n',
        b't' => '\t',
        b'r' => '\r',
        b'b' => '\u{8}',
        b'f' => '\u{c}',
        b'u' => return unicode(text),
        // A quote, a slash, or a backslash that a model forgot to escape itself.
        _ => {
            let c = text.chars().nth(1)?;
            return Some((c, 1 + c.len_utf8()));
        }
    };
    Some((c, 2))
}

/// Half a pair without its other half is no character.
fn unicode(text: &str) -> Option<(char, usize)> {
    const ONE: usize = 6;
    let Some(first) = unit(text)? else {
        return Some((char::REPLACEMENT_CHARACTER, 2));
    };
    if !(0xd800..0xdc00).contains(&first) {
        let c = char::from_u32(first).unwrap_or(char::REPLACEMENT_CHARACTER);
        return Some((c, ONE));
    }
    let lone = Some((char::REPLACEMENT_CHARACTER, ONE));
    let after = text.get(ONE..)?;
    if !"\\u".starts_with(after.get(..2).unwrap_or(after)) {
        return lone;
    }
    match unit(after)? {
        Some(second) if (0xdc00..0xe000).contains(&second) => {
            let pair = 0x1_0000 + ((first - 0xd800) << 10) + (second - 0xdc00);
            Some((char::from_u32(pair).unwrap_or(char::REPLACEMENT_CHARACTER), 2 * ONE))
        }
        _ => lone,
    }
}

/// Of `\uXXXX`; `None` when it is not whole, `Some(None)` when it is none.
fn unit(text: &str) -> Option<Option<u32>> {
    let bytes = text.as_bytes();
    let digits = bytes.get(2..6.min(bytes.len()))?;
    if !digits.iter().all(u8::is_ascii_hexdigit) {
        return Some(None);
    }
    let digits = std::str::from_utf8(digits).ok().filter(|digits| digits.len() == 4)?;
    Some(u32::from_str_radix(digits, 16).ok())
}

/// The text in whatever came instead.
fn whole(held: String) -> String {
    match serde_json::from_str(&held) {
        Ok(Value::String(text)) => text,
        Ok(Value::Object(mut members)) => match members.remove(INPUT) {
            Some(Value::String(text)) => text,
            Some(_) => held,
            None if members.is_empty() => String::new(),
            None => held,
        },
        Ok(_) | Err(_) => held,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unwrapped<'a>(pieces: impl IntoIterator<Item = &'a str>) -> String {
        let mut unwrapping = Unwrapping::default();
        let mut text: String = pieces.into_iter().map(|piece| unwrapping.push(piece)).collect();
        text.push_str(&unwrapping.finish());
        text
    }

    #[test]
    fn every_cut_gives_the_same_text() {
        let check = |arguments: &str, expected: &str| {
            assert_eq!(unwrapped([arguments]), expected, "{arguments}");
            for (at, _) in arguments.char_indices() {
                let (first, second) = arguments.split_at(at);
                assert_eq!(unwrapped([first, second]), expected, "{first} | {second}");
            }
            let single: Vec<_> = arguments.split_inclusive(|_| true).collect();
            assert_eq!(unwrapped(single), expected, "{arguments}");
        };

        check(r#"{"input":"ls -l"}"#, "ls -l");
        check(" { \"input\" :\n\"a\\n\\\"b\\\"\\t\\\\ \\/ é\" } ", "a\n\"b\"\t\\ / é");
        check(r#"{"input":"\ud83d\ude00\u00e9\u0041"}"#, "😀éA");
        check(r#"{"input":"\ud83d!\udead\u00zz"}"#, "\u{fffd}!\u{fffd}\u{fffd}00zz");
        check(r#"{"input":"\ud83d\n"}"#, "\u{fffd}\n");
        check(r#"{"input":""}"#, "");
        check(r#"{"input":"cut he"#, "cut he");
        check(r#"{"input":"more","other":"x"}"#, "more");
        check(r#"{"other":"x","input":"later"}"#, "later");
        check(r#""just a text""#, "just a text");
        check("*** Begin Patch", "*** Begin Patch");
        check(r#"{"patch":"x"}"#, r#"{"patch":"x"}"#);
        check(r#"{"input":7}"#, r#"{"input":7}"#);
        check("{}", "");
        check("", "");
    }

    #[test]
    fn a_text_is_told_as_it_comes() {
        let mut unwrapping = Unwrapping::default();

        let told = [r#"{"inp"#, r#"ut":"on"#, r#"e\"#, r#"ntwo"#, r#"" }"#].map(|piece| unwrapping.push(piece));

        assert_eq!(told, ["", "on", "e", "\ntwo", ""]);
    }
}
