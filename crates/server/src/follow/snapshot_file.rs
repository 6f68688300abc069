//! The last good configuration on the disk of a node that has no database: it can start with it while Redis is away.
//! A file of units as they came, one JSON line each with its checksum, and a mark wherever all up to a revision was
//! there. Provider secrets in it are sealed. What a power cut damaged is cut off at the last mark.

use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::io::{self, BufRead as _, BufReader, BufWriter, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use gatewright_contract::{Revision, Unit, UnitId};
use gatewright_types::OrganizationId;
use serde::{Deserialize, Serialize};

const FORMAT: u32 = 1;
const RELEASE: &str = env!("CARGO_PKG_VERSION");
/// A file with this many lines more than it needs is written anew while the node runs.
const SPARE_LINES: u64 = 200_000;
const CHECKSUM_CHARACTERS: usize = 8;

/// An open snapshot file, to be appended to.
#[derive(Debug)]
pub(crate) struct SnapshotFile {
    path: PathBuf,
    output: BufWriter<File>,
    epoch: String,
    /// How many lines hold units, and how many of those it takes.
    lines: u64,
    live: u64,
}

/// Where a file leaves off.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mark {
    pub(crate) epoch: String,
    pub(crate) up_to: Revision,
    /// Another release wrote it, which may have passed over kinds of units that this one knows.
    pub(crate) foreign: bool,
    /// Bytes behind the last mark that were cut off.
    pub(crate) cut_off_bytes: u64,
}

/// A line as it is written.
#[derive(Debug, Serialize)]
#[serde(rename_all = "snake_case")]
enum NewLine<'a> {
    Header {
        format: u32,
        release: &'a str,
        epoch: &'a str,
    },
    Unit(&'a Unit),
    UpTo(Revision),
}

/// A line as the second reading needs it: only units count.
#[derive(Debug, Deserialize)]
struct Line {
    #[serde(default)]
    unit: Option<Unit>,
}

/// A line as the first reading needs it: the units' bodies do not matter.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
enum LineHead {
    Header {
        format: u32,
        release: String,
        epoch: String,
    },
    Unit {
        organization: OrganizationId,
        id: UnitId,
    },
    UpTo(Revision),
}

/// What a first reading found.
#[derive(Debug)]
struct Survey {
    mark: Mark,
    /// Where the last mark ends.
    size_bytes: u64,
    lines: u64,
    /// The number of the line that holds a unit's latest version, by the hash of its name.
    latest: HashMap<u64, u64>,
}

impl SnapshotFile {
    /// Opens the file a former run left, giving each of its units once to `take`. `None` when there is nothing of use.
    pub(crate) fn restore(path: &Path, take: impl FnMut(Unit)) -> io::Result<Option<(Self, Mark)>> {
        let file = match File::open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let Some(mut survey) = Survey::of(file)? else {
            return Ok(None);
        };
        if survey.lines > 2 * survey.latest.len() as u64 {
            rewrite(path, &survey)?;
            survey = Survey::of(File::open(path)?)?.ok_or(io::ErrorKind::InvalidData)?;
        } else {
            OpenOptions::new().write(true).open(path)?.set_len(survey.size_bytes)?;
        }
        survey.each_latest(path, take)?;
        let mark = survey.mark.clone();
        Ok(Some((Self::open(path, &survey)?, mark)))
    }

    /// Begins a file of another epoch beside the current one.
    pub(crate) fn begin(path: &Path, epoch: &str) -> io::Result<Self> {
        let fresh = beside(path);
        let mut output = BufWriter::new(create(&fresh)?);
        write_header(&mut output, epoch)?;
        Ok(Self {
            path: fresh,
            output,
            epoch: epoch.to_owned(),
            lines: 0,
            live: 0,
        })
    }

    /// Appends units, after which everything up to a revision is in the file.
    pub(crate) fn append(&mut self, units: &[Unit], up_to: Revision) -> io::Result<()> {
        for unit in units {
            write_line(&mut self.output, &NewLine::Unit(unit))?;
        }
        self.lines += units.len() as u64;
        write_line(&mut self.output, &NewLine::UpTo(up_to))?;
        self.output.flush()
    }

    /// Takes the place of the file at `path`.
    pub(crate) fn replace(mut self, path: &Path) -> io::Result<Self> {
        self.output.flush()?;
        self.output.get_ref().sync_all()?;
        std::fs::rename(&self.path, path)?;
        self.path = path.to_owned();
        self.live = self.lines;
        Ok(self)
    }

    pub(crate) fn is_mostly_old(&self) -> bool {
        self.lines > 2 * self.live + SPARE_LINES
    }

    /// Writes the file anew without what was overwritten since.
    pub(crate) fn compact(self) -> io::Result<Self> {
        let path = self.path;
        drop(self.output);
        let survey = Survey::of(File::open(&path)?)?.ok_or(io::ErrorKind::InvalidData)?;
        rewrite(&path, &survey)?;
        let survey = Survey::of(File::open(&path)?)?.ok_or(io::ErrorKind::InvalidData)?;
        Self::open(&path, &survey)
    }

