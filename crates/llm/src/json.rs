//! A strict JSON reader that builds nothing: it checks the syntax in one pass and says where members lie, so that the
//! bytes themselves can be passed on. Strings are checked for JSON's rules, not for UTF-8.

pub(crate) mod canonical;
mod reader;

use std::borrow::Cow;
use std::ops::Range;

use reader::{Reader, inside_quotes, is_space};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Object,
    Array,
    String,
    Number,
    True,
    False,
    Null,
}

/// One value: its text, and where that begins in the text it was found in.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Value<'a> {
    pub(crate) kind: Kind,
    pub(crate) text: &'a [u8],
    pub(crate) start: usize,
}

/// One member of an object.
#[derive(Debug)]
pub(crate) struct Member<'a> {
    /// Without quotes, escapes resolved: `"mod\u0065l"` is `model`, as it will be for whoever reads the text next.
    pub(crate) key: Cow<'a, [u8]>,
    pub(crate) value: Value<'a>,
    /// Where its opening quote is.
    pub(crate) start: usize,
    /// Where the comma is that divides it from the member before.
    pub(crate) comma_before: Option<usize>,
}

/// The beginning of a member whose value was not read yet.
#[derive(Debug)]
pub(crate) struct Key<'a> {
    /// As in [`Member`].
    pub(crate) text: Cow<'a, [u8]>,
    /// Where its opening quote is.
    pub(crate) start: usize,
    /// Where the comma is that divides this member from the one before.
    pub(crate) comma_before: Option<usize>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SyntaxError {
    pub(crate) at: usize,
    /// What is wrong there, as the end of a sentence.
    pub(crate) problem: &'static str,
}

/// The members of an object, in their order. Checks the syntax of what it passes.
#[derive(Debug)]
pub(crate) struct Members<'a> {
    reader: Reader<'a>,
    state: Place,
    whole_text: bool,
}

/// A value that was come to and not read yet. Whoever looks inside of it reads it in the same pass that checks it;
/// what nobody looks into is passed over.
#[derive(Debug)]
pub(crate) struct Slot<'r, 'a> {
    reader: &'r mut Reader<'a>,
    above: u32,
}

/// The elements of an array that was checked before.
#[derive(Debug)]
pub(crate) struct Elements<'a> {
    reader: Reader<'a>,
    state: Place,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    BeforeFirst,
    AfterOne,
    Over,
}

impl Kind {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Object => "an object",
            Self::Array => "an array",
            Self::String => "a string",
            Self::Number => "a number",
            Self::True | Self::False => "a boolean",
            Self::Null => "null",
        }
    }
}

impl<'a> Value<'a> {
    /// The value that lies here in a text that was checked.
    pub(crate) fn at(text: &'a [u8], place: Range<usize>) -> Option<Self> {
        let start = place.start;
        let text = text.get(place)?;
        let kind = Reader { text, at: 0 }.kind().ok()?;
        Some(Self { kind, text, start })
    }

    pub(crate) fn end(&self) -> usize {
        self.start + self.text.len()
    }

    /// The members, when this is an object. Places are counted from the value's own beginning.
    pub(crate) fn members(&self) -> Members<'a> {
        Members::of(self.text)
    }

    /// The first member of this name, when this is an object.
    pub(crate) fn member(&self, name: &str) -> Option<Value<'a>> {
        let mut members = self.members();
        while let Ok(Some(member)) = members.next_member() {
            if &*member.key == name.as_bytes() {
                return Some(member.value);
            }
        }
        None
    }

    /// Reads it again, from within.
    pub(crate) fn again<T>(&self, read: impl FnOnce(Slot<'_, 'a>) -> T) -> T {
        let reader = &mut Reader { text: self.text, at: 0 };
        read(Slot { reader, above: 0 })
    }

    pub(crate) fn elements(&self) -> Elements<'a> {
        let state = if self.kind == Kind::Array {
            Place::BeforeFirst
        } else {
            Place::Over
        };
        Elements {
            reader: Reader { text: self.text, at: 1 },
            state,
        }
    }

    /// The text of a string, escapes resolved; `None` for another kind, and for what is no Unicode.
    pub(crate) fn string(&self) -> Option<Cow<'a, str>> {
        if self.kind != Kind::String {
            return None;
        }
        let inner = inside_quotes(self.text);
        if inner.contains(&b'\\') {
            return serde_json::from_slice::<String>(self.text).ok().map(Cow::Owned);
        }
        std::str::from_utf8(inner).ok().map(Cow::Borrowed)
    }

    /// Whether a string, array or object holds nothing.
    pub(crate) fn is_empty(&self) -> bool {
        match self.kind {
            Kind::String => self.text.len() == 2,
            Kind::Array | Kind::Object => self
                .text
                .iter()
                .skip(1)
                .find(|byte| !is_space(**byte))
                .is_some_and(|byte| matches!(byte, b']' | b'}')),
            Kind::Number | Kind::True | Kind::False | Kind::Null => false,
        }
    }
}

