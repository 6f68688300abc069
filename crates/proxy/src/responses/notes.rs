//! Which responses this node has made in the background and not seen the end of, as empty files in its data directory: a
//! node that starts again asks about them where it had stopped. What they are is in the memory of responses.

use std::fs::{self, DirBuilder, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use gatewright_coord::ResponseId;
use gatewright_types::OrganizationId;

#[derive(Debug, Clone)]
pub(super) struct Notes {
    folder: PathBuf,
}

impl Notes {
    pub(super) const fn new(folder: PathBuf) -> Self {
        Self { folder }
    }

    pub(super) async fn note(&self, organization: OrganizationId, id: &ResponseId) {
        let path = self.path(organization, id);
        let note = move |folder: &Path| {
            DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
            let mut options = OpenOptions::new();
            options.create(true).write(true).truncate(true).mode(0o600);
            options.open(path).map(drop)
        };
        if let Err(error) = self.on_disk(note).await {
            tracing::warn!(
                %error, organization.id = %organization,
                "a response that is made in the background cannot be noted: after a restart it is billed when somebody asks for it"
            );
        }
    }

    pub(super) async fn forget(&self, organization: OrganizationId, id: &ResponseId) {
        let path = self.path(organization, id);
        // One that is left over is found to be of nothing after a restart.
        let _ = self.on_disk(move |_| fs::remove_file(path)).await;
    }

    pub(super) async fn all(&self) -> Vec<(OrganizationId, ResponseId)> {
        let read = |folder: &Path| {
            let mut noted = Vec::new();
            for file in fs::read_dir(folder)? {
                let name = file?.file_name();
                let parts = name.to_str().and_then(|name| name.split_once('.'));
                if let Some((Ok(organization), Ok(id))) = parts.map(|(one, other)| (one.parse(), other.parse())) {
                    noted.push((organization, id));
                }
            }
            Ok(noted)
        };
        match self.on_disk(read).await {
            Ok(noted) => noted,
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            Err(error) => {
                tracing::warn!(%error, "what was made in the background before this start cannot be read");
                Vec::new()
            }
        }
    }

    fn path(&self, organization: OrganizationId, id: &ResponseId) -> PathBuf {
        self.folder.join(format!("{organization}.{}", id.as_str()))
    }

    /// Disks may be slow: never on a thread that serves requests.
    async fn on_disk<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Path) -> io::Result<T> + Send + 'static,
    ) -> io::Result<T> {
        let folder = self.folder.clone();
        let done = tokio::task::spawn_blocking(move || work(&folder)).await;
        done.unwrap_or_else(|error| Err(io::Error::other(error)))
    }
}
