//! Splits a server-sent event stream into events as its bytes arrive, and finds an event's data. Lines may end in `\n`,
//! `\r\n` or `\r`, and the bytes may be cut anywhere. What the data says is not looked at.

use std::ops::Range;

use bytes::{Bytes, BytesMut};

/// Bytes that one event may have while its end is awaited.
const LARGEST_EVENT: usize = 16 * 1024 * 1024;

/// Holds the beginning of an event until its end arrives.
#[derive(Debug, Default)]
pub(crate) struct Splitter {
    held: BytesMut,
    progress: Progress,
}

/// An event is larger than may be held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TooLarge;

/// What an event brings.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Payload<'a> {
    /// Comments and blank lines: it keeps the connection alive.
    Comment,
    /// Fields, but no data. By the standard such an event is not delivered; some clients choke on it.
    Nothing,
    /// The data of one line, and where it begins in the event.
    Line(&'a [u8], usize),
    /// The data of several lines, joined as the standard says.
    Joined(Vec<u8>),
}

/// The whole events of a text, as ranges.
#[derive(Debug)]
pub(crate) struct Events<'a> {
    text: &'a [u8],
    start: usize,
    progress: Progress,
}

/// How far a text was searched for line ends, and where its last line began.
#[derive(Debug, Default, Clone, Copy)]
struct Progress {
    line_start: usize,
    searched: usize,
}

impl Splitter {
    /// Takes the next bytes and gives what is whole by then: zero or more events. Bytes that end with an event are
    /// given back as they are.
    pub(crate) fn push(&mut self, bytes: Bytes) -> Result<Bytes, TooLarge> {
        if self.held.is_empty() {
            let end = self.last_boundary(&bytes);
            let rest = bytes.get(end..).unwrap_or_default();
            self.held.extend_from_slice(rest);
            self.check_size()?;
            return Ok(if rest.is_empty() { bytes } else { bytes.slice(..end) });
        }
        self.held.extend_from_slice(&bytes);
        let held = std::mem::take(&mut self.held);
        let end = self.last_boundary(&held);
        self.held = held;
        let whole = self.held.split_to(end).freeze();
        self.check_size()?;
        Ok(whole)
    }

    /// What was held back when the stream ended: an event without its end, or nothing.
    pub(crate) fn rest(&mut self) -> Bytes {
        self.progress = Progress::default();
        self.held.split().freeze()
    }

    /// The end of the last whole event, or 0. From there on the progress is counted.
    fn last_boundary(&mut self, text: &[u8]) -> usize {
        let mut end = 0;
        while let Some(boundary) = self.progress.next_boundary(text) {
            end = boundary;
        }
        self.progress.line_start -= end;
        self.progress.searched -= end;
        end
    }

    fn check_size(&self) -> Result<(), TooLarge> {
        if self.held.len() > LARGEST_EVENT {
            Err(TooLarge)
        } else {
            Ok(())
        }
    }
}

impl Progress {
    /// The end of the next blank line. A `\r` that ends the text is left for later: a `\n` may belong to it.
    fn next_boundary(&mut self, text: &[u8]) -> Option<usize> {
        loop {
            let Some(found) = memchr::memchr2(b'\n', b'\r', text.get(self.searched..)?) else {
                self.searched = text.len();
                return None;
            };
            let at = self.searched + found;
            let length = match (text.get(at), text.get(at + 1)) {
                (Some(b'\r'), Some(b'\n')) => 2,
                (Some(b'\r'), None) => {
                    self.searched = at;
                    return None;
                }
                _ => 1,
            };
            let is_blank = at == self.line_start;
            self.line_start = at + length;
            self.searched = at + length;
            if is_blank {
                return Some(at + length);
            }
        }
    }
}

pub(crate) fn events(text: &[u8]) -> Events<'_> {
    Events {
        text,
        start: 0,
        progress: Progress::default(),
    }
}

impl Iterator for Events<'_> {
    type Item = Range<usize>;

    fn next(&mut self) -> Option<Range<usize>> {
        // A blank line that a lone `\r` ends at the very end of the text is an end too: the text is known to be whole.
        let end = match self.progress.next_boundary(self.text) {
            Some(end) => end,
            None if self.start < self.text.len() => self.text.len(),
            None => return None,
        };
        let event = self.start..end;
        self.start = end;
        Some(event)
    }
}

