//! Where things are: the paths that every task shares, all below the directory of the workspace's Cargo.toml.

use std::path::{Path, PathBuf};

#[derive(Debug)]
pub(crate) struct Workspace {
    root: PathBuf,
}

impl Workspace {
    /// The checkout that this program was compiled from.
    pub(crate) fn locate() -> Self {
        let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
        let root = manifest.ancestors().nth(2).expect("the manifest is in crates/xtask");
        Self {
            root: root.to_path_buf(),
        }
    }

    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    pub(crate) fn path(&self, below: &str) -> PathBuf {
        self.root.join(below)
    }

    pub(crate) fn target(&self, below: &str) -> PathBuf {
        self.root.join("target").join(below)
    }

    /// What `control` embeds. One file in it is checked in, so that it exists in a fresh clone.
    pub(crate) fn embedded_dashboard(&self) -> PathBuf {
        self.path("crates/control/dashboard-dist")
    }
}
