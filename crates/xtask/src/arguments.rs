//! The command line: what may be asked of `cargo xtask`, read by hand because this package is the first thing that a
//! fresh machine compiles. It checks the words and nothing on the machine.

use std::fmt;
use std::path::PathBuf;

pub(crate) const HELP: &str = "\
cargo xtask <task>

  up [--port N] [--data DIR]     install what is missing, build everything, run it on embedded storage
  test [--only STAGE] [FILTER…]  install what is missing, run all tests; STAGE: unit, solo, cluster, browser
  check                          formatting, lints (native and WASM), documentation, dependency rules
  bench NAME [ARGUMENT…]         build for release and run a benchmark (gateway, feed, …)
  fuzz [TARGET] [--seconds N]    with a nightly compiler and cargo-fuzz: look for bytes that break a dialect
  dashboard                      build only the dashboard
  profile                        see what a server does, and compile releases by it
  layout                         see which functions run, and lay the released program out by it
  golden                         write the golden files of the translations anew
  migration NAME                 start a database migration";

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Task {
    Help,
    Up(UpOptions),
    Test(TestOptions),
    Check,
    Bench(Vec<String>),
    Fuzz(FuzzOptions),
    Dashboard,
    Profile,
    Layout,
    Golden,
    Migration(String),
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) struct UpOptions {
    pub(crate) port: u16,
    /// Taken as given, below the directory that the person is in.
    pub(crate) data: PathBuf,
}

#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct TestOptions {
    /// Every stage when absent.
    pub(crate) only: Option<Stage>,
    /// Words that a test's name must contain one of; every test when empty.
    pub(crate) filters: Vec<String>,
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) struct FuzzOptions {
    /// Every target when absent.
    pub(crate) target: Option<String>,
    /// For each target.
    pub(crate) seconds: u32,
}

/// The kinds of test, in the order in which they run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    Unit,
    Solo,
    Cluster,
    Browser,
}

impl Stage {
    pub(crate) const ALL: [Self; 4] = [Self::Unit, Self::Solo, Self::Cluster, Self::Browser];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Unit => "unit",
            Self::Solo => "solo",
            Self::Cluster => "cluster",
            Self::Browser => "browser",
        }
    }
}

/// What is wrong with a command line, as a sentence for the person who wrote it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Misunderstood(String);

impl fmt::Display for Misunderstood {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

pub(crate) fn parse(arguments: &[String]) -> Result<Task, Misunderstood> {
    let Some((task, rest)) = arguments.split_first() else {
        return Ok(Task::Help);
    };
    // `cargo xtask up -- --port 1` and `cargo xtask up --port 1` are the same to a person.
    let rest = match rest.split_first() {
        Some((first, after)) if first == "--" => after,
        _ => rest,
    };
    match task.as_str() {
        "help" | "--help" | "-h" => Ok(Task::Help),
        "up" => up(rest).map(Task::Up),
        "test" => test(rest).map(Task::Test),
        "bench" if rest.is_empty() => Err(Misunderstood(
            "bench needs a name, for example: cargo xtask bench gateway".into(),
        )),
        "bench" => Ok(Task::Bench(rest.to_vec())),
        "fuzz" => fuzz(rest).map(Task::Fuzz),
        "migration" => migration(rest).map(Task::Migration),
        "check" => alone(task, rest, Task::Check),
        "dashboard" => alone(task, rest, Task::Dashboard),
        "profile" => alone(task, rest, Task::Profile),
        "layout" => alone(task, rest, Task::Layout),
        "golden" => alone(task, rest, Task::Golden),
        other => Err(Misunderstood(format!("there is no task {other:?}"))),
    }
}

fn up(arguments: &[String]) -> Result<UpOptions, Misunderstood> {
    let mut options = UpOptions {
        port: 8080,
        data: PathBuf::from("gatewright-data"),
    };
    let mut words = Words(arguments.iter());
    while let Some((name, value)) = words.next_option()? {
        match name {
            "--port" => options.port = port(value)?,
            "--data" => options.data = PathBuf::from(value),
            _ => return Err(Misunderstood(format!("up does not know {name}"))),
        }
    }
    Ok(options)
}

/// The admin listener takes the next port, so the last one of all cannot be asked for.
fn port(text: &str) -> Result<u16, Misunderstood> {
    match text.parse::<u16>() {
        Ok(port) if port > 0 && port < u16::MAX => Ok(port),
        _ => Err(Misunderstood(format!(
            "--port must be a number from 1 to 65534, not {text:?}"
        ))),
    }
}

fn test(arguments: &[String]) -> Result<TestOptions, Misunderstood> {
    let mut options = TestOptions::default();
    let mut rest = arguments.iter();
    while let Some(word) = rest.next() {
        if word == "--only" {
            let name = rest
                .next()
                .ok_or_else(|| Misunderstood("--only needs a stage".into()))?;
            let stage = Stage::ALL.into_iter().find(|stage| stage.name() == name);
            options.only = Some(stage.ok_or_else(|| Misunderstood(format!("there is no stage {name:?}")))?);
        } else if word.starts_with('-') {
            return Err(Misunderstood(format!("test does not know {word}")));
        } else {
            options.filters.push(word.clone());
        }
    }
    Ok(options)
}

fn fuzz(arguments: &[String]) -> Result<FuzzOptions, Misunderstood> {
    let (target, rest) = match arguments.split_first() {
        Some((first, rest)) if !first.starts_with('-') => (Some(first.clone()), rest),
        _ => (None, arguments),
    };
    let mut options = FuzzOptions { target, seconds: 60 };
    let mut words = Words(rest.iter());
    while let Some((name, value)) = words.next_option()? {
        match (name, value.parse()) {
            ("--seconds", Ok(seconds @ 1..)) => options.seconds = seconds,
            ("--seconds", _) => {
                return Err(Misunderstood(format!(
                    "--seconds must be a number above 0, not {value:?}"
                )));
            }
            _ => return Err(Misunderstood(format!("fuzz does not know {name}"))),
        }
    }
    Ok(options)
}

fn migration(arguments: &[String]) -> Result<String, Misunderstood> {
    let [name] = arguments else {
        return Err(Misunderstood(
            "migration needs one name, for example: cargo xtask migration add_key_notes".into(),
        ));
    };
    let plain = name
        .chars()
        .all(|letter| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '_');
    if !plain || !name.starts_with(|first: char| first.is_ascii_lowercase()) {
        return Err(Misunderstood(format!(
            "a migration's name is in snake_case, not {name:?}"
        )));
    }
    Ok(name.clone())
}

fn alone(name: &str, rest: &[String], task: Task) -> Result<Task, Misunderstood> {
    match rest.first() {
        None => Ok(task),
        Some(extra) => Err(Misunderstood(format!(
            "{name} takes no arguments, but there is {extra:?}"
        ))),
    }
}

/// Reads `--name value` and `--name=value` alike.
struct Words<'a>(std::slice::Iter<'a, String>);