impl<'a> Members<'a> {
    /// Of a text that is to be one object and nothing else.
    pub(crate) fn of_document(text: &'a [u8]) -> Result<Self, SyntaxError> {
        let mut reader = Reader { text, at: 0 };
        reader.skip_space();
        if reader.peek() != Some(b'{') {
            return Err(reader.wrong("a JSON object was expected"));
        }
        reader.at += 1;
        Ok(Self {
            reader,
            state: Place::BeforeFirst,
            whole_text: true,
        })
    }

    /// Of a text that begins at an object's brace; of anything else, none.
    fn of(text: &'a [u8]) -> Self {
        let state = if text.first() == Some(&b'{') {
            Place::BeforeFirst
        } else {
            Place::Over
        };
        Self {
            reader: Reader { text, at: 1 },
            state,
            whole_text: false,
        }
    }

    pub(crate) fn next_member(&mut self) -> Result<Option<Member<'a>>, SyntaxError> {
        let Some(key) = self.next_key()? else {
            return Ok(None);
        };
        Ok(Some(Member {
            value: self.slot().pass()?,
            key: key.text,
            start: key.start,
            comma_before: key.comma_before,
        }))
    }

    /// The next key. Its value is in the slot, and has to be read before the next one.
    pub(crate) fn next_key(&mut self) -> Result<Option<Key<'a>>, SyntaxError> {
        let reader = &mut self.reader;
        let mut comma_before = None;
        match self.state {
            Place::Over => return Ok(None),
            Place::BeforeFirst => {
                reader.skip_space();
                if reader.peek() == Some(b'}') {
                    return self.close();
                }
            }
            Place::AfterOne => {
                reader.skip_space();
                match reader.peek() {
                    Some(b',') => comma_before = Some(reader.at),
                    Some(b'}') => return self.close(),
                    _ => return Err(reader.wrong("',' or '}' was expected")),
                }
                reader.at += 1;
                reader.skip_space();
            }
        }
        let start = reader.at;
        let text = reader.key()?;
        self.state = Place::AfterOne;
        Ok(Some(Key {
            text,
            start,
            comma_before,
        }))
    }

    /// The value of the key that was read last.
    pub(crate) fn slot(&mut self) -> Slot<'_, 'a> {
        Slot {
            reader: &mut self.reader,
            above: 1,
        }
    }

    fn close(&mut self) -> Result<Option<Key<'a>>, SyntaxError> {
        self.state = Place::Over;
        self.reader.at += 1;
        if self.whole_text {
            self.reader.skip_space();
            if self.reader.peek().is_some() {
                return Err(self.reader.wrong("nothing may follow the object"));
            }
        }
        Ok(None)
    }
}

impl<'a> Slot<'_, 'a> {
    pub(crate) fn kind(&self) -> Result<Kind, SyntaxError> {
        self.reader.kind()
    }

    /// What nobody looks into.
    pub(crate) fn pass(self) -> Result<Value<'a>, SyntaxError> {
        self.reader.value(self.above)
    }

    /// Shows the members of an object; anything else is passed over.
    pub(crate) fn members(
        self,
        mut each: impl FnMut(&[u8], Slot<'_, 'a>) -> Result<(), SyntaxError>,
    ) -> Result<(), SyntaxError> {
        let Self { reader, above } = self;
        if reader.kind()? != Kind::Object {
            return reader.value(above).map(drop);
        }
        if reader.opens(above, b'}')? {
            return Ok(());
        }
        loop {
            let key = reader.key()?;
            Self::show(reader, above, |slot| each(&key, slot))?;
            if reader.closes(b'}')? {
                return Ok(());
            }
        }
    }

    /// Shows the elements of an array; anything else is passed over.
    pub(crate) fn elements(
        self,
        mut each: impl FnMut(Slot<'_, 'a>) -> Result<(), SyntaxError>,
    ) -> Result<(), SyntaxError> {
        let Self { reader, above } = self;
        if reader.kind()? != Kind::Array {
            return reader.value(above).map(drop);
        }
        if reader.opens(above, b']')? {
            return Ok(());
        }
        loop {
            Self::show(reader, above, &mut each)?;
            if reader.closes(b']')? {
                return Ok(());
            }
        }
    }

    fn show(
        reader: &mut Reader<'a>,
        above: u32,
        look: impl FnOnce(Slot<'_, 'a>) -> Result<(), SyntaxError>,
    ) -> Result<(), SyntaxError> {
        let (start, above) = (reader.at, above + 1);
        look(Slot { reader, above })?;
        if reader.at == start {
            reader.value(above)?;
        }
        Ok(())
    }
}

impl<'a> Iterator for Elements<'a> {
    type Item = Value<'a>;

    fn next(&mut self) -> Option<Value<'a>> {
        let reader = &mut self.reader;
        if self.state == Place::Over {
            return None;
        }
        reader.skip_space();
        if self.state == Place::AfterOne && reader.peek() == Some(b',') {
            reader.at += 1;
            reader.skip_space();
        }
        let element = if reader.peek() == Some(b']') {
            None
        } else {
            reader.value(1).ok()
        };
        self.state = if element.is_some() {
            Place::AfterOne
        } else {
            Place::Over
        };
        element
    }
}

#[cfg(test)]
mod tests;
