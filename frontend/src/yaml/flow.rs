//! What is ordered by brackets.

use super::read::{Reader, Step, is_blank_or_end};

impl Reader<'_> {
    pub(super) fn flow(&mut self) -> Step<()> {
        self.deeper()?;
        match self.peek() {
            b'{' => self.flow_map()?,
            b'[' => self.flow_list()?,
            b'"' | b'\'' => self.quoted()?,
            _ => self.plain(None)?,
        }
        self.shallower();
        Ok(())
    }

    fn flow_list(&mut self) -> Step<()> {
        let start = self.open('[');
        self.at += 1;
        let mut is_first = true;
        while self.has_more(start, b']')? {
            if !is_first {
                self.json.push(',');
            }
            is_first = false;
            self.flow()?;
            self.skip()?;
            if self.peek() == b':' {
                return self.fail(self.at, "a map in a list has brackets of its own: [{key: value}]");
            }
            self.comma(b']')?;
        }
        self.close(start, ']');
        Ok(())
    }

    fn flow_map(&mut self) -> Step<()> {
        let start = self.open('{');
        self.at += 1;
        let mut keys = Vec::new();
        while self.has_more(start, b'}')? {
            if !keys.is_empty() {
                self.json.push(',');
            }
            let at = self.at;
            let key = match self.peek() {
                b'{' | b'[' => return self.fail(at, "a key is a text"),
                b'"' | b'\'' => self.quoted_text()?,
                _ => self.plain_text(None)?,
            };
            self.put_key(at, key, &mut keys)?;
            let end = self.at;
            self.skip()?;
            let mut is_there = self.peek() == b':';
            if is_there {
                self.at += 1;
                self.skip()?;
                is_there = !matches!(self.peek(), b',' | b'}');
            }
            if is_there {
                self.flow()?;
            } else {
                self.mark(end);
                self.json.push_str("null");
            }
            self.skip()?;
            self.comma(b'}')?;
        }
        self.close(start, '}');
        Ok(())
    }

    /// Goes to what comes next between the brackets, or past the closing one.
    fn has_more(&mut self, start: usize, closing: u8) -> Step<bool> {
        self.skip()?;
        if self.is_over() {
            return self.fail(start, &format!("there is no {} to close this", char::from(closing)));
        }
        let is_closed = self.peek() == closing;
        if is_closed {
            self.at += 1;
        }
        Ok(!is_closed)
    }

    fn comma(&mut self, closing: u8) -> Step<()> {
        match self.peek() {
            b',' => self.at += 1,
            // Told by who looks for it.
            0 => {}
            other if other == closing => {}
            _ => {
                let message = format!("a comma or {} is expected here", char::from(closing));
                return self.fail(self.at, &message);
            }
        }
        Ok(())
    }

    /// A colon with something after it that it could belong to or not.
    pub(super) fn is_odd_colon(&self) -> bool {
        let next = self.peek_at(1);
        self.peek() == b':' && !is_blank_or_end(next) && (ends_flow(next) || next == b'?')
    }
}

/// What ends a plain text between brackets.
pub(super) const fn ends_flow(byte: u8) -> bool {
    matches!(byte, b',' | b'[' | b']' | b'{' | b'}')
}
