//! Passes over JSON text without building anything: strings, numbers and values of any depth, without recursion.

use std::borrow::Cow;

use super::{Kind, SyntaxError, Value};

/// Levels of nesting, the outermost included. Deeper text is refused: recursive readers behind us must not be felled.
const DEEPEST: u32 = 128;

#[derive(Debug)]
pub(super) struct Reader<'a> {
    pub(super) text: &'a [u8],
    pub(super) at: usize,
}

/// Whether a string is written with escapes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Spelling {
    Plain,
    Escaped,
}

impl<'a> Reader<'a> {
    pub(super) fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    fn slice(&self, from: usize, to: usize) -> &'a [u8] {
        self.text.get(from..to).unwrap_or_default()
    }

    pub(super) fn wrong(&self, problem: &'static str) -> SyntaxError {
        let problem = if self.at >= self.text.len() {
            "the text ends too early"
        } else {
            problem
        };
        SyntaxError { at: self.at, problem }
    }

    pub(super) fn skip_space(&mut self) {
        while self.peek().is_some_and(is_space) {
            self.at += 1;
        }
    }

    /// A key, its colon and the space around; leaves the reader at the value.
    pub(super) fn key(&mut self) -> Result<Cow<'a, [u8]>, SyntaxError> {
        let start = self.at;
        let spelling = self.quoted_key()?;
        let quoted = self.slice(start, self.at);
        self.colon()?;
        if spelling == Spelling::Escaped
            && let Ok(resolved) = serde_json::from_slice::<String>(quoted)
        {
            return Ok(Cow::Owned(resolved.into_bytes()));
        }
        Ok(Cow::Borrowed(inside_quotes(quoted)))
    }

    fn quoted_key(&mut self) -> Result<Spelling, SyntaxError> {
        if self.peek() != Some(b'"') {
            return Err(self.wrong("a key in double quotes was expected"));
        }
        self.pass_string()
    }

    fn colon(&mut self) -> Result<(), SyntaxError> {
        self.skip_space();
        if self.peek() != Some(b':') {
            return Err(self.wrong("':' was expected"));
        }
        self.at += 1;
        self.skip_space();
        Ok(())
    }

    /// The kind of the value that begins here.
    pub(super) fn kind(&self) -> Result<Kind, SyntaxError> {
        match self.peek() {
            Some(b'{') => Ok(Kind::Object),
            Some(b'[') => Ok(Kind::Array),
            Some(b'"') => Ok(Kind::String),
            Some(b't') => Ok(Kind::True),
            Some(b'f') => Ok(Kind::False),
            Some(b'n') => Ok(Kind::Null),
            Some(b'-' | b'0'..=b'9') => Ok(Kind::Number),
            _ => Err(self.wrong("a value was expected")),
        }
    }

    pub(super) fn value(&mut self, above: u32) -> Result<Value<'a>, SyntaxError> {
        let start = self.at;
        let kind = self.kind()?;
        self.pass_value(above)?;
        Ok(Value {
            kind,
            text: self.slice(start, self.at),
            start,
        })
    }

    /// Passes a value of any depth without recursion: what is open is one bit per level.
    fn pass_value(&mut self, above: u32) -> Result<(), SyntaxError> {
        let mut objects: u128 = 0;
        let mut open: u32 = 0;
        loop {
            match self.peek() {
                Some(brace @ (b'{' | b'[')) => {
                    let is_object = brace == b'{';
                    if !self.opens(above + open, if is_object { b'}' } else { b']' })? {
                        open += 1;
                        objects = objects << 1 | u128::from(is_object);
                        if is_object {
                            self.pass_key()?;
                        }
                        continue;
                    }
                }
                Some(b'"') => {
                    self.pass_string()?;
                }
                Some(b'-' | b'0'..=b'9') => self.pass_number()?,
                Some(b't') => self.pass_word(b"true")?,
                Some(b'f') => self.pass_word(b"false")?,
                Some(b'n') => self.pass_word(b"null")?,
                _ => return Err(self.wrong("a value was expected")),
            }
            loop {
                if open == 0 {
                    return Ok(());
                }
                let in_object = objects & 1 == 1;
                if !self.closes(if in_object { b'}' } else { b']' })? {
                    if in_object {
                        self.pass_key()?;
                    }
                    break;
                }
                objects >>= 1;
                open -= 1;
            }
        }
    }

    /// Passes an opening brace or bracket; when nothing is inside, the closing one, too, and says so.
    pub(super) fn opens(&mut self, above: u32, closing: u8) -> Result<bool, SyntaxError> {
        if above >= DEEPEST {
            return Err(self.wrong("it is nested deeper than 128 levels"));
        }
        self.at += 1;
        self.skip_space();
        let empty = self.peek() == Some(closing);
        self.at += usize::from(empty);
        Ok(empty)
    }

    /// Passes what stands after an element or a member: a comma, or the end, of which it says that it was there.
    pub(super) fn closes(&mut self, closing: u8) -> Result<bool, SyntaxError> {
        self.skip_space();
        let ends = match self.peek() {
            Some(b',') => false,
            Some(byte) if byte == closing => true,
            _ if closing == b'}' => return Err(self.wrong("',' or '}' was expected")),
            _ => return Err(self.wrong("',' or ']' was expected")),
        };
        self.at += 1;
        if !ends {
            self.skip_space();
        }
        Ok(ends)
    }

    fn pass_key(&mut self) -> Result<(), SyntaxError> {
        self.quoted_key()?;
        self.colon()
    }

    fn pass_string(&mut self) -> Result<Spelling, SyntaxError> {
        self.at += 1;
        let mut spelling = Spelling::Plain;
        loop {
            self.at += plain_prefix(self.text.get(self.at..).unwrap_or_default());
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(spelling);
                }
                Some(b'\\') => {
                    spelling = Spelling::Escaped;
                    self.pass_escape()?;
                }
                _ => return Err(self.wrong("a control character in a string must be written as an escape")),
            }
        }
    }

    fn pass_escape(&mut self) -> Result<(), SyntaxError> {
        self.at += 1;
        match self.peek() {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => self.at += 1,
            Some(b'u') => {
                self.at += 1;
                for _ in 0..4 {
                    if !self.peek().is_some_and(|byte| byte.is_ascii_hexdigit()) {
                        return Err(self.wrong("'\\u' must be followed by four hexadecimal digits"));
                    }
                    self.at += 1;
                }
            }
            _ => return Err(self.wrong("it is not an escape that JSON knows")),
        }
        Ok(())
    }

    fn pass_number(&mut self) -> Result<(), SyntaxError> {
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        if self.peek() == Some(b'0') {
            self.at += 1;
        } else {
            self.pass_digits()?;
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.pass_digits()?;
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.at += 1;
            if matches!(self.peek(), Some(b'+' | b'-')) {
                self.at += 1;
            }
            self.pass_digits()?;
        }
        Ok(())
    }

    fn pass_digits(&mut self) -> Result<(), SyntaxError> {
        let start = self.at;
        while self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
        if self.at == start {
            return Err(self.wrong("a digit was expected"));
        }
        Ok(())
    }

    fn pass_word(&mut self, word: &'static [u8]) -> Result<(), SyntaxError> {
        if !self.text.get(self.at..).is_some_and(|rest| rest.starts_with(word)) {
            return Err(SyntaxError {
                at: self.at,
                problem: "a value was expected",
            });
        }
        self.at += word.len();
        Ok(())
    }
}

