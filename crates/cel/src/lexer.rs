//! Text to tokens.

use crate::problem::Mistake;
use crate::strings;

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Token {
    Name(String),
    /// Between backticks: a field whose name is no identifier.
    Quoted(String),
    /// Without its sign, which can be part of it: there is one more negative number than there are positive ones.
    Int(u64),
    Uint(u64),
    Double(f64),
    String(String),
    Bytes(Vec<u8>),
    /// An operator or a bracket.
    Mark(&'static str),
    End,
}

#[derive(Clone, Debug)]
pub(crate) struct Placed {
    pub(crate) token: Token,
    pub(crate) start: u32,
    pub(crate) end: u32,
}

/// Longer ones first.
const MARKS: [&str; 24] = [
    "&&", "||", "==", "!=", "<=", ">=", "<", ">", "!", "?", ":", ".", ",", "+", "-", "*", "/", "%", "(", ")", "[", "]",
    "{", "}",
];

pub(crate) fn tokens(source: &str) -> Result<Vec<Placed>, Mistake> {
    let mut lexer = Lexer { source, at: 0 };
    let mut tokens = Vec::new();
    loop {
        lexer.skip_blank();
        let start = lexer.offset();
        let token = lexer.token()?;
        let ended = token == Token::End;
        tokens.push(Placed {
            token,
            start,
            end: lexer.offset(),
        });
        if ended {
            return Ok(tokens);
        }
    }
}

struct Lexer<'s> {
    source: &'s str,
    at: usize,
}

