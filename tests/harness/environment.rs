//! What the test run is told from outside: the topology, the binary under test and the databases.

use std::path::{Path, PathBuf};

/// In which shape the product is tested.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Topology {
    /// One process on SQLite.
    Solo,
    /// One control and two proxy processes on PostgreSQL and Redis.
    Cluster,
}

impl Topology {
    pub fn of_this_run() -> Self {
        match variable("GATEWRIGHT_TEST_TOPOLOGY").as_deref() {
            None | Some("solo") => Self::Solo,
            Some("cluster") => Self::Cluster,
            Some(other) => panic!("GATEWRIGHT_TEST_TOPOLOGY is {other:?}; it can be solo or cluster"),
        }
    }
}

/// The built server.
pub fn binary() -> PathBuf {
    let told = variable("GATEWRIGHT_TEST_BINARY").map(PathBuf::from);
    let binary = told.unwrap_or_else(|| workspace().join("target/debug/gatewright"));
    assert!(
        binary.is_file(),
        "{} is not built; set GATEWRIGHT_TEST_BINARY",
        binary.display()
    );
    binary
}

/// A PostgreSQL in which databases may be made.
pub fn postgres() -> String {
    variable("GATEWRIGHT_TEST_POSTGRES").expect("GATEWRIGHT_TEST_POSTGRES names the PostgreSQL for cluster tests")
}

/// Whether the golden files are to be written anew.
pub fn update_golden() -> bool {
    variable("UPDATE_GOLDEN").is_some_and(|value| value == "1")
}

/// The repository's root.
pub fn workspace() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("the package is below the workspace")
}

#[expect(
    clippy::disallowed_methods,
    reason = "the one place where a test run reads what it is told"
)]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}
