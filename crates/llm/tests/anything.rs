//! Nothing that comes in breaks anything: noise, damaged examples, and all that fuzzing has found worth keeping.

mod entries;

use std::collections::BTreeSet;
use std::fs;
use std::panic::catch_unwind;
use std::path::{Path, PathBuf};

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use proptest::test_runner::{Config, TestRunner};

use entries::{ENTRIES, Entry};

fn fuzz() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fuzz")
}

/// The folder of recorded examples of an entry, where it has one.
fn seeds(name: &str) -> Option<PathBuf> {
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    let folders = [golden.join("dialects").join(name), golden.join(name)];
    folders.into_iter().find(|folder| folder.is_dir())
}

/// All files below a folder, in order.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display())) {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.push(path);
        }
    }
    found.sort();
    found
}

fn check(bytes: impl Fn(&Entry) -> BoxedStrategy<Vec<u8>>) {
    let config = Config {
        cases: 128,
        failure_persistence: None,
        ..Config::default()
    };
    for entry in ENTRIES {
        let outcome = TestRunner::new(config.clone()).run(&bytes(&entry), |bytes| {
            (entry.run)(&bytes);
            Ok(())
        });
        outcome.unwrap_or_else(|error| panic!("{}: {error}", entry.name));
    }
}

/// An example with pieces of it replaced, by each other or by anything, and perhaps its end cut off.
fn damaged(entry: &Entry) -> BoxedStrategy<Vec<u8>> {
    let Some(folder) = seeds(entry.name) else {
        return vec(any::<u8>(), 0..80).boxed();
    };
    let pieces = select(vec![
        "", "null", "{", "}", "[", "]", "\"", "-1", "9e99", "\\ud800", "\n\n", "\u{0}", "é",
    ]);
    let piece = prop_oneof![pieces.prop_map(|piece| piece.as_bytes().to_vec()), vec(any::<u8>(), 1)];
    let edits = vec((any::<Index>(), 0..12_usize, piece), 0..6);
    (select(files(&folder)), edits, any::<Option<Index>>())
        .prop_map(|(path, edits, cut)| {
            let mut bytes = fs::read(path).expect("an example");
            for (place, length, piece) in edits {
                bytes.push(b' ');
                let start = place.index(bytes.len());
                let end = bytes.len().min(start + length);
                bytes.splice(start..end, piece);
            }
            if let Some(cut) = cut {
                bytes.truncate(cut.index(bytes.len() + 1));
            }
            bytes
        })
        .boxed()
}

#[test]
fn arbitrary_bytes_break_nothing() {
    check(|_| vec(any::<u8>(), 0..300).boxed());
}

/// Events of a stream reach further than noise does.
#[test]
fn arbitrary_events_break_nothing() {
    let event = |data: Vec<u8>| [b"data: {\"", data.as_slice(), b"}\n\n"].concat();
    check(|_| {
        vec(vec(any::<u8>(), 0..60).prop_map(event), 0..4)
            .prop_map(|events| events.concat())
            .boxed()
    });
}

#[test]
fn damaged_examples_break_nothing() {
    check(damaged);
}

#[test]
fn examples_and_the_kept_corpus_break_nothing() {
    let mut broken = Vec::new();
    for entry in ENTRIES {
        let folders = [seeds(entry.name), Some(fuzz().join("corpus").join(entry.name))];
        for path in folders.iter().flatten().flat_map(|folder| files(folder)) {
            let bytes = fs::read(&path).expect("a file");
            if catch_unwind(|| (entry.run)(&bytes)).is_err() {
                broken.push(path);
            }
        }
    }
    assert!(broken.is_empty(), "{broken:#?}");
}

#[test]
fn every_entry_is_a_fuzz_target_with_a_corpus() {
    let manifest = fs::read_to_string(fuzz().join("Cargo.toml")).expect("a manifest");
    let (_, targets) = manifest.split_once("[[bin]]").expect("targets");
    let targets: BTreeSet<&str> = targets
        .lines()
        .filter_map(|line| line.strip_prefix("name = ")?.strip_prefix('"')?.strip_suffix('"'))
        .collect();
    let corpora = fs::read_dir(fuzz().join("corpus")).expect("corpora");
    let corpora: BTreeSet<String> = corpora
        .map(|entry| entry.expect("an entry").file_name().into_string().expect("a name"))
        .collect();
    let entries: BTreeSet<&str> = ENTRIES.iter().map(|entry| entry.name).collect();

    assert_eq!(targets, entries);
    assert_eq!(corpora.iter().map(String::as_str).collect::<BTreeSet<_>>(), entries);
    let size: u64 = files(&fuzz().join("corpus"))
        .iter()
        .map(|path| path.metadata().expect("a file").len())
        .sum();
    assert!(
        size < 1_000_000,
        "the corpus has {size} bytes; fuzz again to minimise it"
    );
}
