//! The FOCUS project's own validator, as a judge of what is exported.

use std::path::Path;

use super::packages::Suites;

/// Panics with what is wrong with a file.
pub(crate) async fn judge(file: &Path) {
    let tell = |command: &mut tokio::process::Command| {
        command.env("GATEWRIGHT_FOCUS_FILE", file);
    };
    Suites::Focus.run("validate.py", tell).await;
}
