//! Kept responses of one process: a file each, in a folder for each organization. The files are the truth; in memory is
//! only what tells which of them have to go next. They outlive a killed process, though a power cut may take the latest.

use std::collections::{BTreeMap, HashMap};
use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::SystemTime;

use gatewright_types::OrganizationId;

use super::{ResponseId, Shelf};
use crate::CoordError;

/// What a file takes at least.
const BLOCK_BYTES: u64 = 4096;
/// Files half written by a process that was killed. No identifier has a dot.
const UNFINISHED: &str = "unfinished";

#[derive(Debug, Clone)]
pub struct LocalResponses {
    disk: Arc<Disk>,
}

#[derive(Debug)]
struct Disk {
    directory: PathBuf,
    shelf: Shelf,
    kept: Mutex<HashMap<OrganizationId, Kept>>,
}

/// An organization's files, the oldest first.
#[derive(Debug, Default)]
struct Kept {
    sizes: BTreeMap<(SystemTime, ResponseId), u64>,
    total_bytes: u64,
}

impl LocalResponses {
    /// Finds what a former process kept; what is too old by now is removed.
    pub fn open(directory: PathBuf, shelf: Shelf) -> Result<Self, CoordError> {
        let disk = Disk {
            directory,
            shelf,
            kept: Mutex::default(),
        };
        disk.survey().map_err(CoordError::Disk)?;
        Ok(Self { disk: Arc::new(disk) })
    }

    pub(super) async fn keep(
        &self,
        organization: OrganizationId,
        id: &ResponseId,
        entry: String,
    ) -> Result<(), CoordError> {
        let id = id.clone();
        self.on_disk(move |disk| disk.keep(organization, id, &entry)).await?
    }

    pub(super) async fn find(
        &self,
        organization: OrganizationId,
        ids: &[ResponseId],
    ) -> Result<Vec<Option<String>>, CoordError> {
        let ids = ids.to_vec();
        let found = self.on_disk(move |disk| ids.iter().map(|id| disk.find(organization, id)).collect());
        let found: io::Result<_> = found.await?;
        found.map_err(CoordError::Disk)
    }

    pub(super) async fn forget(&self, organization: OrganizationId, id: &ResponseId) -> Result<(), CoordError> {
        let id = id.clone();
        let forgotten = self.on_disk(move |disk| disk.forget(organization, &id)).await?;
        forgotten.map_err(CoordError::Disk)
    }

    /// Disks may be slow: never on a thread that serves requests.
    async fn on_disk<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Disk) -> T + Send + 'static,
    ) -> Result<T, CoordError> {
        let disk = self.disk.clone();
        tokio::task::spawn_blocking(move || work(&disk))
            .await
            .map_err(|error| CoordError::Disk(io::Error::other(error)))
    }
}

impl Disk {
    fn survey(&self) -> io::Result<()> {
        make_directory(&self.directory)?;
        let mut kept = self.kept();
        for folder in fs::read_dir(&self.directory)? {
            let folder = folder?;
            let Some(organization) = name(&folder).and_then(|name| name.parse().ok()) else {
                continue;
            };
            let kept: &mut Kept = kept.entry(organization).or_default();
            for file in fs::read_dir(folder.path())? {
                let file = file?;
                match name(&file).and_then(|name| name.parse().ok()) {
                    Some(id) => {
                        let metadata = file.metadata()?;
                        kept.add(metadata.modified()?, id, metadata.len());
                    }
                    None => fs::remove_file(file.path())?,
                }
            }
        }
        self.remove_expired(&mut kept)
    }

