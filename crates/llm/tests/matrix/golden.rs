//! The recorded translations: one file for each case of each pair.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use crate::callers::Caller;
use crate::cases::Case;
use crate::folder;

/// Compares, and remembers which files are needed.
#[derive(Default)]
pub(crate) struct Goldens {
    needed: BTreeSet<PathBuf>,
}

#[expect(
    clippy::disallowed_methods,
    reason = "the one setting of this test, read where it is used"
)]
fn updating() -> bool {
    std::env::var_os("UPDATE_GOLDEN").is_some()
}

impl Goldens {
    pub(crate) fn check(&mut self, caller: Caller, provider: &str, case: Case, text: &str) -> Result<(), String> {
        let pair = folder().join("matrix").join(format!("{}-{provider}", caller.name()));
        let path = pair.join(format!("{}.txt", case.name()));
        if updating() {
            fs::create_dir_all(&pair).expect("a writable folder");
            fs::write(&path, text).expect("a writable folder");
        }
        let recorded = fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        self.needed.insert(path);
        let differing = recorded
            .lines()
            .zip(text.lines())
            .find(|(recorded, told)| recorded != told);
        match differing {
            Some((recorded, told)) => Err(format!("recorded:\n{recorded}\nbut is:\n{told}")),
            None if recorded == text => Ok(()),
            None => Err("one is longer than the other".into()),
        }
    }

    /// A file that no case asks for would be taken for a promise.
    pub(crate) fn nothing_else_is_there(&self) {
        for pair in fs::read_dir(folder().join("matrix")).expect("the goldens") {
            let pair = pair.expect("an entry").path();
            for file in fs::read_dir(pair).expect("a pair") {
                let file = file.expect("an entry").path();
                assert!(self.needed.contains(&file), "{} belongs to no case", file.display());
            }
        }
    }
}
