//! The master key of a single node: made once, kept in the data directory, readable by its owner only.

use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use gatewright_contract::{Keyring, KeyringError};

const FILE: &str = "master.key";

/// Why there is no master key.
#[derive(Debug, thiserror::Error)]
pub enum MasterKeyError {
    #[error("{path} cannot be read or written")]
    File { path: String, source: io::Error },
    #[error("{path} does not hold a master key; without the one that sealed them, provider secrets are lost")]
    NotAKey { path: String, source: KeyringError },
}

/// The key kept in the data directory, or a new one.
pub(crate) fn generated(data_directory: &Path) -> Result<Keyring, MasterKeyError> {
    let path = data_directory.join(FILE);
    let text = read_or_make(&path).map_err(|source| MasterKeyError::File {
        path: path.display().to_string(),
        source,
    })?;
    Keyring::parse(text.trim()).map_err(|source| MasterKeyError::NotAKey {
        path: path.display().to_string(),
        source,
    })
}

fn read_or_make(path: &Path) -> io::Result<String> {
    match std::fs::read_to_string(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => make(path),
        found => found,
    }
}

/// Written beside its place and moved there: a key cut short by a crash would never be noticed.
fn make(path: &Path) -> io::Result<String> {
    let key = Keyring::mint();
    let fresh = path.with_extension("new");
    let mut file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&fresh)?;
    file.write_all(key.expose().as_bytes())?;
    file.sync_all()?;
    std::fs::rename(&fresh, path)?;
    if let Some(directory) = path.parent() {
        File::open(directory)?.sync_all()?;
    }
    Ok(key.expose().to_owned())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use gatewright_contract::Secret;

    use super::*;

    #[test]
    fn a_generated_key_is_kept_and_only_its_owner_may_read_it() {
        let directory = tempfile::tempdir().expect("a directory");

        let first = generated(directory.path()).expect("a key");
        let second = generated(directory.path()).expect("the same key");

        let sealed = first.seal(&Secret::new("sk-1".to_owned()), "owner");
        assert_eq!(second.open(&sealed, "owner").expect("the same key").expose(), "sk-1");
        let mode = std::fs::metadata(directory.path().join(FILE))
            .expect("the file")
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn a_damaged_key_is_refused_instead_of_replaced() {
        let directory = tempfile::tempdir().expect("a directory");
        std::fs::write(directory.path().join(FILE), "damaged").expect("written");

        let refused = generated(directory.path());

        assert!(matches!(refused, Err(MasterKeyError::NotAKey { .. })), "{refused:?}");
    }
}
