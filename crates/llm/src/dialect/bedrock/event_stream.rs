//! AWS's binary framing of event streams: `application/vnd.amazon.eventstream`. A frame is its total length, the length
//! of its headers and a checksum of these two, then the headers, the payload and a checksum of it all. Cuts bytes into
//! frames as they arrive, and writes frames for those who play the provider.

use bytes::{Buf as _, Bytes, BytesMut};
use thiserror::Error;

/// Bytes that one frame may have.
const LARGEST_FRAME: usize = 16 * 1024 * 1024;
/// The two lengths and their checksum.
const PRELUDE: usize = 12;
const CHECKSUM: usize = 4;

/// The type of a header whose value is text.
const TEXT: u8 = 7;

/// Holds the beginning of a frame until its end arrives.
#[derive(Debug, Default)]
pub(super) struct Frames {
    held: BytesMut,
}

/// One frame, checked.
#[derive(Debug)]
pub(super) struct Frame {
    headers: Bytes,
    pub(super) payload: Bytes,
}

/// Why bytes are no frames. What follows cannot be read either.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub(super) enum Broken {
    #[error("the provider sent a frame of more than 16 MiB")]
    TooLarge,
    #[error("the provider sent a frame whose lengths contradict each other")]
    Lengths,
    #[error("the provider sent a frame with a wrong checksum")]
    Checksum,
    #[error("the provider sent a frame whose headers cannot be read")]
    Headers,
}

/// The headers of a frame, one after the other; `Err` where they stop making sense.
struct Headers<'a> {
    rest: &'a [u8],
}

struct Header<'a> {
    name: &'a [u8],
    /// `None` for a value that is no text.
    text: Option<&'a str>,
}

impl Frames {
    pub(super) fn push(&mut self, bytes: &[u8]) {
        self.held.extend_from_slice(bytes);
    }

    /// The next frame that is whole by then.
    pub(super) fn next(&mut self) -> Result<Option<Frame>, Broken> {
        let Some(prelude) = self.held.get(..PRELUDE) else {
            return Ok(None);
        };
        let mut numbers = prelude;
        let (total, headers, checksum) = (numbers.get_u32(), numbers.get_u32(), numbers.get_u32());
        // Checked before the lengths are believed: else a damaged one could be waited for in vain.
        if checksum_of(prelude, PRELUDE - CHECKSUM) != checksum {
            return Err(Broken::Checksum);
        }
        let (total, headers) = (length(total)?, length(headers)?);
        let payload = total.checked_sub(PRELUDE + CHECKSUM + headers).ok_or(Broken::Lengths)?;
        if self.held.len() < total {
            return Ok(None);
        }
        let mut frame = self.held.split_to(total).freeze();
        let mut checksum = frame.slice(total - CHECKSUM..);
        if checksum_of(&frame, total - CHECKSUM) != checksum.get_u32() {
            return Err(Broken::Checksum);
        }
        frame.advance(PRELUDE);
        let headers = frame.split_to(headers);
        let payload = frame.split_to(payload);
        if (Headers { rest: &headers }).any(|header| header.is_err()) {
            return Err(Broken::Headers);
        }
        Ok(Some(Frame { headers, payload }))
    }
}

impl Frame {
    /// The header of this name, when it is text.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        let mut headers = Headers { rest: &self.headers }.flatten();
        headers.find(|header| header.name == name.as_bytes())?.text
    }
}

impl<'a> Headers<'a> {
    fn take(&mut self, length: usize) -> Result<&'a [u8], Broken> {
        let (taken, rest) = self.rest.split_at_checked(length).ok_or(Broken::Headers)?;
        self.rest = rest;
        Ok(taken)
    }

    fn byte(&mut self) -> Result<u8, Broken> {
        let (byte, rest) = self.rest.split_first().ok_or(Broken::Headers)?;
        self.rest = rest;
        Ok(*byte)
    }

    fn header(&mut self) -> Result<Header<'a>, Broken> {
        let length = usize::from(self.byte()?);
        let name = self.take(length)?;
        let kind = self.byte()?;
        let length = match kind {
            // True and false, which are their types.
            0 | 1 => 0,
            // Numbers of 8, 16, 32 and 64 bits, a time, a UUID.
            2 => 1,
            3 => 2,
            4 => 4,
            5 | 8 => 8,
            9 => 16,
            // Bytes and text.
            6 | TEXT => usize::from(self.take(2)?.get_u16()),
            _ => return Err(Broken::Headers),
        };
        let value = self.take(length)?;
        let text = match kind {
            TEXT => Some(std::str::from_utf8(value).map_err(|_| Broken::Headers)?),
            _ => None,
        };
        Ok(Header { name, text })
    }
}

impl<'a> Iterator for Headers<'a> {
    type Item = Result<Header<'a>, Broken>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let header = self.header();
        if header.is_err() {
            self.rest = &[];
        }
        Some(header)
    }
}

/// Writes one frame. Headers are text; a name has at most 255 bytes and a value 65,535, longer ones are cut.
pub fn write_frame(headers: &[(&str, &str)], payload: &[u8]) -> Vec<u8> {
    let mut written = Vec::new();
    for (name, value) in headers {
        let name_length = u8::try_from(name.len()).unwrap_or(u8::MAX);
        let value_length = u16::try_from(value.len()).unwrap_or(u16::MAX);
        written.push(name_length);
        written.extend(name.bytes().take(name_length.into()));
        written.push(TEXT);
        written.extend(value_length.to_be_bytes());
        written.extend(value.bytes().take(value_length.into()));
    }
    let total = PRELUDE + written.len() + payload.len() + CHECKSUM;
    let mut frame = Vec::with_capacity(total);
    for length in [total, written.len()] {
        frame.extend(u32::try_from(length).unwrap_or(u32::MAX).to_be_bytes());
    }
    frame.extend(crc32fast::hash(&frame).to_be_bytes());
    frame.extend(written);
    frame.extend_from_slice(payload);
    frame.extend(crc32fast::hash(&frame).to_be_bytes());
    frame
}

fn length(told: u32) -> Result<usize, Broken> {
    let length = usize::try_from(told).map_err(|_| Broken::TooLarge)?;
    if length > LARGEST_FRAME {
        return Err(Broken::TooLarge);
    }
    Ok(length)
}

fn checksum_of(bytes: &[u8], length: usize) -> u32 {
    crc32fast::hash(bytes.get(..length).unwrap_or(bytes))
}

#[cfg(test)]
mod tests;
