//! The recorded translations: one file for each case of each pair.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use crate::callers::Caller;
use crate::cases::Case;
use crate::folder;
use crate::recorded::compare;

/// Compares, and remembers which files are needed.
#[derive(Default)]
pub(crate) struct Goldens {
    needed: BTreeSet<PathBuf>,
}

impl Goldens {
    pub(crate) fn check(&mut self, caller: Caller, provider: &str, case: Case, text: &str) -> Result<(), String> {
        let pair = folder().join("matrix").join(format!("{}-{provider}", caller.name()));
        let path = pair.join(format!("{}.txt", case.name()));
        let compared = compare(&path, text);
        self.needed.insert(path);
        compared
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
