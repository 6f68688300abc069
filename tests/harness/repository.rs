//! The repository's own files, for the tests that hold them to its rules.

use std::path::{Path, PathBuf};

use crate::environment::workspace;

const NOT_OURS: [&str; 5] = ["target", "node_modules", ".git", "dashboard-dist", "pkg"];

/// Every file of ours with this ending, by its path from the root.
pub fn files(ending: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    walk(workspace(), ending, &mut found);
    found.sort();
    found
}

pub fn read(path: &Path) -> String {
    let path = workspace().join(path);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn walk(directory: &Path, ending: &str, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(directory)
        .expect("our own directory can be read")
        .flatten()
    {
        let path = entry.path();
        let name = entry.file_name().to_string_lossy().into_owned();
        if path.is_dir() {
            if !NOT_OURS.contains(&name.as_str()) {
                walk(&path, ending, found);
            }
        } else if name.ends_with(ending) {
            found.push(path.strip_prefix(workspace()).expect("it is below the root").to_owned());
        }
    }
}
