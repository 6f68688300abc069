//! The data directory: made on the first start, closed to other people, used by one process at a time.

use std::fs::{DirBuilder, File, TryLockError};
use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::Path;

/// Holds the directory until it is dropped, or the process ends in whatever way.
#[derive(Debug)]
pub(crate) struct DataDirectory {
    _lock: File,
}

/// Why the directory cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum DataDirectoryError {
    #[error("the data directory {path} cannot be used")]
    Unusable { path: String, source: io::Error },
    #[error("the data directory {path} is used by another process")]
    InUse { path: String },
}

impl DataDirectory {
    pub(crate) fn take(path: &Path) -> Result<Self, DataDirectoryError> {
        let name = || path.display().to_string();
        let unusable = |source| DataDirectoryError::Unusable { path: name(), source };
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(path)
            .map_err(unusable)?;
        let lock = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(path.join("lock"))
            .map_err(unusable)?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { _lock: lock }),
            Err(TryLockError::WouldBlock) => Err(DataDirectoryError::InUse { path: name() }),
            Err(TryLockError::Error(source)) => Err(unusable(source)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_processes_cannot_share_a_directory() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("deep/data");

        let first = DataDirectory::take(&path).expect("it is free");
        let second = DataDirectory::take(&path);
        assert!(matches!(second, Err(DataDirectoryError::InUse { .. })), "{second:?}");

        drop(first);
        DataDirectory::take(&path).expect("it is free again");
    }
}
