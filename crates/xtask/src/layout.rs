//! `layout`: writes crates/server/layout.ld anew, after which the linker puts functions that run side by side. The
//! server runs below valgrind while the benchmark asks it, and every function that was called is listed: those of every
//! request first, then those of its start. To be run when much has moved; functions that have come since lie where the
//! compiler puts them, which costs memory and nothing else.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};

use crate::bench;
use crate::install::{self, Tool};
use crate::process::{self, Processes};
use crate::progress;
use crate::under_load;
use crate::workspace::Workspace;

const NM_LIMIT: Duration = Duration::from_secs(60);
/// A workload has 20,000 requests.
const OFTEN: u64 = 10_000;
/// Functions for processors that have more than the one valgrind plays.
const ELSEWHERE: [&str; 3] = ["_ZN3aes8backends*", "_ZN4sha26sha256*", "_ZN9crc32fast11specialized*"];

/// Functions whose names differ in what changes from build to build only: a generic one for one type and another.
#[derive(Debug, Default)]
struct Alike<'a> {
    /// The names of those that were called.
    called: Vec<&'a str>,
    called_bytes: u64,
    all_bytes: u64,
}

/// Patterns for what is to lie together.
#[derive(Debug, Default)]
struct Layout {
    often: BTreeSet<String>,
    seldom: BTreeSet<String>,
}

pub(crate) fn run(workspace: &Workspace, processes: &Processes) -> Result<ExitCode> {
    install::ensure_tools(workspace, processes, &[Tool::Valgrind])?;
    let place = workspace.path("crates/server/layout.ld");
    let before = fs::read(&place).with_context(|| format!("{} cannot be read", place.display()))?;
    // The program is watched as the compiler lays it out.
    fs::remove_file(&place)?;
    let seen = see(workspace, processes);
    let after = seen.as_ref().map_or(before, |layout| script(layout).into_bytes());
    fs::write(place, after)?;
    seen.map(|_| ExitCode::SUCCESS)
}

fn see(workspace: &Workspace, processes: &Processes) -> Result<Layout> {
    bench::build(workspace, processes)?;
    let program = workspace.target("release/gatewright");
    let profiles = progress::step("watching the server answer, slowly", || {
        under_load::watch(workspace, processes, |file| {
            format!(
                "valgrind --tool=callgrind --demangle=no --callgrind-out-file={} {}",
                file.display(),
                program.display()
            )
        })
    })?;
    let mut calls = BTreeMap::new();
    for profile in &profiles.files {
        count(&String::from_utf8_lossy(&fs::read(profile)?), &mut calls);
    }
    let mut symbols = process::command(workspace, "nm");
    symbols.args(["--print-size", "--defined-only"]).arg(program);
    let sizes = processes.captured_stdout(&mut symbols, NM_LIMIT)?.stdout;
    let layout = layout(&sizes, &calls);
    ensure!(!layout.often.is_empty(), "no function of the program was called often");
    Ok(layout)
}

/// Adds up a profile's calls. A name is written once, with a number that stands for it from then on.
fn count(profile: &str, calls: &mut BTreeMap<String, u64>) {
    let mut names: BTreeMap<&str, &str> = BTreeMap::new();
    let mut callee = None;
    for line in profile.lines() {
        let (is_callee, function) = match (line.strip_prefix("fn="), line.strip_prefix("cfn=")) {
            (Some(function), _) => (false, function),
            (None, Some(function)) => (true, function),
            (None, None) => {
                let count = line.strip_prefix("calls=").and_then(|rest| rest.split(' ').next());
                if let Some(count) = count.and_then(|count| count.parse::<u64>().ok())
                    && let Some(name) = callee.take()
                {
                    *calls.entry(name).or_default() += count;
                }
                continue;
            }
        };
        let (number, name) = function.split_once(' ').unwrap_or((function, ""));
        if !name.is_empty() {
            // A function that calls itself has a name for each depth.
            names.insert(number, name.split('\'').next().unwrap_or(name));
        }
        let Some(name) = names.get(number) else { continue };
        if is_callee {
            callee = Some((*name).to_owned());
        } else {
            calls.entry((*name).to_owned()).or_default();
        }
    }
}

/// Finds a place for every function that was called, out of all that `nm` lists.
fn layout(symbols: &str, calls: &BTreeMap<String, u64>) -> Layout {
    let mut all: BTreeMap<String, Alike<'_>> = BTreeMap::new();
    for line in symbols.lines() {
        let [_, size, "t" | "T" | "w" | "W", name] = line.split(' ').collect::<Vec<_>>()[..] else {
            continue;
        };
        let bytes = u64::from_str_radix(size, 16).unwrap_or_default();
        let alike = all.entry(lasting(name)).or_default();
        alike.all_bytes += bytes;
        if calls.contains_key(name) {
            alike.called.push(name);
            alike.called_bytes += bytes;
        }
    }
    let mut layout = Layout::default();
    for (pattern, alike) in all {
        // Where more lie idle than run, those that run are named as they are, though other builds may not know them.
        let is_exact = alike.all_bytes > 2 * alike.called_bytes;
        for name in alike.called {
            let group = match calls.get(name) {
                Some(OFTEN..) => &mut layout.often,
                _ => &mut layout.seldom,
            };
            group.insert(if is_exact { name.to_owned() } else { pattern.clone() });
        }
    }
    layout
}

