//! How much of its steps an evaluation has left.

use std::borrow::Cow;

use crate::failed::Failed;
use crate::limits::{self, BYTES_OF_A_STEP, PATTERN_BYTES_OF_A_STEP};
use crate::value::{List, Map, Value};

#[derive(Debug)]
pub(crate) struct Budget {
    left: u32,
}

impl Budget {
    pub(crate) fn new() -> Self {
        Self { left: limits::STEPS }
    }

    pub(crate) fn spend(&mut self, steps: usize) -> Result<(), Failed> {
        let left = u32::try_from(steps).ok().and_then(|steps| self.left.checked_sub(steps));
        self.left = left.ok_or(Failed::Cost)?;
        Ok(())
    }

    /// For text that is copied, compared or searched.
    pub(crate) fn spend_text(&mut self, bytes: usize) -> Result<(), Failed> {
        self.spend(bytes / BYTES_OF_A_STEP)
    }

    pub(crate) fn spend_search(&mut self, bytes: usize, pattern_bytes: usize) -> Result<(), Failed> {
        self.spend(bytes.saturating_mul(pattern_bytes.max(BYTES_OF_A_STEP / 4)) / PATTERN_BYTES_OF_A_STEP)
    }

    /// For a copy of a value. What is borrowed costs nothing.
    pub(crate) fn spend_copy(&mut self, value: &Value<'_>) -> Result<(), Failed> {
        match value {
            Value::String(Cow::Owned(text)) => self.spend_text(text.len()),
            Value::Bytes(Cow::Owned(bytes)) => self.spend_text(bytes.len()),
            _ => Ok(()),
        }
    }

    /// For a value that becomes part of another one. Lists share their elements, so that a few steps could make one that
    /// is too large to be walked over: it costs as much as if they did not.
    pub(crate) fn spend_whole(&mut self, value: &Value<'_>) -> Result<(), Failed> {
        match value {
            Value::List(List::Made(values)) => {
                self.spend(values.len())?;
                values.iter().try_for_each(|value| self.spend_whole(value))
            }
            Value::Map(Map::Made(entries)) => {
                self.spend(entries.len())?;
                entries.iter().try_for_each(|(key, value)| {
                    self.spend_whole(key)?;
                    self.spend_whole(value)
                })
            }
            other => self.spend_copy(other),
        }
    }
}
