//! Our own server for the browser journeys: a new installation on a temporary data directory, and the one-time setup
//! link that it prints.

use std::fs::File;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result};
use tempfile::TempDir;

use super::{free_port, log_tail, temporary_directory};
use crate::process::{self, Ending, Processes, Running};
use crate::workspace::Workspace;

/// The public half of the key with which the journeys sign catalogues.
const CATALOG_KEY: &str = "/RckOFqgx1tk+3jNYC+h2ZH96/drE8WO1wLqyDXp9hg=";
const READY_LIMIT: Duration = Duration::from_secs(60);

/// Fields in the order in which they have to go: the server before its files.
#[derive(Debug)]
pub(crate) struct Gatewright {
    _server: Running,
    _data: TempDir,
    url: String,
    setup_link: String,
}

impl Gatewright {
    /// What the server says is kept in `log`, where it stays for a person to read.
    pub(crate) fn start(workspace: &Workspace, processes: &Processes, binary: &Path, log: &Path) -> Result<Self> {
        let data = temporary_directory("journeys")?;
        let (port, admin_port) = (free_port()?, free_port()?);
        let output = File::create(log).with_context(|| format!("cannot create {}", log.display()))?;
        let mut serve = process::command(workspace, &binary.to_string_lossy());
        serve.args(["serve", "--welcome"]);
        serve.env("GATEWRIGHT_LISTEN", format!("127.0.0.1:{port}"));
        serve.env("GATEWRIGHT_ADMIN_LISTEN", format!("127.0.0.1:{admin_port}"));
        serve.env("GATEWRIGHT_DATA_DIR", data.path());
        serve.env("GATEWRIGHT_CATALOG_KEY", CATALOG_KEY);
        serve
            .stdout(output.try_clone().context("cannot share the log")?)
            .stderr(output);
        let mut server = processes.start(&mut serve, Ending::SERVER)?;

        let mut link = None;
        server
            .wait_until(processes, READY_LIMIT, || {
                link = setup_link(&std::fs::read_to_string(log).unwrap_or_default());
                link.is_some() && is_ready(port)
            })
            .with_context(|| format!("the server did not get ready; its log ends with\n{}", log_tail(log)))?;
        let setup_link = link.context("the server is ready but printed no setup link")?;
        Ok(Self {
            _server: server,
            _data: data,
            url: format!("http://127.0.0.1:{port}"),
            setup_link,
        })
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    pub(crate) fn setup_link(&self) -> &str {
        &self.setup_link
    }
}

/// The first address in the output that leads to the setup page.
fn setup_link(output: &str) -> Option<String> {
    let addresses =
        output.split(|letter: char| letter.is_whitespace() || matches!(letter, '"' | '\'' | '<' | '>' | '\u{1b}'));
    addresses
        .filter(|word| word.starts_with("http"))
        .find(|word| word.contains("/setup#token="))
        .map(str::to_owned)
}

fn is_ready(port: u16) -> bool {
    ask(port).is_ok_and(|answer| answer.starts_with("HTTP/1.1 200"))
}

fn ask(port: u16) -> std::io::Result<String> {
    let patience = Duration::from_secs(2);
    let mut stream = TcpStream::connect_timeout(&SocketAddr::from(([127, 0, 0, 1], port)), patience)?;
    stream.set_read_timeout(Some(patience))?;
    stream.write_all(b"GET /readyz HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_setup_link_is_found_among_other_output() {
        let output =
            "listening on http://127.0.0.1:8080\n\n  Set up:  http://127.0.0.1:8080/setup#token=abc-123  (once)\n";

        assert_eq!(
            setup_link(output).as_deref(),
            Some("http://127.0.0.1:8080/setup#token=abc-123")
        );
        assert_eq!(
            setup_link(r#"{"link":"http://h/setup#token=x"}"#).as_deref(),
            Some("http://h/setup#token=x")
        );
    }

    #[test]
    fn an_installation_that_is_set_up_has_no_link() {
        assert_eq!(
            setup_link("listening on http://127.0.0.1:8080\nsee http://127.0.0.1:8080/setup\n"),
            None
        );
    }
}
