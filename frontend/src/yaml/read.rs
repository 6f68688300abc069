//! Reads a text, and what is ordered by indentation in it. What is read comes out as JSON in one line, for JSON is read
//! anyway, and with the place that each of its parts has in the YAML.

use super::scalar;

/// Deeper than any route, and shallow enough for the stack.
const DEEPEST: usize = 100;

const ONE_DOCUMENT: &str = "there is only one document here: leave out the lines with --- and ...";

/// Line and column, from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) line: usize,
    pub(crate) column: usize,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Unreadable {
    pub(crate) message: String,
    pub(crate) at: Place,
}

#[derive(Debug)]
pub(crate) struct Read {
    pub(crate) json: String,
    pub(crate) has_comments: bool,
    source: String,
    /// Where in the JSON a part begins or has ended, and where it begins in the source.
    marks: Vec<(usize, usize)>,
}

/// Reads a document that is not empty.
pub(crate) fn read(text: &str) -> Result<Read, Unreadable> {
    let source = text.replace("\r\n", "\n").replace('\r', "\n");
    let mut reader = Reader {
        text: &source,
        at: 0,
        json: String::new(),
        marks: Vec::new(),
        has_comments: false,
        depth: 0,
    };
    reader.document()?;
    let Reader {
        json,
        marks,
        has_comments,
        ..
    } = reader;
    Ok(Read {
        json,
        has_comments,
        source,
        marks,
    })
}

impl Read {
    /// Where the part is that is the last of so many bytes of the JSON.
    pub(crate) fn place(&self, bytes: usize) -> Place {
        let after = self.marks.partition_point(|(json, _)| *json <= bytes);
        let mark = self.marks.get(after.saturating_sub(1));
        place(&self.source, mark.map_or(0, |(_, source)| *source))
    }
}

fn place(text: &str, at: usize) -> Place {
    let before = text.get(..at).unwrap_or(text);
    let line = before.rsplit('\n').next().unwrap_or_default();
    Place {
        line: before.matches('\n').count() + 1,
        column: line.chars().count() + 1,
    }
}

/// What a value stands under.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Under {
    Nothing,
    Key,
    Dash,
}

pub(super) type Step<T> = Result<T, Unreadable>;

pub(super) struct Reader<'a> {
    pub(super) text: &'a str,
    pub(super) at: usize,
    pub(super) json: String,
    pub(super) has_comments: bool,
    marks: Vec<(usize, usize)>,
    depth: usize,
}

