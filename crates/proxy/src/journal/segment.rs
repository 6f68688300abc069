//! The journal's files: each is named after the number of its first record. Recovery reads them all once, cuts what a
//! power cut damaged, and keeps the cut-off bytes beside it for whoever wants to look.

use std::fs::{File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

use super::frame::{self, Frame};

const PREFIX: &str = "journal-";
const SUFFIX: &str = ".log";

/// Bytes of a segment that hold no readable record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Damage {
    pub file: PathBuf,
    pub offset_bytes: u64,
    pub lost_bytes: u64,
}

#[derive(Debug)]
pub(super) struct Recovered {
    /// Number of the newest record there is; 0 when there is none.
    pub(super) last: u64,
    pub(super) bytes: u64,
    pub(super) damages: Vec<Damage>,
}

/// A segment's first number and its path.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Segment {
    pub(super) first: u64,
    pub(super) path: PathBuf,
}

impl Segment {
    pub(super) fn at(directory: &Path, first: u64) -> Self {
        let path = directory.join(format!("{PREFIX}{first:020}{SUFFIX}"));
        Self { first, path }
    }
}

pub(super) fn list(directory: &Path) -> io::Result<Vec<Segment>> {
    let mut segments = Vec::new();
    for entry in std::fs::read_dir(directory)? {
        let path = entry?.path();
        let number = path
            .file_name()
            .and_then(|name| name.to_str())
            .and_then(|name| name.strip_prefix(PREFIX)?.strip_suffix(SUFFIX)?.parse().ok());
        if let Some(first) = number {
            segments.push(Segment { first, path });
        }
    }
    segments.sort();
    Ok(segments)
}

pub(super) fn create(directory: &Path, first: u64) -> io::Result<File> {
    let segment = Segment::at(directory, first);
    let file = OpenOptions::new().create(true).append(true).open(segment.path)?;
    // The name itself has to survive a power cut, too.
    File::open(directory)?.sync_all()?;
    Ok(file)
}

pub(super) fn recover(directory: &Path) -> io::Result<Recovered> {
    let mut recovered = Recovered {
        last: 0,
        bytes: 0,
        damages: Vec::new(),
    };
    for segment in list(directory)? {
        let bytes = std::fs::read(&segment.path)?;
        let (count, whole) = count_frames(&bytes);
        if count > 0 {
            recovered.last = segment.first + count - 1;
        }
        recovered.bytes += whole as u64;
        if whole < bytes.len() {
            recovered.damages.push(cut_off(&segment.path, &bytes, whole)?);
        }
    }
    Ok(recovered)
}

/// How many whole frames the bytes begin with, and where the last of them ends.
fn count_frames(bytes: &[u8]) -> (u64, usize) {
    let mut count = 0;
    let mut rest = bytes;
    while let Frame::Whole { rest: after, .. } = frame::decode(rest) {
        count += 1;
        rest = after;
    }
    (count, bytes.len() - rest.len())
}

fn cut_off(path: &Path, bytes: &[u8], whole: usize) -> io::Result<Damage> {
    let lost = bytes.get(whole..).unwrap_or_default();
    std::fs::write(path.with_extension("damaged"), lost)?;
    let file = OpenOptions::new().write(true).open(path)?;
    file.set_len(whole as u64)?;
    file.sync_all()?;
    Ok(Damage {
        file: path.to_owned(),
        offset_bytes: whole as u64,
        lost_bytes: lost.len() as u64,
    })
}
