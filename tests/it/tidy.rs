//! The repository's own rules: who may depend on whom, sizes, lints, and papers that say what is there.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use harness::environment::workspace;
use harness::repository::{files, read};
use serde_json::Value;

/// Whom each package of ours may use, of ours.
const MAY_USE: &[(&str, &[&str])] = &[
    ("types", &[]),
    ("cel", &[]),
    ("llm", &["types"]),
    ("contract", &["types", "cel", "llm"]),
    ("coord", &["types", "contract"]),
    ("migrations", &[]),
    ("store", &["types", "contract", "migrations"]),
    ("routing", &["types", "cel", "llm", "contract"]),
    ("proxy", &["types", "cel", "llm", "contract", "routing", "coord"]),
    ("control", &["types", "contract", "routing", "store", "coord"]),
    (
        "server",
        &[
            "types",
            "cel",
            "llm",
            "contract",
            "routing",
            "coord",
            "migrations",
            "store",
            "proxy",
            "control",
        ],
    ),
    ("dashboard", &["types"]),
    ("tests", &["types"]),
    ("bench", &["types", "llm", "contract", "store"]),
    ("xtask", &[]),
];

/// What only these packages may use.
const CONFINED: &[(&str, &[&str])] = &[
    ("redis", &["coord"]),
    ("sea-orm", &["store", "migrations"]),
    ("sea-orm-migration", &["migrations"]),
    ("actix-web", &["proxy", "control", "server", "bench"]),
    ("argon2", &["control"]),
    ("leptos", &["dashboard"]),
];

const LONGEST_FILE: usize = 800;

/// Each package of ours with all it names as a dependency, of any kind.
fn dependencies() -> BTreeMap<String, BTreeSet<String>> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--no-deps", "--offline"])
        .current_dir(workspace())
        .output()
        .expect("cargo runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).expect("cargo gives JSON");
    let name = |value: &Value| {
        value
            .get("name")
            .and_then(Value::as_str)
            .expect("it has a name")
            .to_owned()
    };
    let packages = metadata
        .get("packages")
        .and_then(Value::as_array)
        .expect("there are packages");
    let of_package = |package: &Value| {
        let used = package
            .get("dependencies")
            .and_then(Value::as_array)
            .expect("a list")
            .iter()
            .map(name)
            .collect();
        (short(&name(package)).to_owned(), used)
    };
    packages.iter().map(of_package).collect()
}

fn short(package: &str) -> &str {
    package.strip_prefix("gatewright-").unwrap_or(package)
}