impl<'s> Lexer<'s> {
    fn rest(&self) -> &'s str {
        self.source.get(self.at..).unwrap_or_default()
    }

    /// A source is shorter than `limits::SOURCE_BYTES`.
    fn offset(&self) -> u32 {
        u32::try_from(self.at).unwrap_or(u32::MAX)
    }

    fn mistake(&self, message: impl Into<String>) -> Mistake {
        Mistake::new(self.offset(), message)
    }

    fn skip_blank(&mut self) {
        loop {
            let rest = self.rest();
            let text = rest.trim_start_matches([' ', '\t', '\n', '\r', '\u{c}']);
            self.at += rest.len() - text.len();
            if !text.starts_with("//") {
                return;
            }
            self.at += text.find(['\n', '\r']).unwrap_or(text.len());
        }
    }

    fn take_while(&mut self, wanted: impl Fn(char) -> bool) -> &'s str {
        let rest = self.rest();
        let length = rest.find(|c| !wanted(c)).unwrap_or(rest.len());
        self.at += length;
        rest.get(..length).unwrap_or_default()
    }

    fn token(&mut self) -> Result<Token, Mistake> {
        let rest = self.rest();
        let mut characters = rest.chars();
        let Some(first) = characters.next() else {
            return Ok(Token::End);
        };
        let second = characters.next();
        if let Some((opening, raw, bytes)) = strings::opening(rest) {
            return self.string(opening, raw, bytes);
        }
        if first.is_ascii_digit() || (first == '.' && second.is_some_and(|c| c.is_ascii_digit())) {
            return self.number();
        }
        if first.is_ascii_alphabetic() || first == '_' {
            let name = self.take_while(|c| c.is_ascii_alphanumeric() || c == '_');
            return Ok(Token::Name(name.to_owned()));
        }
        if first == '`' {
            return self.quoted();
        }
        if let Some(mark) = MARKS.into_iter().find(|mark| rest.starts_with(mark)) {
            self.at += mark.len();
            return Ok(Token::Mark(mark));
        }
        let hint = match first {
            '=' => "; `==` compares",
            '&' => "; `&&` is and",
            '|' => "; `||` is or",
            _ => "",
        };
        Err(self.mistake(format!("{first:?} has no meaning here{hint}")))
    }

    fn quoted(&mut self) -> Result<Token, Mistake> {
        let inside = self.rest().get(1..).unwrap_or_default();
        let end = inside
            .find(['`', '\n', '\r'])
            .filter(|end| inside.as_bytes().get(*end) == Some(&b'`'));
        let Some(name) = end.and_then(|end| inside.get(..end)) else {
            return Err(self.mistake("the name between backticks does not end"));
        };
        self.at += name.len() + 2;
        Ok(Token::Quoted(name.to_owned()))
    }

    fn string(&mut self, opening: usize, raw: bool, bytes: bool) -> Result<Token, Mistake> {
        let start = self.at;
        self.at += opening;
        let quote = self.source.get(..self.at).and_then(|before| before.chars().next_back());
        let quote = quote.unwrap_or_default();
        let triple: String = [quote; 3].iter().collect();
        let (closing, lines) = if self.rest().get(..2).is_some_and(|next| triple.starts_with(next)) {
            self.at += 2;
            (triple.as_str(), true)
        } else {
            (triple.get(..1).unwrap_or_default(), false)
        };
        let from = self.at;
        while !self.rest().starts_with(closing) {
            let mut characters = self.rest().chars();
            match characters.next() {
                Some('\\') if !raw => self.at += 1 + characters.next().map_or(0, char::len_utf8),
                Some(other) if lines || !matches!(other, '\n' | '\r') => self.at += other.len_utf8(),
                _ => {
                    let at = u32::try_from(start).unwrap_or(u32::MAX);
                    return Err(Mistake::new(at, format!("the text does not end; it needs {closing}")));
                }
            }
        }
        let inside = self.source.get(from..self.at).unwrap_or_default();
        self.at += closing.len();
        let offset = u32::try_from(from).unwrap_or(u32::MAX);
        match (raw, bytes) {
            (true, false) => Ok(Token::String(inside.to_owned())),
            (true, true) => Ok(Token::Bytes(inside.as_bytes().to_owned())),
            (false, false) => strings::unescape_text(inside, offset).map(Token::String),
            (false, true) => strings::unescape_bytes(inside, offset).map(Token::Bytes),
        }
    }

    fn number(&mut self) -> Result<Token, Mistake> {
        let start = self.offset();
        if self.rest().starts_with("0x") || self.rest().starts_with("0X") {
            self.at += 2;
            let digits = self.take_while(|c| c.is_ascii_alphanumeric());
            return whole(digits, 16, start);
        }
        let from = self.at;
        self.take_while(|c| c.is_ascii_digit());
        let mut fraction = false;
        let mut characters = self.rest().chars();
        // `1.size()` is a call.
        if characters.next() == Some('.') && characters.next().is_some_and(|c| c.is_ascii_digit()) {
            fraction = true;
            self.at += 1;
            self.take_while(|c| c.is_ascii_digit());
        }
        let exponent = self.rest().strip_prefix(['e', 'E']);
        if let Some(exponent) = exponent {
            let unsigned = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
            if unsigned.starts_with(|c: char| c.is_ascii_digit()) {
                fraction = true;
                self.at += 1 + exponent.len() - unsigned.len();
                self.take_while(|c| c.is_ascii_digit());
            }
        }
        let end = self.at;
        let suffix = self.take_while(|c| c.is_ascii_alphanumeric() || c == '_');
        if fraction && suffix.is_empty() {
            let digits = self.source.get(from..end).unwrap_or_default();
            let number = digits.parse().ok().filter(|number: &f64| number.is_finite());
            let out_of_range = || Mistake::new(start, format!("{digits} is out of the range of double"));
            return number.map(Token::Double).ok_or_else(out_of_range);
        }
        whole(self.source.get(from..self.at).unwrap_or_default(), 10, start)
    }
}

fn whole(digits: &str, radix: u32, start: u32) -> Result<Token, Mistake> {
    let unsigned = digits.strip_suffix(['u', 'U']);
    let number = unsigned.unwrap_or(digits);
    if number.is_empty() || !number.chars().all(|c| c.is_digit(radix)) {
        return Err(Mistake::new(start, format!("`{digits}` is no number")));
    }
    let Ok(value) = u64::from_str_radix(number, radix) else {
        return Err(Mistake::new(start, format!("{digits} is out of the range of 64 bits")));
    };
    Ok(if unsigned.is_some() {
        Token::Uint(value)
    } else {
        Token::Int(value)
    })
}
