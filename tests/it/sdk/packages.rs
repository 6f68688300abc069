//! The libraries and programs that the suites need, installed once for all runs. Which ones, in which versions, is told
//! in one file for each set of suites.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::Duration;

use harness::environment::workspace;
use tokio::process::Command;
use tokio::sync::OnceCell;

use super::run;

const INSTALL: Duration = Duration::from_secs(600);
const RUN: Duration = Duration::from_secs(200);
/// In what is installed: the versions that were asked for.
const MARK: &str = "installed";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Suites {
    Python,
    Node,
    /// Of programs that are too large to be installed with everything else.
    Agents,
    /// A judge of files, in Python.
    Focus,
}

impl Suites {
    /// Runs a suite, which `tell` tells where the gateway is.
    pub(super) async fn run(self, suite: &str, tell: impl FnOnce(&mut Command)) {
        let place = self.installed().await;
        let mut command = match self {
            Self::Python | Self::Focus => {
                let mut python = Command::new(python(place));
                python.arg(self.source().join(suite));
                // The suites' directory is shared with whoever reads it.
                python.env("PYTHONDONTWRITEBYTECODE", "1");
                python
            }
            Self::Node | Self::Agents => {
                let mut node = Command::new("node");
                node.arg("--test").arg(place.join(suite));
                node
            }
        };
        tell(&mut command);
        run(&format!("the suite {suite}"), command.current_dir(place), RUN).await;
    }

    /// The directory in which the libraries are.
    pub(super) async fn installed(self) -> &'static Path {
        static PYTHON: OnceCell<PathBuf> = OnceCell::const_new();
        static NODE: OnceCell<PathBuf> = OnceCell::const_new();
        static AGENTS: OnceCell<PathBuf> = OnceCell::const_new();
        static FOCUS: OnceCell<PathBuf> = OnceCell::const_new();
        let place = match self {
            Self::Python => &PYTHON,
            Self::Node => &NODE,
            Self::Agents => &AGENTS,
            Self::Focus => &FOCUS,
        };
        place.get_or_init(|| self.install()).await
    }

    async fn install(self) -> PathBuf {
        let all = workspace().join("target/sdk");
        fs::create_dir_all(&all).expect("the target directory is ours");
        let (place, fresh) = (all.join(self.name()), all.join(format!("{}.new", self.name())));
        // Other runs may be at it.
        let lock = File::create(all.join(format!("{}.lock", self.name()))).expect("the target directory is ours");
        let lock = tokio::task::spawn_blocking(move || lock.lock().map(|()| lock));
        let _lock = lock.await.expect("it does not panic").expect("a file can be locked");

        let wanted = fs::read_to_string(self.source().join(self.versions())).expect("the versions are told");
        if !fs::read_to_string(place.join(MARK)).is_ok_and(|found| found == wanted) {
            // What is half there was cut off. Only what is whole gets its name.
            remove(&fresh);
            fs::create_dir(&fresh).expect("it was removed");
            for mut command in self.commands(&fresh) {
                let what = format!(
                    "installing what the suites in {} need, for which registries are needed,",
                    self.name()
                );
                run(&what, command.current_dir(&fresh), INSTALL).await;
            }
            fs::write(fresh.join(MARK), wanted).expect("the target directory is ours");
            remove(&place);
            fs::rename(&fresh, &place).expect("the name is free");
        }
        match self {
            Self::Python | Self::Focus => {}
            Self::Node | Self::Agents => self.bring_suites(&place),
        }
        place
    }

    fn commands(self, fresh: &Path) -> Vec<Command> {
        match self {
            Self::Python | Self::Focus => {
                let mut venv = Command::new("python3");
                venv.args(["-m", "venv", "venv"]);
                let mut pip = Command::new(python(fresh));
                pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r"]);
                pip.arg(self.source().join(self.versions()));
                vec![venv, pip]
            }
            Self::Node | Self::Agents => {
                let told = self.source().join(self.versions());
                fs::copy(told, fresh.join(self.versions())).expect("the target directory is ours");
                let mut npm = Command::new("npm");
                npm.args([
                    "install",
                    "--no-audit",
                    "--no-fund",
                    "--no-package-lock",
                    "--loglevel",
                    "error",
                ]);
                vec![npm]
            }
        }
    }

    /// Node finds libraries from where a suite lies.
    fn bring_suites(self, place: &Path) {
        for entry in fs::read_dir(self.source()).expect("the suites are there") {
            let path = entry.expect("the suites can be listed").path();
            if path.extension().is_some_and(|extension| extension == "mjs") {
                let name = path.file_name().expect("a file has a name");
                fs::copy(&path, place.join(name)).expect("the target directory is ours");
            }
        }
    }

    /// Where the suites are.
    pub(super) fn source(self) -> PathBuf {
        workspace().join("tests/sdk").join(self.name())
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Python => "python",
            Self::Node => "node",
            Self::Agents => "agents",
            Self::Focus => "focus",
        }
    }

    const fn versions(self) -> &'static str {
        match self {
            Self::Python | Self::Focus => "requirements.txt",
            Self::Node | Self::Agents => "package.json",
        }
    }
}

pub(super) fn python(place: &Path) -> PathBuf {
    place.join("venv/bin/python")
}

fn remove(directory: &Path) {
    if directory.exists() {
        fs::remove_dir_all(directory).expect("the target directory is ours");
    }
}