/// What an event brings; its last line may lack its end.
pub(crate) fn payload(event: &[u8]) -> Payload<'_> {
    let mut payload = Payload::Comment;
    let mut at = 0;
    while at < event.len() {
        let rest = event.get(at..).unwrap_or_default();
        let length = memchr::memchr2(b'\n', b'\r', rest).unwrap_or(rest.len());
        let line = rest.get(..length).unwrap_or_default();
        if let Some((value, offset)) = data_of(line) {
            payload = match payload {
                Payload::Comment | Payload::Nothing => Payload::Line(value, at + offset),
                Payload::Line(first, _) => Payload::Joined([first, value].join(&b'\n')),
                Payload::Joined(mut joined) => {
                    joined.push(b'\n');
                    joined.extend_from_slice(value);
                    Payload::Joined(joined)
                }
            };
        } else if !line.is_empty() && !line.starts_with(b":") && payload == Payload::Comment {
            payload = Payload::Nothing;
        }
        at += length + 1;
    }
    match payload {
        Payload::Line(b"", _) => Payload::Nothing,
        other => other,
    }
}

/// The value of a data line, and where in the line it begins.
fn data_of(line: &[u8]) -> Option<(&[u8], usize)> {
    let value = match line.strip_prefix(b"data")? {
        b"" => return Some((b"", line.len())),
        rest => rest.strip_prefix(b":")?,
    };
    let value = value.strip_prefix(b" ").unwrap_or(value);
    Some((value, line.len() - value.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(pieces: &[&[u8]]) -> Vec<String> {
        let mut splitter = Splitter::default();
        let mut given = Vec::new();
        for piece in pieces {
            let whole = splitter.push(Bytes::copy_from_slice(piece)).expect("small events");
            given.push(String::from_utf8(whole.to_vec()).expect("text"));
        }
        given.push(String::from_utf8(splitter.rest().to_vec()).expect("text"));
        given
    }

    #[test]
    fn events_are_given_when_their_blank_line_is_there() {
        assert_eq!(
            split(&[b"data: 1\n", b"\ndata: 2\n\nda", b"ta: 3"]),
            ["", "data: 1\n\ndata: 2\n\n", "", "data: 3"]
        );
        assert_eq!(
            split(&[b"data: 1\r\n\r", b"\ndata: 2\r\n\r\n"]),
            ["", "data: 1\r\n\r\ndata: 2\r\n\r\n", ""]
        );
        assert_eq!(
            split(&[b"data: 1\r\r", b"data: 2\r\r", b""]),
            ["", "data: 1\r\r", "", "data: 2\r\r"]
        );
        assert_eq!(split(&[b"\n", b"data: 1\n\r\n"]), ["\n", "data: 1\n\r\n", ""]);
    }

    #[test]
    fn bytes_that_end_with_an_event_are_not_copied() {
        let bytes = Bytes::from_static(b"data: 1\n\n: ping\n\n");

        let whole = Splitter::default().push(bytes.clone()).expect("small events");

        assert_eq!(whole.as_ptr(), bytes.as_ptr());
        assert_eq!(events(&whole).collect::<Vec<_>>(), [0..9, 9..17]);
    }

    #[test]
    fn an_event_without_end_is_held_to_sixteen_mebibytes() {
        let mut splitter = Splitter::default();
        let piece = Bytes::from(vec![b'x'; 1024 * 1024]);

        for _ in 0..16 {
            assert_eq!(splitter.push(piece.clone()), Ok(Bytes::new()));
        }

        assert_eq!(splitter.push(piece), Err(TooLarge));
    }

    #[test]
    fn the_data_of_an_event_is_found() {
        let check = |event: &str, expected| assert_eq!(payload(event.as_bytes()), expected, "{event:?}");

        check("data: {}\n\n", Payload::Line(b"{}", 6));
        check("event: x\r\nid: 1\r\ndata:{}\r\n\r\n", Payload::Line(b"{}", 22));
        check(": ping\ndata:  {}", Payload::Line(b" {}", 13));
        check("data: {\r\rdata: }\r\r", Payload::Joined(b"{\n}".to_vec()));
        check("data: a\ndata\ndata: b\n\n", Payload::Joined(b"a\n\nb".to_vec()));
        check(": ping\n\n", Payload::Comment);
        check("\n", Payload::Comment);
        check("event: ping\n\n", Payload::Nothing);
        check("event: ping\ndata:\n\n", Payload::Nothing);
        check("database: 1\n\n", Payload::Nothing);
    }
}
