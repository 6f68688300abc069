//! Texts: plain, in quotes, and in blocks.

use super::flow::ends_flow;
use super::read::{Reader, Step, is_blank_or_end};
use super::scalar;

impl Reader<'_> {
    /// A plain value. `indent` is what its further lines have to be indented by more than; none between brackets.
    pub(super) fn plain(&mut self, indent: Option<isize>) -> Step<()> {
        let at = self.at;
        let text = self.plain_text(indent)?;
        let Some(json) = scalar::json(&text) else {
            return self.fail(at, "must be a number that has an end");
        };
        self.mark(at);
        self.json += &json;
        Ok(())
    }

    pub(super) fn plain_text(&mut self, indent: Option<isize>) -> Step<String> {
        self.check_plain()?;
        let mut text = self.plain_line(indent.is_none())?.to_owned();
        loop {
            let end = self.at;
            self.skip_blanks();
            let breaks = self.breaks();
            let is_shallow = indent.is_some_and(|indent| self.column() <= indent);
            if breaks == 0 || is_shallow || self.is_over() || self.peek() == b'#' {
                self.at = end;
                return Ok(text);
            }
            let line = self.plain_line(indent.is_none())?.to_owned();
            if line.is_empty() {
                self.at = end;
                return Ok(text);
            }
            fold(&mut text, breaks);
            text += &line;
        }
    }

    /// Up to what cannot be a part of a plain text.
    pub(super) fn plain_line(&mut self, in_flow: bool) -> Step<&str> {
        let start = self.at;
        let mut end = start;
        loop {
            let byte = self.peek();
            if in_flow && self.is_odd_colon() {
                return self.fail(self.at, "a space is expected after the colon");
            }
            let is_colon = byte == b':' && is_blank_or_end(self.peek_at(1));
            let is_comment = byte == b'#' && self.at > end;
            if byte == 0 || byte == b'\n' || is_colon || is_comment || in_flow && ends_flow(byte) {
                break;
            }
            self.at += 1;
            if !is_blank_or_end(byte) {
                end = self.at;
            }
        }
        self.at = end;
        Ok(&self.text[start..end])
    }

    /// Refuses what begins something else than a plain text.
    pub(super) fn check_plain(&self) -> Step<()> {
        let message = match self.peek() {
            b'&' | b'*' => "names for values (& and *) cannot be used here: write the value where it is needed",
            b'!' => "tags (!) cannot be used here: leave it out",
            b'%' if self.column() == 0 => "lines that begin with % cannot be used here: leave it out",
            b'%' | b'@' | b'`' | b'|' | b'>' => "a text that begins like this has to be in quotes",
            b'?' if is_blank_or_end(self.peek_at(1)) => "must be written key: value, without ?",
            b'-' if is_blank_or_end(self.peek_at(1)) => "a list cannot begin here: write it as [one, two]",
            b'?' | b':' | b',' | b']' | b'}' => "nothing can begin like this: put a text in quotes",
            _ => return Ok(()),
        };
        self.fail(self.at, message)
    }

    pub(super) fn quoted(&mut self) -> Step<()> {
        self.mark(self.at);
        let text = self.quoted_text()?;
        self.put_text(&text);
        Ok(())
    }

    pub(super) fn quoted_text(&mut self) -> Step<String> {
        let (start, quote) = (self.at, self.peek());
        self.at += 1;
        let (mut text, mut blanks) = (String::new(), String::new());
        loop {
            let byte = self.peek();
            match byte {
                0 => return self.fail(start, "there is no quote to close this"),
                b' ' | b'\t' => {
                    blanks.push(char::from(byte));
                    self.at += 1;
                    continue;
                }
                b'\n' => {
                    blanks.clear();
                    let breaks = self.breaks();
                    fold(&mut text, breaks);
                    continue;
                }
                _ => text += &std::mem::take(&mut blanks),
            }
            if byte == quote && !(quote == b'\'' && self.peek_at(1) == quote) {
                self.at += 1;
                return Ok(text);
            }
            match byte {
                b'\'' if quote == b'\'' => {
                    text.push('\'');
                    self.at += 2;
                }
                b'\\' if quote == b'"' => self.escape(&mut text)?,
                _ => self.take_char(&mut text),
            }
        }
    }

    fn take_char(&mut self, text: &mut String) {
        if let Some(char) = self.text[self.at..].chars().next() {
            text.push(char);
            self.at += char.len_utf8();
        }
    }

    fn escape(&mut self, text: &mut String) -> Step<()> {
        let at = self.at;
        self.at += 2;
        let (char, digits) = match self.text.as_bytes().get(at + 1).copied().unwrap_or(0) {
            b'0' => ('\0', 0),
            b'a' => ('\u{7}', 0),
            b'b' => ('\u{8}', 0),
            b't' | b'\t' => ('\t', 0),
            b'n' => ('\n', 0),
            b'v' => ('\u{b}', 0),
            b'f' => ('\u{c}', 0),
            b'r' => ('\r', 0),
            b'e' => ('\u{1b}', 0),
            byte @ (b' ' | b'"' | b'/' | b'\\') => (char::from(byte), 0),
            b'N' => ('\u{85}', 0),
            b'_' => ('\u{a0}', 0),
            b'L' => ('\u{2028}', 0),
            b'P' => ('\u{2029}', 0),
            b'x' => ('x', 2),
            b'u' => ('u', 4),
            b'U' => ('U', 8),
            b'\n' => {
                self.skip_blanks();
                for _ in 0..self.breaks() {
                    text.push('\n');
                }
                return Ok(());
            }
            _ => {
                return self.fail(
                    at,
                    "there is no such escape: write \\\\ for a backslash, or use 'single quotes'",
                );
            }
        };
        if digits == 0 {
            text.push(char);
            return Ok(());
        }
        let code = self.text.get(self.at..self.at + digits);
        let code = code.filter(|code| code.bytes().all(|byte| byte.is_ascii_hexdigit()));
        let char = code.and_then(|code| char::from_u32(u32::from_str_radix(code, 16).ok()?));
        let Some(char) = char else {
            return self.fail(at, "there is no such character");
        };
        text.push(char);
        self.at += digits;
        Ok(())
    }

    /// Goes over ends of lines, and blanks after them; tells how many there were.
    fn breaks(&mut self) -> usize {
        let mut breaks = 0;
        while self.peek() == b'\n' {
            self.at += 1;
            breaks += 1;
            self.skip_blanks();
        }
        breaks
    }

    /// A text after `|` or `>`, indented by more than `indent`.
    pub(super) fn block_text(&mut self, indent: isize) -> Step<()> {
        let start = self.at;
        let is_literal = self.peek() == b'|';
        let least = usize::try_from(indent + 1).unwrap_or(0);
        let (mut keep, mut given) = (None, 0);
        loop {
            self.at += 1;
            match self.peek() {
                sign @ (b'+' | b'-') if keep.is_none() => keep = Some(sign == b'+'),
                digit @ b'1'..=b'9' if given == 0 => given = usize::from(digit - b'0') + least.saturating_sub(1),
                _ => break,
            }
        }
        self.skip_blanks();
        if self.peek() == b'#' {
            self.has_comments = true;
            let rest = &self.text[self.at..];
            self.at += rest.find('\n').unwrap_or(rest.len());
        }
        if !matches!(self.peek(), 0 | b'\n') {
            return self.fail(self.at, "a text after | or > begins on the next line");
        }
        if !self.is_over() {
            self.at += 1;
        }
        let mut indent = given;
        let mut text = String::new();
        let mut end = "";
        let mut breaks = self.block_breaks(&mut indent, least.max(1))?;
        let mut was_further_in = false;
        while !self.is_over() && usize::try_from(self.column()) == Ok(indent) {
            let is_further_in = matches!(self.peek(), b' ' | b'\t');
            let is_folded = !is_literal && !end.is_empty() && !was_further_in && !is_further_in;
            match end {
                _ if is_folded && breaks.is_empty() => text.push(' '),
                _ if is_folded => {}
                _ => text += end,
            }
            text += &breaks;
            was_further_in = is_further_in;
            let rest = &self.text[self.at..];
            let line = rest.find('\n').unwrap_or(rest.len());
            text += &rest[..line];
            self.at += line;
            end = if self.is_over() { "" } else { "\n" };
            self.at += end.len();
            breaks = self.block_breaks(&mut indent, least.max(1))?;
        }
        if keep != Some(false) {
            text += end;
        }
        if keep == Some(true) {
            text += &breaks;
        }
        self.mark(start);
        self.put_text(&text);
        Ok(())
    }

    /// Goes over empty lines and the indentation of the next; finds out the indentation where it is not known (0).
    fn block_breaks(&mut self, indent: &mut usize, least: usize) -> Step<String> {
        let (mut breaks, mut widest) = (String::new(), 0);
        loop {
            let line = self.at;
            while (*indent == 0 || self.at - line < *indent) && self.peek() == b' ' {
                self.at += 1;
            }
            widest = widest.max(self.at - line);
            if self.peek() == b'\t' && (*indent == 0 || self.at - line < *indent) {
                return self.fail(self.at, "lines are indented by spaces, not by tabs");
            }
            if self.peek() != b'\n' {
                break;
            }
            self.at += 1;
            breaks.push('\n');
        }
        if *indent == 0 {
            *indent = widest.max(least);
        }
        Ok(breaks)
    }
}

/// One end of a line is a space, each further one is a line.
fn fold(text: &mut String, breaks: usize) {
    if breaks == 1 {
        text.push(' ');
    }
    for _ in 1..breaks {
        text.push('\n');
    }
}
