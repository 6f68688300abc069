//! A number that changes when anything that the dashboard is made of changes: its sources, the types that it shares with
//! the server, the versions and profiles it is compiled with, and the code here that packs it.

use std::collections::BTreeMap;
use std::fs;
use std::hash::{DefaultHasher, Hasher};

use anyhow::{Context, Result};

use super::tree;
use crate::workspace::Workspace;

const MADE_OF: [&str; 6] = [
    ".cargo/config.toml",
    "Cargo.lock",
    "Cargo.toml",
    "crates/types",
    "crates/xtask/src/dashboard",
    "frontend",
];

/// `circumstances` is what else the result depends on, such as the compiler.
pub(crate) fn of(workspace: &Workspace, circumstances: &str) -> Result<String> {
    let mut files = BTreeMap::new();
    for name in MADE_OF {
        let path = workspace.path(name);
        if path.is_dir() {
            let below = tree::read(&path)?;
            files.extend(
                below
                    .into_iter()
                    .map(|(inner, contents)| (format!("{name}/{inner}"), contents)),
            );
        } else {
            let contents = fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
            files.insert(name.to_owned(), contents);
        }
    }
    Ok(format!("{circumstances} {}", digest(&files)))
}

/// Sixteen hexadecimal digits of the contents; also what asset names carry.
pub(crate) fn short_hash(bytes: &[u8]) -> String {
    let mut hasher = DefaultHasher::new();
    hasher.write(bytes);
    format!("{:016x}", hasher.finish())
}

fn digest(files: &BTreeMap<String, Vec<u8>>) -> String {
    let listing: Vec<String> = files
        .iter()
        .map(|(name, contents)| format!("{name} {} {}\n", contents.len(), short_hash(contents)))
        .collect();
    short_hash(listing.concat().as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(list: &[(&str, &str)]) -> BTreeMap<String, Vec<u8>> {
        list.iter()
            .map(|(name, text)| ((*name).to_owned(), text.as_bytes().to_vec()))
            .collect()
    }

    #[test]
    fn contents_and_names_both_count() {
        let first = digest(&files(&[("a", "1"), ("b", "2")]));

        assert_eq!(first, digest(&files(&[("b", "2"), ("a", "1")])));
        assert_ne!(first, digest(&files(&[("a", "1"), ("b", "3")])));
        assert_ne!(first, digest(&files(&[("a", "1"), ("c", "2")])));
        assert_ne!(first, digest(&files(&[("a", "12"), ("b", "")])));
    }
}