impl<'a> Words<'a> {
    fn next_option(&mut self) -> Result<Option<(&'a str, &'a str)>, Misunderstood> {
        let Some(word) = self.0.next() else { return Ok(None) };
        if let Some((name, value)) = word.split_once('=') {
            return Ok(Some((name, value)));
        }
        let value = self
            .0
            .next()
            .ok_or_else(|| Misunderstood(format!("{word} needs a value")))?;
        Ok(Some((word, value)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Result<Task, Misunderstood> {
        let words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        parse(&words)
    }

    fn refusal(line: &str) -> String {
        read(line).expect_err("the line is wrong").to_string()
    }

    #[test]
    fn nothing_asks_for_help() {
        assert_eq!(read(""), Ok(Task::Help));
        assert_eq!(read("--help"), Ok(Task::Help));
    }

    #[test]
    fn up_takes_its_options_with_and_without_the_separator() {
        let wanted = Ok(Task::Up(UpOptions {
            port: 9000,
            data: PathBuf::from("/tmp/here"),
        }));

        assert_eq!(read("up --port 9000 --data /tmp/here"), wanted);
        assert_eq!(read("up -- --data=/tmp/here --port=9000"), wanted);
    }

    #[test]
    fn up_has_defaults() {
        assert_eq!(
            read("up"),
            Ok(Task::Up(UpOptions {
                port: 8080,
                data: PathBuf::from("gatewright-data")
            }))
        );
    }

    #[test]
    fn test_takes_a_stage_and_filters() {
        let wanted = TestOptions {
            only: Some(Stage::Cluster),
            filters: vec!["budget".into(), "limits".into()],
        };

        assert_eq!(read("test budget --only cluster limits"), Ok(Task::Test(wanted)));
        assert_eq!(read("test"), Ok(Task::Test(TestOptions::default())));
    }

    #[test]
    fn fuzz_takes_a_target_and_a_time() {
        let check = |line: &str, target: Option<&str>, seconds| {
            let target = target.map(str::to_owned);
            assert_eq!(read(line), Ok(Task::Fuzz(FuzzOptions { target, seconds })), "{line}");
        };

        check("fuzz", None, 60);
        check("fuzz anthropic --seconds 5", Some("anthropic"), 5);
        check("fuzz --seconds=600", None, 600);
    }

    #[test]
    fn bench_hands_its_arguments_on_unread() {
        assert_eq!(
            read("bench gateway --seconds 3"),
            Ok(Task::Bench(vec!["gateway".into(), "--seconds".into(), "3".into()]))
        );
    }

    #[test]
    fn mistakes_are_told_in_a_sentence() {
        for (line, told) in [
            ("dance", "there is no task \"dance\""),
            ("up --port", "--port needs a value"),
            (
                "up --port 65535",
                "--port must be a number from 1 to 65534, not \"65535\"",
            ),
            ("up --speed 3", "up does not know --speed"),
            ("test --only moon", "there is no stage \"moon\""),
            ("test --fast", "test does not know --fast"),
            ("fuzz --seconds 0", "--seconds must be a number above 0, not \"0\""),
            ("fuzz a --runs 3", "fuzz does not know --runs"),
            ("check all", "check takes no arguments, but there is \"all\""),
            ("bench", "bench needs a name, for example: cargo xtask bench gateway"),
            (
                "migration AddKeys",
                "a migration's name is in snake_case, not \"AddKeys\"",
            ),
        ] {
            assert_eq!(refusal(line), told, "{line}");
        }
    }
}
