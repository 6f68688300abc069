//! Every dialect of callers against every dialect of providers, over the same conversations: what goes out, what comes
//! back, and what must be true of both whatever the pair.

mod callers;
mod cases;
mod content;
mod enveloped;
mod golden;
mod invariants;
mod providers;
mod registry;
mod round;
mod totals;
mod translated;

#[path = "../recorded/mod.rs"]
mod recorded;
#[path = "../stored_frames/mod.rs"]
mod stored_frames;

use std::fs;
use std::path::{Path, PathBuf};

use callers::Caller;
use cases::Case;
use enveloped::Cloud;
use golden::Goldens;
use providers::Provider;
use translated::translate;

/// A file of the fixtures that the dialects' own tests read, too.
fn fixture(path: &str) -> Result<Vec<u8>, String> {
    let path = folder().join("dialects").join(path);
    fs::read(&path).map_err(|error| format!("{}: {error}", path.display()))
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden")
}

/// Runs all cases of all pairs; what is wrong is told together.
fn for_each(mut check: impl FnMut(Caller, Provider, Case) -> Result<(), String>) {
    let mut problems = Vec::new();
    for caller in Caller::all() {
        for provider in Provider::ALL {
            for case in Case::ALL.into_iter().filter(|case| caller.can_ask(*case)) {
                if let Err(problem) = check(caller, provider, case) {
                    problems.push(format!(
                        "{}-{} {}: {problem}",
                        caller.name(),
                        provider.name(),
                        case.name()
                    ));
                }
            }
        }
    }
    assert!(
        problems.is_empty(),
        "{} problems:\n{}",
        problems.len(),
        problems.join("\n")
    );
}

#[test]
fn every_pair_translates_every_case_as_recorded() {
    let mut goldens = Goldens::default();

    for_each(|caller, provider, case| {
        let told = translate(caller, provider, case)?;
        goldens.check(caller, provider.name(), case, &told.to_string())
    });
    for cloud in Cloud::ALL {
        for case in Case::ALL {
            let told = cloud.exchange(case);
            let checked = told.and_then(|told| goldens.check(enveloped::CALLER, cloud.name(), case, &told));
            checked.unwrap_or_else(|problem| panic!("{cloud:?} {}: {problem}", case.name()));
        }
    }

    goldens.nothing_else_is_there();
}

#[test]
fn what_a_caller_is_told_is_what_the_provider_said() {
    for_each(|caller, provider, case| {
        let told = translate(caller, provider, case)?;
        invariants::check(caller, provider, case, &told)
    });
}

#[test]
fn signatures_find_back_to_the_provider_that_made_them() {
    for_each(|caller, provider, case| {
        let told = translate(caller, provider, case)?;
        round::check(caller, provider, &told)
    });
}
