//! The `gatewright` binary.

use std::process::ExitCode;

fn main() -> ExitCode {
    gatewright_server::cli::main()
}