#[test]
fn packages_use_only_whom_they_may() {
    let may_use: BTreeMap<_, _> = MAY_USE.iter().copied().collect();
    let mut wrong = Vec::new();
    for (package, used) in dependencies() {
        let Some(allowed) = may_use.get(package.as_str()) else {
            wrong.push(format!("{package} is not in the table"));
            continue;
        };
        for other in used.iter().filter_map(|name| name.strip_prefix("gatewright-")) {
            if !allowed.contains(&other) && other != package {
                wrong.push(format!("{package} uses {other}"));
            }
        }
        for (library, owners) in CONFINED {
            if used.contains(*library) && !owners.contains(&package.as_str()) {
                wrong.push(format!("{package} uses {library}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn every_manifest_takes_the_workspaces_lints_and_versions() {
    let manifests: Vec<PathBuf> = files("Cargo.toml")
        .into_iter()
        .filter(|path| path.components().count() > 1)
        // A workspace of its own, because it needs a nightly compiler.
        .filter(|path| path != Path::new("tests/fuzz/Cargo.toml"))
        .collect();
    assert!(manifests.len() >= MAY_USE.len(), "{manifests:?}");
    for manifest in manifests {
        let text = read(&manifest);
        assert!(
            text.contains("[lints]\nworkspace = true"),
            "{} has its own lints",
            manifest.display()
        );
        let versioned = |line: &&str| {
            line.contains("= \"") && line.starts_with(char::is_lowercase) && line.contains("version = \"")
        };
        let own: Vec<_> = text.lines().filter(versioned).collect();
        assert!(
            own.is_empty(),
            "{}: versions belong into the workspace's table: {own:?}",
            manifest.display()
        );
    }
}

#[test]
fn no_source_file_is_longer_than_a_person_reads() {
    let long: Vec<_> = files(".rs")
        .into_iter()
        .map(|path| (read(&path).lines().count(), path))
        .filter(|(lines, _)| *lines > LONGEST_FILE)
        .collect();
    assert!(long.is_empty(), "{long:?}");
}

#[test]
fn nothing_is_left_for_later() {
    let marks = [["TO", "DO"].concat(), ["FIX", "ME"].concat(), ["XX", "X:"].concat()];
    let mut found = Vec::new();
    for ending in [
        ".rs",
        ".toml",
        ".md",
        ".css",
        ".mjs",
        ".ts",
        ".py",
        ".yaml",
        ".sh",
        "Dockerfile",
    ] {
        for path in files(ending) {
            let text = read(&path);
            let lines = text
                .lines()
                .enumerate()
                .filter(|(_, line)| marks.iter().any(|mark| line.contains(mark.as_str())));
            found.extend(lines.map(|(number, line)| format!("{}:{}: {}", path.display(), number + 1, line.trim())));
        }
    }
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn no_lint_is_switched_off_without_a_reason() {
    let mut found = Vec::new();
    let allow = ["#[", "allow("].concat();
    let allow_all = ["#![", "allow("].concat();
    for path in files(".rs") {
        let text = read(&path);
        if text.contains(&allow) || text.contains(&allow_all) {
            found.push(path);
        }
    }
    assert!(found.is_empty(), "{found:?}");
}

#[test]
fn every_package_is_on_the_map() {
    let map = read("ARCHITECTURE.md".as_ref());
    for package in dependencies().keys() {
        assert!(
            map.contains(&format!("`gatewright-{package}`")),
            "ARCHITECTURE.md does not name {package}"
        );
    }
}

#[test]
fn the_map_has_the_table_of_who_may_use_whom() {
    let map = read("ARCHITECTURE.md".as_ref());
    let mut above = BTreeSet::new();
    for (package, allowed) in MAY_USE {
        let row = map
            .lines()
            .find(|line| line.starts_with(&format!("| `gatewright-{package}`")));
        let row = row.unwrap_or_else(|| panic!("ARCHITECTURE.md has no row for {package}"));
        let told = row.split('|').nth(2).unwrap_or_default().trim();
        let told: BTreeSet<&str> = match told {
            "nothing of ours" => BTreeSet::new(),
            "all of the above" => above.clone(),
            list => list.split(", ").collect(),
        };
        assert_eq!(told, allowed.iter().copied().collect(), "{package}");
        above.insert(*package);
    }
}

#[test]
fn every_setting_is_in_the_example() {
    let example = read("deploy/gatewright.env.example".as_ref());
    let mut missing = BTreeSet::new();
    let sources = files(".rs")
        .into_iter()
        .filter(|path| path.starts_with("crates/server/src/env") && !path.ends_with("tests.rs"));
    let sources: Vec<_> = sources.chain([PathBuf::from("crates/server/src/env.rs")]).collect();
    for path in sources {
        let text = read(&path);
        for (at, _) in text.match_indices("\"GATEWRIGHT_").chain(text.match_indices("\"OTEL_")) {
            let rest = text.get(at + 1..).unwrap_or_default();
            let name: String = rest
                .chars()
                .take_while(|c| c.is_ascii_uppercase() || *c == '_')
                .collect();
            let documented = example
                .lines()
                .any(|line| line.trim_start_matches('#').starts_with(&format!("{name}=")));
            if !name.ends_with('_') && !documented && !name.starts_with("OTEL_") {
                missing.insert(name);
            }
        }
    }
    assert!(
        missing.is_empty(),
        "deploy/gatewright.env.example does not name {missing:?}"
    );
    assert!(example.contains("OTEL_EXPORTER_OTLP_ENDPOINT="));
}

#[test]
fn every_row_of_the_failure_table_names_tests_that_exist() {
    let map = read("ARCHITECTURE.md".as_ref());
    let mut section = map
        .lines()
        .skip_while(|line| !(line.starts_with('#') && line.to_lowercase().contains("failure table")));
    let heading = section.next().expect("ARCHITECTURE.md has a failure table");
    let rows: Vec<_> = section
        .take_while(|line| !line.starts_with('#'))
        .filter(|line| line.starts_with('|') && !line.contains("---"))
        .skip(1)
        .collect();
    assert!(rows.len() >= 6, "{heading} has {} rows", rows.len());
    let sources: Vec<String> = files(".rs").iter().map(|path| read(path)).collect();
    let exists = |name: &str| sources.iter().any(|text| text.contains(&format!("fn {name}(")));
    for row in rows {
        let quoted = row
            .split('`')
            .skip(1)
            .step_by(2)
            .map(|name| name.rsplit("::").next().unwrap_or(name));
        let names: Vec<_> = quoted
            .filter(|name| {
                name.len() > 12
                    && name
                        .chars()
                        .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
            })
            .collect();
        assert!(names.iter().any(|name| exists(name)), "no test that exists: {row}");
        for name in names {
            assert!(exists(name), "there is no test {name}: {row}");
        }
    }
}

#[test]
fn only_the_server_reads_the_environment() {
    let reads = ["std::env::", "var("].concat();
    let reading: Vec<_> = files(".rs")
        .into_iter()
        .filter(|path| read(path).contains(&reads))
        .filter(|path| {
            let place = path.to_string_lossy();
            let server = place.starts_with("crates/server/src/env");
            let tools = ["crates/xtask/", "crates/bench/", "tests/harness/environment.rs"]
                .iter()
                .any(|tool| place.starts_with(tool));
            let tests = place.contains("/tests");
            !server && !tools && !tests
        })
        .collect();
    assert!(reading.is_empty(), "{reading:?}");
}
