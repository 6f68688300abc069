//! The part of YAML that routes are written in: maps and lists with and without brackets, plain, quoted and block texts,
//! comments. Everything else (anchors, tags, several documents) is refused with its place and what to write instead.
//! A whole YAML library is a tenth of the dashboard's download.

mod flow;
mod read;
mod scalar;
mod text;
mod write;

pub(crate) use read::{Place, Unreadable, read};
pub(crate) use write::{Yaml, write};

#[cfg(test)]
mod tests;