impl Reader<'_> {
    fn document(&mut self) -> Step<()> {
        if let Some(at) = self.text.find(|char: char| !scalar::is_printable(char) && char != '\n') {
            return self.fail(
                at,
                "there is a character that cannot be seen: write it as an escape in \"double quotes\"",
            );
        }
        self.skip()?;
        if self.peek() == b'%' {
            self.check_plain()?;
        }
        if self.is_border(self.at) && self.peek() == b'-' {
            self.at += 3;
            if !self.skip()? && !self.is_over() {
                return self.fail(self.at, "what follows --- begins on a line of its own");
            }
        }
        let mut line = self.at;
        if self.is_border(line) {
            return self.fail(line, ONE_DOCUMENT);
        }
        while let Some(found) = self.text[line..].find('\n') {
            line += found + 1;
            if self.is_border(line) {
                return self.fail(line, ONE_DOCUMENT);
            }
        }
        if self.is_over() {
            return self.fail(self.at, "there is nothing here yet");
        }
        self.block(-1, Under::Nothing)?;
        self.skip()?;
        if !self.is_over() {
            return self.fail(self.at, "does not belong to anything before: is its indentation right?");
        }
        Ok(())
    }

    /// Whether a line begins or ends a document.
    fn is_border(&self, line: usize) -> bool {
        let is_first = line == 0 || self.byte(line - 1) == b'\n';
        let word = self.text.get(line..line + 3);
        is_first && matches!(word, Some("---" | "...")) && is_blank_or_end(self.byte(line + 3))
    }

    /// A value that is indented by more than `indent` columns, and what follows it up to the end of the line.
    fn block(&mut self, indent: isize, under: Under) -> Step<()> {
        let before = self.at;
        let is_below = self.skip()? || under == Under::Nothing;
        let column = self.column();
        let is_list = self.peek() == b'-' && is_blank_or_end(self.peek_at(1));
        // A list may stand right below its key.
        let is_shallow = column <= indent && !(is_list && under == Under::Key && column == indent);
        if self.is_over() || is_below && is_shallow {
            self.mark(before);
            self.json.push_str("null");
            return Ok(());
        }
        self.deeper()?;
        match self.peek() {
            b'-' if is_list && !is_below && under == Under::Key => {
                return self.fail(self.at, "a list below a key begins on a line of its own");
            }
            b'-' if is_list => self.list(column)?,
            b'|' | b'>' => self.block_text(indent)?,
            _ if self.key_is_next()? => {
                if !is_below && under == Under::Key {
                    return self.fail(self.at, "there is a second colon on this line: put the text in quotes");
                }
                self.map(column)?;
            }
            b'{' | b'[' => {
                self.flow()?;
                self.end_of_line()?;
            }
            b'"' | b'\'' => {
                self.quoted()?;
                self.end_of_line()?;
            }
            _ => {
                self.plain(Some(indent))?;
                self.end_of_line()?;
            }
        }
        self.depth -= 1;
        Ok(())
    }

    fn list(&mut self, column: isize) -> Step<()> {
        let start = self.open('[');
        loop {
            self.at += 1;
            self.block(column, Under::Dash)?;
            if !self.goes_on(column)? || self.peek() != b'-' || !is_blank_or_end(self.peek_at(1)) {
                break;
            }
            self.json.push(',');
        }
        self.close(start, ']');
        Ok(())
    }

    fn map(&mut self, column: isize) -> Step<()> {
        let start = self.open('{');
        let mut keys = Vec::new();
        loop {
            let at = self.at;
            let Some(key) = self.key()? else {
                return self.fail(at, "must be written key: value, with a space after the colon");
            };
            self.put_key(at, key, &mut keys)?;
            self.block(column, Under::Key)?;
            if !self.goes_on(column)? {
                break;
            }
            self.json.push(',');
        }
        self.close(start, '}');
        Ok(())
    }

    /// Whether there is more in this column.
    fn goes_on(&mut self, column: isize) -> Step<bool> {
        self.skip()?;
        if !self.is_over() && self.column() > column {
            return self.fail(self.at, "is indented by more than what it belongs to");
        }
        Ok(!self.is_over() && self.column() == column)
    }

    fn key_is_next(&mut self) -> Step<bool> {
        let (at, has_comments) = (self.at, self.has_comments);
        let is_key = !matches!(self.peek(), b'{' | b'[') && self.key()?.is_some();
        (self.at, self.has_comments) = (at, has_comments);
        Ok(is_key)
    }

    /// A key and its colon, if that is what comes.
    fn key(&mut self) -> Step<Option<String>> {
        let at = self.at;
        let key = match self.peek() {
            b'"' | b'\'' => self.quoted_text()?,
            _ => {
                self.check_plain()?;
                self.plain_line(false)?.to_owned()
            }
        };
        let is_in_line = !self.text[at..self.at].contains('\n');
        self.skip_blanks();
        if is_in_line && self.peek() == b':' && is_blank_or_end(self.peek_at(1)) {
            self.at += 1;
            return Ok(Some(key));
        }
        self.at = at;
        Ok(None)
    }

    pub(super) fn put_key(&mut self, at: usize, key: String, keys: &mut Vec<String>) -> Step<()> {
        if keys.contains(&key) {
            return self.fail(at, &format!("{key} is there twice"));
        }
        self.mark(at);
        self.put_text(&key);
        self.json.push(':');
        keys.push(key);
        Ok(())
    }

    pub(super) fn put_text(&mut self, text: &str) {
        self.json += &scalar::json_text(text);
    }

    /// What comes next in the JSON stands here in the source.
    pub(super) fn mark(&mut self, at: usize) {
        self.marks.push((self.json.len(), at));
    }

    pub(super) fn open(&mut self, bracket: char) -> usize {
        self.mark(self.at);
        self.json.push(bracket);
        self.at
    }

    pub(super) fn close(&mut self, start: usize, bracket: char) {
        self.json.push(bracket);
        // What is wrong with the whole is told where it begins.
        self.mark(start);
    }

    pub(super) fn deeper(&mut self) -> Step<()> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return self.fail(self.at, "this is too deep");
        }
        Ok(())
    }

    pub(super) fn shallower(&mut self) {
        self.depth -= 1;
    }

    fn end_of_line(&mut self) -> Step<()> {
        self.skip_blanks();
        if !matches!(self.peek(), 0 | b'\n' | b'#') {
            return self.fail(
                self.at,
                "nothing is expected here: if it is a part of a text, put that in quotes",
            );
        }
        Ok(())
    }

    /// Goes to what comes next, over blanks, comments and ends of lines; tells whether there was one of those.
    pub(super) fn skip(&mut self) -> Step<bool> {
        let mut is_below = false;
        loop {
            match self.peek() {
                b' ' => self.at += 1,
                b'\t' if is_below || self.column() == 0 => {
                    return self.fail(self.at, "lines are indented by spaces, not by tabs");
                }
                b'\t' => self.at += 1,
                b'\n' => {
                    self.at += 1;
                    is_below = true;
                }
                b'#' => {
                    self.has_comments = true;
                    let rest = &self.text[self.at..];
                    self.at += rest.find('\n').unwrap_or(rest.len());
                }
                _ => return Ok(is_below),
            }
        }
    }

    pub(super) fn skip_blanks(&mut self) {
        while matches!(self.peek(), b' ' | b'\t') {
            self.at += 1;
        }
    }

    /// From 0.
    pub(super) fn column(&self) -> isize {
        let before = &self.text.as_bytes()[..self.at];
        let columns = before.iter().rev().take_while(|byte| **byte != b'\n').count();
        columns.try_into().unwrap_or(isize::MAX)
    }

    pub(super) fn is_over(&self) -> bool {
        self.at >= self.text.len()
    }

    /// 0 at the end.
    pub(super) fn peek(&self) -> u8 {
        self.byte(self.at)
    }

    pub(super) fn peek_at(&self, further: usize) -> u8 {
        self.byte(self.at + further)
    }

    fn byte(&self, at: usize) -> u8 {
        self.text.as_bytes().get(at).copied().unwrap_or(0)
    }

    pub(super) fn fail<T>(&self, at: usize, message: &str) -> Step<T> {
        Err(Unreadable {
            message: message.to_owned(),
            at: place(self.text, at),
        })
    }
}

pub(super) const fn is_blank_or_end(byte: u8) -> bool {
    matches!(byte, 0 | b' ' | b'\t' | b'\n')
}