/// A pattern for the name in other builds: without digests of versions and without the compiler's numbers.
fn lasting(name: &str) -> String {
    let name = match name.rsplit_once('.') {
        Some((name, number)) if number.bytes().all(|byte| byte.is_ascii_digit()) => format!("{name}.*"),
        _ => name.to_owned(),
    };
    if name.starts_with("_ZN")
        && let Some(digest) = name.rfind("17h")
    {
        return format!("{}17h*", &name[..digest]);
    }
    if !name.starts_with("_R") {
        return name;
    }
    let mut lasting = String::with_capacity(name.len());
    let mut rest = name.as_str();
    while let Some((before, after)) = rest.split_once("Cs") {
        lasting.push_str(before);
        lasting.push_str("Cs");
        rest = after;
        let digits = rest.bytes().take_while(u8::is_ascii_alphanumeric).count();
        if rest[digits..].starts_with('_') {
            lasting.push('*');
            rest = &rest[digits..];
        }
    }
    lasting + rest
}

/// The linker takes a section where it first finds a pattern for it.
fn script(layout: &Layout) -> String {
    let mut script = "/* Written by `cargo xtask layout`. */\nSECTIONS\n{\n  .text.runs :\n  {\n".to_owned();
    let groups = [
        ("Every request", &layout.often),
        ("The start, and now and then", &layout.seldom),
    ];
    for (title, patterns) in groups {
        script += &format!("    /* {title}. */\n");
        for pattern in patterns {
            script += &format!("    *(.text*.{pattern})\n");
        }
    }
    for pattern in ELSEWHERE {
        script += &format!("    *(.text*.{pattern})\n");
    }
    script + "  }\n}\nINSERT BEFORE .text;\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    const PROFILE: &str = "\
fn=(1) _ZN4send17h0123456789abcdefE
10 400
cfn=(2) _ZN4copy17h0123456789abcdefE
calls=30000 12
10 90000
cfn=(3) sqlite3_step
calls=2 7
10 1000

fn=(2)
12 90000
cfn=(2)
calls=5 12
12 20
";

    #[test]
    fn calls_are_added_up_by_name() {
        let mut calls = BTreeMap::new();

        count(PROFILE, &mut calls);

        let counted: Vec<_> = calls.iter().map(|(name, calls)| (name.as_str(), *calls)).collect();
        assert_eq!(
            counted,
            [
                ("_ZN4copy17h0123456789abcdefE", 30_005),
                ("_ZN4send17h0123456789abcdefE", 0),
                ("sqlite3_step", 2)
            ]
        );
    }

    #[test]
    fn a_name_is_kept_without_what_changes_from_build_to_build() {
        assert_eq!(lasting("_ZN4send17h0123456789abcdefE"), "_ZN4send17h*");
        assert_eq!(
            lasting("_ZN4send17hand_all17h0123456789abcdefE.77"),
            "_ZN4send17hand_all17h*"
        );
        assert_eq!(
            lasting("_RNvMNtCsgEmfK2I1SDS_4core3numNtCs1_5alloc5clone.1026"),
            "_RNvMNtCs*_4core3numNtCs*_5alloc5clone.*"
        );
        assert_eq!(
            lasting("sqlite3VdbeAddOp3.constprop.0"),
            "sqlite3VdbeAddOp3.constprop.*"
        );
    }

    #[test]
    fn functions_of_every_request_come_first_and_what_never_runs_is_left_out() {
        let symbols = "\
0000000000001000 0000000000000040 t _ZN4copy17h0123456789abcdefE
0000000000001040 0000000000000040 t _ZN4copy17hfedcba9876543210E
0000000000002000 0000000000000100 T sqlite3_step
0000000000003000 0000000000000100 t _ZN4idle17h0123456789abcdefE
0000000000004000 0000000000000040 t _ZN4many17h0123456789abcdefE
0000000000005000 0000000000100000 t _ZN4many17hfedcba9876543210E
0000000000006000 0000000000000100 r _ZN4data17h0123456789abcdefE
";
        let calls = [
            ("_ZN4copy17h0123456789abcdefE", 30_000),
            ("sqlite3_step", 2),
            ("_ZN4many17h0123456789abcdefE", 1),
        ];
        let calls = calls.map(|(name, calls)| (name.to_owned(), calls)).into();

        let layout = layout(symbols, &calls);

        assert_eq!(Vec::from_iter(&layout.often), ["_ZN4copy17h*"]);
        assert_eq!(
            Vec::from_iter(&layout.seldom),
            ["_ZN4many17h0123456789abcdefE", "sqlite3_step"]
        );
        let script = script(&layout);
        let placed: Vec<_> = script
            .lines()
            .filter_map(|line| line.trim().strip_prefix("*(.text*."))
            .collect();
        assert_eq!(placed[..2], ["_ZN4copy17h*)", "_ZN4many17h0123456789abcdefE)"]);
    }
}
