//! Decides whether an answer is complete: a JSON document with usage, or a stream with all of its events and its end
//! mark. Comment lines are part of no event, so a gateway may add them.

use anyhow::{Result, ensure};

use crate::mock::events_of;
use crate::prompt::Answer;

const END: &[u8] = b"data: [DONE]";
const LONGEST_DOCUMENT: usize = 1 << 20;

/// The body of one answer as far as it has come.
#[derive(Debug)]
pub(crate) struct Check {
    expected: Answer,
    /// A line that is not finished yet; of a document, all of it.
    pending: Vec<u8>,
    pub(crate) events: u64,
    ended: bool,
}

impl Check {
    pub(crate) const fn new(expected: Answer) -> Self {
        Self {
            expected,
            pending: Vec::new(),
            events: 0,
            ended: false,
        }
    }

    /// Starts over for the next answer, with the same memory.
    pub(crate) fn reset(&mut self) {
        self.pending.clear();
        self.events = 0;
        self.ended = false;
    }

    pub(crate) fn push(&mut self, mut piece: &[u8]) -> Result<()> {
        if self.expected == Answer::Whole {
            ensure!(
                self.pending.len() + piece.len() <= LONGEST_DOCUMENT,
                "an answer of more than 1 MiB"
            );
            self.pending.extend_from_slice(piece);
            return Ok(());
        }
        while let Some(end) = memchr::memchr(b'\n', piece) {
            let (line, rest) = piece.split_at(end);
            if self.pending.is_empty() {
                self.line(line)?;
            } else {
                self.pending.extend_from_slice(line);
                let whole = std::mem::take(&mut self.pending);
                self.line(&whole)?;
            }
            piece = rest.get(1..).unwrap_or_default();
        }
        self.pending.extend_from_slice(piece);
        Ok(())
    }

    fn line(&mut self, line: &[u8]) -> Result<()> {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if !line.starts_with(b"data:") {
            return Ok(());
        }
        ensure!(!self.ended, "an event after the end mark");
        if line == END {
            self.ended = true;
            return Ok(());
        }
        ensure!(
            memchr::memmem::find(line, b"\"error\"").is_none(),
            "an error within the stream"
        );
        self.events += 1;
        Ok(())
    }

    /// To be asked when the response is done.
    pub(crate) fn finish(&self) -> Result<()> {
        match self.expected {
            Answer::Whole => {
                ensure!(
                    self.pending.starts_with(b"{") && self.pending.ends_with(b"}"),
                    "no JSON document"
                );
                let usage = memchr::memmem::find(&self.pending, b"\"usage\"");
                ensure!(usage.is_some(), "a document without usage");
            }
            Answer::Stream { chunks, .. } => {
                ensure!(self.ended, "a stream without its end mark");
                let expected = events_of(chunks);
                // A translation may tell the role together with the first piece of text.
                let is_whole = self.events == expected || self.events + 1 == expected;
                ensure!(is_whole, "{} events in place of {expected}", self.events);
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn stream(text: &str, cut: usize) -> Result<()> {
        let mut check = Check::new(Answer::Stream {
            chunks: 1,
            pause: Duration::ZERO,
        });
        text.as_bytes().chunks(cut).try_for_each(|piece| check.push(piece))?;
        check.finish()
    }

    #[test]
    fn a_stream_is_complete_with_all_events_and_its_end_mark_however_it_is_cut() {
        let whole = ": comment\n\ndata: {}\n\ndata: {}\r\n\r\ndata: {}\n\ndata: [DONE]\n\n: cost 0\n\n";
        for cut in 1..=whole.len() {
            assert!(stream(whole, cut).is_ok(), "in pieces of {cut}");
        }
    }

    #[test]
    fn what_is_missing_or_too_much_is_told() {
        let check = |text: &str, why: &str| {
            assert_eq!(stream(text, 7).expect_err(text).to_string(), why);
        };

        check("data: {}\n\ndata: {}\n\ndata: {}\n\n", "a stream without its end mark");
        check("data: {}\n\ndata: [DONE]\n\n", "1 events in place of 3");
        check("data: [DONE]\n\ndata: {}\n\n", "an event after the end mark");
        check("data: {\"error\":{}}\n\n", "an error within the stream");
    }

    #[test]
    fn a_document_has_usage_and_both_of_its_ends() {
        let whole = |text: &str| {
            let mut check = Check::new(Answer::Whole);
            check.push(text.as_bytes())?;
            check.finish()
        };

        assert!(whole("{\"usage\":{}}").is_ok());
        assert!(whole("{\"usage\":{").is_err());
        assert!(whole("{}").is_err());
    }
}
