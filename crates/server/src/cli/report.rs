//! What `plan` and `apply` print.

use gatewright_types::api::{ApplyReport, Change, ChangeKind};

use super::arguments::Form;
use super::say;

pub(super) fn plan(reports: &[ApplyReport], form: Form) {
    print(reports, form, "nothing to change");
}

/// Minted secrets are among what is printed: nobody will ever see them again.
pub(super) fn applied(reports: &[ApplyReport], form: Form) {
    print(reports, form, "nothing changed");
}

fn print(reports: &[ApplyReport], form: Form, nothing: &str) {
    match form {
        Form::Json => say(serde_json::json!({ "reports": reports })),
        Form::ForPeople => {
            for report in reports {
                lines(report, nothing).iter().for_each(say);
            }
        }
    }
}

fn lines(report: &ApplyReport, nothing: &str) -> Vec<String> {
    let mut lines = Vec::new();
    match report.changes.is_empty() {
        true => lines.push(format!("{}: {nothing}", report.organization)),
        false => lines.push(format!("{}:", report.organization)),
    }
    lines.extend(report.changes.iter().map(line));
    if !report.minted.is_empty() {
        lines.push("secrets, shown this once:".to_owned());
        lines.extend(report.minted.iter().map(|(name, secret)| format!("  {name}: {secret}")));
    }
    lines
}

fn line(change: &Change) -> String {
    let sign = match change.kind {
        ChangeKind::Create => '+',
        ChangeKind::Update => '~',
        ChangeKind::Remove => '-',
    };
    let Change {
        resource, name, fields, ..
    } = change;
    match fields.is_empty() {
        true => format!("  {sign} {resource} {name}"),
        false => format!("  {sign} {resource} {name}: {}", fields.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn changes_and_minted_secrets_are_listed() {
        let change = |kind, resource: &str, name: &str, fields: &[&str]| Change {
            kind,
            resource: resource.to_owned(),
            name: name.to_owned(),
            fields: fields.iter().map(|field| (*field).to_owned()).collect(),
        };
        let report = ApplyReport {
            organization: "acme".parse().expect("a slug"),
            changes: vec![
                change(ChangeKind::Create, "key", "ci", &[]),
                change(ChangeKind::Update, "model", "fast", &["route", "timeouts"]),
                change(ChangeKind::Remove, "team", "old", &[]),
            ],
            minted: BTreeMap::from([("key/ci".to_owned(), "gw-x".to_owned())]),
        };

        assert_eq!(
            lines(&report, "nothing changed"),
            [
                "acme:",
                "  + key ci",
                "  ~ model fast: route, timeouts",
                "  - team old",
                "secrets, shown this once:",
                "  key/ci: gw-x",
            ]
        );
        let unchanged = ApplyReport {
            changes: Vec::new(),
            minted: BTreeMap::new(),
            ..report
        };
        assert_eq!(lines(&unchanged, "nothing changed"), ["acme: nothing changed"]);
    }
}