    fn open(path: &Path, survey: &Survey) -> io::Result<Self> {
        let output = BufWriter::new(OpenOptions::new().append(true).open(path)?);
        let epoch = survey.mark.epoch.clone();
        Ok(Self {
            path: path.to_owned(),
            output,
            epoch,
            lines: survey.lines,
            live: survey.latest.len() as u64,
        })
    }

    pub(crate) fn epoch(&self) -> &str {
        &self.epoch
    }
}

impl Survey {
    /// Reads up to the first line that is damaged. `None` when no mark comes before it.
    fn of(file: File) -> io::Result<Option<Self>> {
        let total_bytes = file.metadata()?.len();
        let mut lines = Lines::new(file);
        let Some(LineHead::Header {
            format: FORMAT,
            release,
            epoch,
        }) = lines.next::<LineHead>()?
        else {
            return Ok(None);
        };
        let (mut marked, mut count) = (None, 0);
        let mut latest = HashMap::new();
        let mut unmarked = Vec::new();
        while let Some(line) = lines.next::<LineHead>()? {
            match line {
                LineHead::Header { .. } => break,
                LineHead::Unit { organization, id } => unmarked.push((name_hash(organization, id), lines.number)),
                LineHead::UpTo(up_to) => {
                    count += unmarked.len() as u64;
                    latest.extend(unmarked.drain(..));
                    marked = Some((up_to, lines.offset_bytes));
                }
            }
        }
        Ok(marked.map(|(up_to, size_bytes)| {
            let cut_off_bytes = total_bytes - size_bytes;
            let mark = Mark {
                epoch,
                up_to,
                foreign: release != RELEASE,
                cut_off_bytes,
            };
            Self {
                mark,
                size_bytes,
                lines: count,
                latest,
            }
        }))
    }

    /// Gives the latest version of each unit up to the last mark.
    fn each_latest(&self, path: &Path, mut take: impl FnMut(Unit)) -> io::Result<()> {
        let mut lines = Lines::new(File::open(path)?);
        while lines.offset_bytes < self.size_bytes {
            let Some(line) = lines.next::<Line>()? else {
                return Ok(());
            };
            let Some(unit) = line.unit else { continue };
            if self.latest.get(&name_hash(unit.organization, unit.id)) == Some(&lines.number) {
                take(unit);
            }
        }
        Ok(())
    }
}

/// Copies what counts, without the notes of what is gone.
fn rewrite(path: &Path, survey: &Survey) -> io::Result<()> {
    let fresh = beside(path);
    let mut output = BufWriter::new(create(&fresh)?);
    write_header(&mut output, &survey.mark.epoch)?;
    let mut written = Ok(());
    survey.each_latest(path, |unit| {
        if written.is_ok() && unit.body.is_some() {
            written = write_line(&mut output, &NewLine::Unit(&unit));
        }
    })?;
    written?;
    write_line(&mut output, &NewLine::UpTo(survey.mark.up_to))?;
    output.flush()?;
    output.get_ref().sync_all()?;
    std::fs::rename(&fresh, path)
}

fn beside(path: &Path) -> PathBuf {
    path.with_extension("new")
}

fn create(path: &Path) -> io::Result<File> {
    OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(path)
}

fn write_header(output: &mut impl io::Write, epoch: &str) -> io::Result<()> {
    write_line(
        output,
        &NewLine::Header {
            format: FORMAT,
            release: RELEASE,
            epoch,
        },
    )
}

fn write_line(output: &mut impl io::Write, line: &NewLine<'_>) -> io::Result<()> {
    let json = serde_json::to_vec(line)?;
    write!(output, "{:08x} ", crc32fast::hash(&json))?;
    output.write_all(&json)?;
    output.write_all(b"\n")
}

/// Two units of an installation with the same 64 bits are less likely than a broken disk.
fn name_hash(organization: OrganizationId, id: UnitId) -> u64 {
    let mut hasher = DefaultHasher::new();
    (organization, id).hash(&mut hasher);
    hasher.finish()
}

/// Reads checked lines until the first one that does not hold.
struct Lines {
    input: BufReader<File>,
    buffer: Vec<u8>,
    number: u64,
    /// Where the last good line ends.
    offset_bytes: u64,
}

impl Lines {
    fn new(file: File) -> Self {
        Self {
            input: BufReader::with_capacity(1 << 18, file),
            buffer: Vec::new(),
            number: 0,
            offset_bytes: 0,
        }
    }

    fn next<T: for<'de> Deserialize<'de>>(&mut self) -> io::Result<Option<T>> {
        self.buffer.clear();
        let read = self.input.read_until(b'\n', &mut self.buffer)?;
        let line = self
            .buffer
            .strip_suffix(b"\n")
            .and_then(checked)
            .and_then(|json| serde_json::from_slice(json).ok());
        if line.is_some() {
            self.number += 1;
            self.offset_bytes += read as u64;
        }
        Ok(line)
    }
}

fn checked(line: &[u8]) -> Option<&[u8]> {
    let (checksum, json) = line.split_at_checked(CHECKSUM_CHARACTERS)?;
    let json = json.strip_prefix(b" ")?;
    let expected = u32::from_str_radix(std::str::from_utf8(checksum).ok()?, 16).ok()?;
    (crc32fast::hash(json) == expected).then_some(json)
}

#[cfg(test)]
mod tests;
