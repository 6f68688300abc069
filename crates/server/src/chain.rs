//! An error with all its causes, as a person or a log needs it.

use std::error::Error;
use std::fmt;

/// Prints an error, then each of its causes that says something more.
pub(crate) struct Chain<'a>(pub(crate) &'a dyn Error);

impl fmt::Display for Chain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut told = self.0.to_string();
        f.write_str(&told)?;
        let mut cause = self.0.source();
        while let Some(error) = cause {
            let text = error.to_string();
            if !told.ends_with(&text) {
                write!(f, ": {text}")?;
            }
            told = text;
            cause = error.source();
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("the file cannot be used")]
    struct Outer(#[source] Transparent);

    #[derive(Debug, thiserror::Error)]
    #[error("the disk is full")]
    struct Transparent(#[source] io::Error);

    #[test]
    fn each_cause_is_told_once() {
        let error = Outer(Transparent(io::Error::other("the disk is full")));

        assert_eq!(Chain(&error).to_string(), "the file cannot be used: the disk is full");
    }
}
