//! `migration NAME`: starts a database migration. The file it writes fails until somebody says what it does, so that an
//! unwritten one cannot be merged.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::progress;
use crate::workspace::Workspace;

const TEMPLATE: &str = r#"//! What this step changes, and why. How a step is written so that the release before it goes on working: ../README.md.

use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, _manager: &SchemaManager) -> Result<(), DbErr> {
        Err(DbErr::Migration("this step is not written".to_owned()))
    }

    async fn down(&self, _manager: &SchemaManager) -> Result<(), DbErr> {
        Err(DbErr::Migration("this step is not written".to_owned()))
    }
}
"#;

pub(crate) fn create(workspace: &Workspace, name: &str) -> Result<()> {
    let sources = workspace.path("migrations/src");
    let module = next_module(&present_modules(&sources)?, &today()?, name)?;
    let list = sources.join("lib.rs");
    let text = fs::read_to_string(&list).with_context(|| format!("cannot read {}", list.display()))?;
    let registered =
        register(&text, &module).with_context(|| format!("{} has no list of steps to add to", list.display()))?;

    let file = sources.join(format!("{module}.rs"));
    fs::write(&file, TEMPLATE).with_context(|| format!("cannot write {}", file.display()))?;
    fs::write(&list, registered).with_context(|| format!("cannot write {}", list.display()))?;
    progress::line(&format!(
        "wrote {} and added it to lib.rs; now say in it what it does",
        file.display()
    ));
    Ok(())
}

fn today() -> Result<String> {
    let output = Command::new("date")
        .args(["-u", "+%Y%m%d"])
        .output()
        .context("cannot run date")?;
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

fn present_modules(sources: &Path) -> Result<Vec<String>> {
    let entries = fs::read_dir(sources).with_context(|| format!("cannot read {}", sources.display()))?;
    let names = entries
        .flatten()
        .map(|entry| entry.file_name().to_string_lossy().into_owned());
    let mut modules: Vec<String> = names
        .filter_map(|name| Some(name.strip_suffix(".rs")?.to_owned()))
        .filter(|name| is_step(name))
        .collect();
    modules.sort();
    Ok(modules)
}

/// `m20261120_000004_audit`
fn is_step(module: &str) -> bool {
    module
        .strip_prefix('m')
        .is_some_and(|rest| rest.starts_with(|first: char| first.is_ascii_digit()))
}

/// Steps run in the order of their names, so that the next has to come after all others.
fn next_module(present: &[String], today: &str, name: &str) -> Result<String> {
    let taken = present.iter().any(|module| module.splitn(3, '_').nth(2) == Some(name));
    ensure!(!taken, "there is a migration called {name} already");
    let same_day = present
        .iter()
        .filter_map(|module| module.strip_prefix(&format!("m{today}_")));
    let last = same_day
        .filter_map(|rest| rest.split('_').next()?.parse::<u32>().ok())
        .max()
        .unwrap_or(0);
    let module = format!("m{today}_{:06}_{name}", last + 1);
    let newest = present.last().map_or("", String::as_str);
    ensure!(
        module.as_str() > newest,
        "{newest} is dated later than today; is the clock right?"
    );
    Ok(module)
}

/// Adds the module and its step after the last of their kind.
fn register(list: &str, module: &str) -> Option<String> {
    let lines: Vec<&str> = list.lines().collect();
    let declared = lines
        .iter()
        .rposition(|line| line.starts_with("mod m") && line.ends_with(';'))?;
    let listed = lines
        .iter()
        .rposition(|line| line.trim_start().starts_with("Box::new(m"))?;
    let mut text = String::new();
    for (index, line) in lines.iter().enumerate() {
        text.push_str(line);
        text.push('\n');
        if index == declared {
            text.push_str(&format!("mod {module};\n"));
        }
        if index == listed {
            text.push_str(&format!("            Box::new({module}::Migration),\n"));
        }
    }
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PRESENT: [&str; 2] = ["m20261120_000001_identity", "m20261121_000001_usage"];

    fn next(today: &str, name: &str) -> Result<String> {
        next_module(&PRESENT.map(str::to_owned), today, name)
    }

    #[test]
    fn a_step_comes_after_all_others() {
        assert_eq!(
            next("20261121", "notes").expect("it has a name"),
            "m20261121_000002_notes"
        );
        assert_eq!(
            next("20261224", "notes").expect("it has a name"),
            "m20261224_000001_notes"
        );
    }

    #[test]
    fn a_taken_name_and_a_clock_that_runs_late_are_refused() {
        let taken = next("20261224", "usage").expect_err("taken");
        let late = next("20261101", "notes").expect_err("too early");

        assert_eq!(taken.to_string(), "there is a migration called usage already");
        assert_eq!(
            late.to_string(),
            "m20261121_000001_usage is dated later than today; is the clock right?"
        );
    }

    #[test]
    fn a_step_is_declared_and_listed_last() {
        let list = "mod column;\nmod m1_a;\n\nfn steps() {\n        vec![\n            Box::new(m1_a::Migration),\n        ]\n}\n";

        let registered = register(list, "m2_b").expect("there is a list");

        assert_eq!(
            registered,
            "mod column;\nmod m1_a;\nmod m2_b;\n\nfn steps() {\n        vec![\n            Box::new(m1_a::Migration),\n            Box::new(m2_b::Migration),\n        ]\n}\n"
        );
        assert_eq!(register("mod column;\n", "m2_b"), None);
    }
}
