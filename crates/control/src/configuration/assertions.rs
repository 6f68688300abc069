//! What a configuration is held to: requests, and where each has to go. Checked where the file is, with nobody asked.

use chrono::{DateTime, Utc};
use gatewright_types::api::{Assertion, Assertions, Decision, Document, Expectation, Verdict};
use schemars::Schema;
use schemars::generate::SchemaSettings;
use serde_json::Value;

use super::offline::{Compiled, compile_document};
use crate::check::{FieldProblem, Shape};

/// The JSON Schema of a file of assertions.
pub fn assertions_schema() -> Schema {
    SchemaSettings::draft2020_12()
        .for_deserialize()
        .into_generator()
        .into_root_schema_for::<Assertions>()
}

/// Reads a file of assertions, or tells everything that is wrong with it.
pub fn check_assertions(value: &Value) -> Result<Assertions, Vec<FieldProblem>> {
    let read: Assertions = Shape::of::<Assertions>().read(value)?;
    let mut problems = Vec::new();
    for (index, assertion) in read.assertions.iter().enumerate() {
        if assertion.expect == Expectation::default() {
            problems.push(FieldProblem {
                path: format!("assertions[{index}].expect"),
                message: "says nothing; name a target, targets, what is dropped, or an error".to_owned(),
            });
        }
    }
    if problems.is_empty() { Ok(read) } else { Err(problems) }
}

/// Every assertion that does not hold, each in one line with the way that was taken instead; the path of a problem says
/// which assertion it is. Documents that do not compile are for others to complain about.
pub fn failures(documents: &[Document], assertions: &Assertions, now: DateTime<Utc>) -> Vec<FieldProblem> {
    let mut compiled = Vec::with_capacity(documents.len());
    for document in documents {
        match compile_document(document) {
            Ok(tenant) => compiled.push((document, tenant)),
            Err(problems) => return problems,
        }
    }
    let mut failed = Vec::new();
    for (index, assertion) in assertions.assertions.iter().enumerate() {
        let mut note = |message: String| {
            failed.push(FieldProblem {
                path: format!("assertions[{index}] {:?}", assertion.name),
                message,
            });
        };
        match of(&compiled, assertion) {
            Err(message) => note(message),
            Ok(tenant) => match tenant.explain(&assertion.request, now) {
                Err(error) => note(error.to_string()),
                Ok(explanation) => differences(&assertion.expect, &explanation.decision)
                    .into_iter()
                    .for_each(note),
            },
        }
    }
    failed
}

/// The configuration that an assertion is about.
fn of<'a>(compiled: &'a [(&Document, Compiled)], assertion: &Assertion) -> Result<&'a Compiled, String> {
    let named = assertion.organization.as_ref();
    let found = compiled
        .iter()
        .find(|(document, _)| named.is_none_or(|slug| *slug == document.organization));
    match (found, named) {
        (Some(_), None) if compiled.len() > 1 => {
            Err("the file describes several organizations; say which one in organization".to_owned())
        }
        (Some((_, tenant)), _) => Ok(tenant),
        (None, Some(slug)) => Err(format!("the file describes no organization {slug}")),
        (None, None) => Err("the file describes no organization".to_owned()),
    }
}

fn differences(expect: &Expectation, decision: &Decision) -> Vec<String> {
    let mut different = Vec::new();
    let asked: Vec<_> = decision.route.kept().map(|kept| kept.target.to_string()).collect();
    let found = match &decision.error {
        Some(error) => format!("error {}: {}", error.code, error.message),
        None => asked.join(", then "),
    };
    let way = way(decision);
    if let Some(target) = &expect.target
        && (decision.error.is_some() || asked.first() != Some(&target.to_string()))
    {
        different.push(format!("expected {target} first, found {found}{way}"));
    }
    if let Some(targets) = &expect.targets {
        let expected: Vec<_> = targets.iter().map(ToString::to_string).collect();
        if decision.error.is_some() || asked != expected {
            let expected = expected.join(", then ");
            different.push(format!("expected {expected}, found {found}{way}"));
        }
    }
    for (target, reason) in &expect.dropped {
        different.extend(not_dropped(target, reason, decision).map(|why| format!("{why}{way}")));
    }
    let code = decision.error.as_ref().map(|error| &*error.code);
    if let Some(expected) = &expect.error
        && code != Some(expected)
    {
        different.push(format!("expected error {expected}, found {found}{way}"));
    }
    different
}

fn not_dropped(target: &str, reason: &str, decision: &Decision) -> Option<String> {
    let candidates = decision.route.candidates.iter();
    let mut named = candidates.filter(|candidate| candidate.target.to_string() == target);
    let Some(candidate) = named.next() else {
        return Some(format!(
            "expected {target} to be dropped; the way that was taken does not lead there"
        ));
    };
    match &candidate.verdict {
        Verdict::Kept { order, .. } => Some(format!(
            "expected {target} to be dropped; it is asked as number {order}"
        )),
        Verdict::Dropped { why } if why.contains(reason) => None,
        Verdict::Dropped { why } => Some(format!("expected {target} to be dropped for {reason:?}; it {why}")),
    }
}

/// What was decided on the way, where anything was.
fn way(decision: &Decision) -> String {
    let steps = decision.route.steps.iter();
    let steps: Vec<_> = steps.map(|step| format!("{}: {}", step.place, step.why)).collect();
    match steps.is_empty() {
        true => String::new(),
        false => format!(" ({})", steps.join("; ")),
    }
}