pub(super) fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\n' | b'\r' | b'\t')
}

pub(super) fn inside_quotes(quoted: &[u8]) -> &[u8] {
    quoted.get(1..quoted.len().saturating_sub(1)).unwrap_or_default()
}

/// How many bytes come before the first quote, backslash or control character. Most strings are short: keys, roles,
/// numbers of tokens. Those are searched a word at a time; what is longer, by searches that look at many bytes at once.
pub(super) fn plain_prefix(text: &[u8]) -> usize {
    const SHORT: usize = 4;
    let (words, _) = text.as_chunks::<8>();
    for (index, word) in words.iter().take(SHORT).enumerate() {
        if let Some(at) = first_special(u64::from_le_bytes(*word)) {
            return index * 8 + at;
        }
    }
    let passed = words.len().min(SHORT) * 8;
    let rest = text.get(passed..).unwrap_or_default();
    let end = memchr::memchr2(b'"', b'\\', rest).unwrap_or(rest.len());
    passed + first_control(rest.get(..end).unwrap_or(rest)).unwrap_or(end)
}

/// Which of eight bytes, the first one lowest, is the first quote, backslash or control character.
fn first_special(word: u64) -> Option<usize> {
    const LOW: u64 = u64::from_le_bytes([0x01; 8]);
    const HIGH: u64 = u64::from_le_bytes([0x80; 8]);
    // A byte's high bit is set where it is below the limit; a borrow can only reach bytes behind a true hit.
    let below = |word: u64, limit: u64| word.wrapping_sub(LOW * limit) & !word & HIGH;
    let is = |byte: u8| below(word ^ (LOW * u64::from(byte)), 1);
    let hits = below(word, 0x20) | is(b'"') | is(b'\\');
    (hits != 0).then(|| (hits.trailing_zeros() / 8) as usize)
}

/// Looks at whole blocks without leaving early within one, which lets the compiler compare their bytes side by side.
fn first_control(text: &[u8]) -> Option<usize> {
    let is_control = |byte: &u8| *byte < 0x20;
    let (blocks, rest) = text.as_chunks::<64>();
    let has_control = |block: &[u8; 64]| block.iter().fold(false, |any, byte| any | is_control(byte));
    let from = match blocks.iter().position(has_control) {
        Some(index) => index * 64,
        None => text.len() - rest.len(),
    };
    let found = text.get(from..)?.iter().position(is_control)?;
    Some(from + found)
}
