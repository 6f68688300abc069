use gatewright_contract::{Digest, KeyUnit, UnitBody};
use gatewright_types::KeyId;

use super::*;

fn key(organization: OrganizationId, revision: u64, secret: &str) -> Unit {
    let body = UnitBody::Key(KeyUnit::new(KeyId::mint()));
    Unit {
        organization,
        id: UnitId::Key(Digest::of(secret.as_bytes())),
        revision: Revision(revision),
        body: Some(body),
    }
}

fn restored(path: &Path) -> (Vec<Unit>, Option<Mark>) {
    let mut units = Vec::new();
    let found = SnapshotFile::restore(path, |unit| units.push(unit)).expect("the file can be read");
    (units, found.map(|(_, mark)| mark))
}

fn mark(up_to: u64, cut_off_bytes: u64) -> Option<Mark> {
    Some(Mark {
        epoch: "e".to_owned(),
        up_to: Revision(up_to),
        foreign: false,
        cut_off_bytes,
    })
}

/// A file with two marked pages.
fn written(path: &Path) -> [Unit; 3] {
    let organization = OrganizationId::mint();
    let units = [
        key(organization, 1, "a"),
        key(organization, 2, "b"),
        key(organization, 5, "c"),
    ];
    let [a, b, c] = &units;
    let mut file = SnapshotFile::begin(path, "e").expect("begun");
    file.append(&[a.clone(), b.clone()], Revision(3)).expect("written");
    file.append(std::slice::from_ref(c), Revision(6)).expect("written");
    file.replace(path).expect("in place");
    units
}

#[test]
fn what_was_written_is_restored_and_can_be_continued() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("snapshot.jsonl");
    let units = written(&path);
    let (mut file, _) = SnapshotFile::restore(&path, |_| {}).expect("readable").expect("of use");
    let later = Unit {
        revision: Revision(7),
        body: None,
        ..units[0].clone()
    };

    file.append(std::slice::from_ref(&later), Revision(7)).expect("written");

    assert_eq!(
        restored(&path),
        (vec![units[1].clone(), units[2].clone(), later], mark(7, 0))
    );
}

#[test]
fn no_file_is_no_snapshot() {
    let directory = tempfile::tempdir().expect("a directory");

    assert_eq!(restored(&directory.path().join("snapshot.jsonl")), (Vec::new(), None));
}

#[test]
fn a_damaged_tail_is_cut_off_at_the_last_mark_wherever_the_damage_is() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("snapshot.jsonl");
    let units = written(&path);
    let whole = std::fs::read(&path).expect("readable");
    let first_mark = {
        let lines: Vec<_> = whole.split_inclusive(|byte| *byte == b'\n').collect();
        lines.iter().take(4).map(|line| line.len()).sum::<usize>()
    };

    for size in first_mark..whole.len() {
        std::fs::write(&path, &whole[..size]).expect("cut");
        let cut_off = (size - first_mark) as u64;
        assert_eq!(
            restored(&path),
            (units[..2].to_vec(), mark(3, cut_off)),
            "cut at {size}"
        );
        assert_eq!(std::fs::metadata(&path).expect("there").len(), first_mark as u64);
    }

    for at in first_mark..whole.len() {
        let mut flipped = whole.clone();
        flipped[at] ^= 0x10;
        std::fs::write(&path, &flipped).expect("damaged");
        let (found, mark) = restored(&path);
        assert_eq!(
            (found, mark.map(|mark| mark.up_to)),
            (units[..2].to_vec(), Some(Revision(3))),
            "flipped at {at}"
        );
    }
}

#[test]
fn a_file_without_a_whole_page_is_of_no_use() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("snapshot.jsonl");
    written(&path);
    let whole = std::fs::read(&path).expect("readable");

    for garbage in [&b"not a snapshot\n"[..], &whole[..60], b""] {
        std::fs::write(&path, garbage).expect("written");
        assert_eq!(restored(&path), (Vec::new(), None));
    }
}

#[test]
fn a_mostly_old_file_is_written_anew_without_what_is_gone() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("snapshot.jsonl");
    let units = written(&path);
    let (mut file, _) = SnapshotFile::restore(&path, |_| {}).expect("readable").expect("of use");
    let latest = |n: u64| Unit {
        revision: Revision(10 + n),
        ..units[0].clone()
    };
    for n in 0..10 {
        file.append(&[latest(n)], Revision(10 + n)).expect("written");
    }
    let gone = Unit {
        revision: Revision(20),
        body: None,
        ..units[1].clone()
    };
    file.append(&[gone], Revision(20)).expect("written");
    let before = std::fs::metadata(&path).expect("there").len();

    let (_, found) = SnapshotFile::restore(&path, |_| {}).expect("readable").expect("of use");
    let after = std::fs::metadata(&path).expect("there").len();

    assert_eq!(Some(found), mark(20, 0));
    assert!(after < before / 2, "{before} bytes became {after}");
    assert_eq!(restored(&path), (vec![units[2].clone(), latest(9)], mark(20, 0)));
}
