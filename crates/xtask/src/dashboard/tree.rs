//! Directories as values: all files below one by their relative names, and a directory made equal to such a value.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

/// File contents by path below the directory, with `/` between the parts.
pub(crate) type Files = BTreeMap<String, Vec<u8>>;

pub(crate) fn read(directory: &Path) -> Result<Files> {
    let mut files = Files::new();
    collect(directory, "", &mut files)?;
    Ok(files)
}

/// Makes the directory hold these files and no others but `kept`. A file that is right already is not written, so that
/// cargo sees a change only where there is one.
pub(crate) fn mirror(files: &Files, directory: &Path, kept: &[&str]) -> Result<()> {
    fs::create_dir_all(directory).with_context(|| format!("cannot create {}", directory.display()))?;
    let present = read(directory)?;
    for name in present.keys() {
        if !files.contains_key(name) && !kept.contains(&name.as_str()) {
            let path = directory.join(name);
            fs::remove_file(&path).with_context(|| format!("cannot remove {}", path.display()))?;
        }
    }
    for (name, contents) in files {
        if present.get(name) == Some(contents) {
            continue;
        }
        let path = directory.join(name);
        let parent = path.parent().unwrap_or(directory);
        fs::create_dir_all(parent).with_context(|| format!("cannot create {}", parent.display()))?;
        fs::write(&path, contents).with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(())
}

fn collect(directory: &Path, prefix: &str, files: &mut Files) -> Result<()> {
    let entries = fs::read_dir(directory).with_context(|| format!("cannot read {}", directory.display()))?;
    for entry in entries {
        let path = entry
            .with_context(|| format!("cannot read {}", directory.display()))?
            .path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if path.is_dir() {
            collect(&path, &format!("{prefix}{name}/"), files)?;
        } else {
            let contents = fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
            files.insert(format!("{prefix}{name}"), contents);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(list: &[(&str, &str)]) -> Files {
        list.iter()
            .map(|(name, text)| ((*name).to_owned(), text.as_bytes().to_vec()))
            .collect()
    }

    #[test]
    fn a_mirrored_directory_holds_the_files_and_what_was_to_be_kept() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        mirror(
            &files(&[("keep.html", "k"), ("old.js", "o"), ("assets/a.css", "1")]),
            directory.path(),
            &[],
        )
        .expect("written");

        mirror(
            &files(&[("index.html", "i"), ("assets/a.css", "2")]),
            directory.path(),
            &["keep.html"],
        )
        .expect("written");

        let wanted = files(&[("keep.html", "k"), ("index.html", "i"), ("assets/a.css", "2")]);
        assert_eq!(read(directory.path()).expect("read"), wanted);
    }

    #[test]
    fn an_unchanged_file_is_not_written_again() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let same = files(&[("index.html", "i")]);
        mirror(&same, directory.path(), &[]).expect("written");
        let modified = || fs::metadata(directory.path().join("index.html")).and_then(|data| data.modified());
        let before = modified().expect("there is a time");

        mirror(&same, directory.path(), &[]).expect("read");

        assert_eq!(modified().expect("there is a time"), before);
    }
}