    fn keep(&self, organization: OrganizationId, id: ResponseId, entry: &str) -> Result<(), CoordError> {
        let size = size_of(entry.len() as u64);
        if size > self.shelf.room_bytes {
            return Err(CoordError::TooLarge);
        }
        let mut kept = self.kept();
        let work = || {
            self.remove_expired(&mut kept)?;
            let kept = kept.entry(organization).or_default();
            let folder = self.folder(organization);
            make_directory(&folder)?;
            kept.remove(&folder, &id)?;
            while kept.total_bytes + size > self.shelf.room_bytes {
                let Some(oldest) = kept.sizes.keys().next().cloned() else {
                    break;
                };
                kept.remove_written(&folder, &oldest)?;
            }
            let written = write(&folder, &id, entry)?;
            kept.add(written, id, entry.len() as u64);
            Ok(())
        };
        work().map_err(CoordError::Disk)
    }

    fn find(&self, organization: OrganizationId, id: &ResponseId) -> io::Result<Option<String>> {
        let path = self.folder(organization).join(id.as_str());
        let read = || -> io::Result<_> {
            let is_expired = self.is_expired(fs::metadata(&path)?.modified()?);
            Ok((!is_expired).then_some(fs::read_to_string(&path)?))
        };
        match read() {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            answer => answer,
        }
    }

    fn forget(&self, organization: OrganizationId, id: &ResponseId) -> io::Result<()> {
        let mut kept = self.kept();
        match kept.get_mut(&organization) {
            Some(kept) => kept.remove(&self.folder(organization), id),
            None => Ok(()),
        }
    }

    fn remove_expired(&self, kept: &mut HashMap<OrganizationId, Kept>) -> io::Result<()> {
        for (organization, kept) in kept.iter_mut() {
            let folder = self.folder(*organization);
            while let Some(oldest) = kept.sizes.keys().next().cloned()
                && self.is_expired(oldest.0)
            {
                kept.remove_written(&folder, &oldest)?;
            }
        }
        Ok(())
    }

    fn is_expired(&self, written: SystemTime) -> bool {
        // A clock that was set back makes nothing younger than it is.
        written.elapsed().is_ok_and(|age| age >= self.shelf.time_to_live)
    }

    fn folder(&self, organization: OrganizationId) -> PathBuf {
        self.directory.join(organization.to_string())
    }

    fn kept(&self) -> MutexGuard<'_, HashMap<OrganizationId, Kept>> {
        self.kept.lock().expect("nothing panics while it holds the list")
    }
}

impl Kept {
    fn add(&mut self, written: SystemTime, id: ResponseId, length: u64) {
        let size = size_of(length);
        self.sizes.insert((written, id), size);
        self.total_bytes += size;
    }

    fn remove(&mut self, folder: &Path, id: &ResponseId) -> io::Result<()> {
        match fs::metadata(folder.join(id.as_str())) {
            Ok(metadata) => self.remove_written(folder, &(metadata.modified()?, id.clone())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(error),
        }
    }

    fn remove_written(&mut self, folder: &Path, file: &(SystemTime, ResponseId)) -> io::Result<()> {
        if let Some(size) = self.sizes.remove(file) {
            self.total_bytes -= size;
        }
        match fs::remove_file(folder.join(file.1.as_str())) {
            // Somebody tidied up by hand.
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            done => done,
        }
    }
}

/// The file appears whole or not at all.
fn write(folder: &Path, id: &ResponseId, entry: &str) -> io::Result<SystemTime> {
    let unfinished = folder.join(format!("{id}.{UNFINISHED}"));
    let mut file = OpenOptions::new()
        .create(true)
        .truncate(true)
        .write(true)
        .mode(0o600)
        .open(&unfinished)?;
    file.write_all(entry.as_bytes())?;
    let written = file.metadata()?.modified()?;
    fs::rename(&unfinished, folder.join(id.as_str()))?;
    Ok(written)
}

fn make_directory(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)
}

fn size_of(length: u64) -> u64 {
    length.next_multiple_of(BLOCK_BYTES).max(BLOCK_BYTES)
}

fn name(entry: &fs::DirEntry) -> Option<String> {
    entry.file_name().into_string().ok()
}
