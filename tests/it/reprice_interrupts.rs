//! Ctrl-C while the command waits for a run: it ends a dry run, and leaves any other one going.

use std::os::unix::process::ExitStatusExt as _;
use std::process::ExitStatus;
use std::time::Duration;

use gatewright_types::RepriceId;
use gatewright_types::api::{Reprice, RepriceState};
use harness::installation::Installation;
use harness::organization::Organization;
use harness::process::{Process, directory};
use harness::wait::{SOON, eventually};
use rustix::process::Signal;
use tempfile::TempDir;

use crate::ledger::{counted, ledger_command};

/// Some runs are over before they are interrupted.
const TRIES: usize = 20;

/// The command, waiting for the run that it began.
struct Waiting {
    process: Process,
    run: RepriceId,
    /// Where it writes to.
    _scratch: TempDir,
}

struct Ended {
    run: RepriceId,
    status: ExitStatus,
    told: String,
}

async fn waiting(organization: &Organization, more: &[&str]) -> Waiting {
    let now = chrono::Utc::now();
    let (from, to) = ((now - Duration::from_secs(7_200)).to_rfc3339(), now.to_rfc3339());
    let range = ["reprice", "--from", &from, "--to", &to, "--reason", "it was wrong"];
    let mut command = ledger_command(organization, &[&range, more].concat()).await;
    let scratch = directory("reprice");
    let process = Process::start(&mut command, &scratch.path().join("log"));
    let run = eventually("it says that it began", SOON, async || {
        let log = process.log();
        let (id, _) = log.split_once(" began: ")?;
        Some(id.parse().unwrap_or_else(|_| panic!("it begins with {log}")))
    })
    .await;
    Waiting {
        process,
        run,
        _scratch: scratch,
    }
}

/// Interrupts the command as soon as its run has begun.
async fn interrupted(organization: &Organization, more: &[&str]) -> Ended {
    let mut command = waiting(organization, more).await;

    command.process.signal(Signal::INT);

    Ended {
        run: command.run,
        status: command.process.exit(SOON).await,
        told: command.process.log(),
    }
}

async fn read(organization: &Organization, run: RepriceId) -> Reprice {
    let path = organization.path(&format!("/reprice/{run}"));
    organization.owner.get(&path).await.expect(200).read()
}

async fn cancellations(organization: &Organization) -> usize {
    let entries = organization.audit().await;
    entries.iter().filter(|entry| entry.action == "reprice.cancel").count()
}

#[tokio::test]
async fn a_dry_run_ends_with_the_command_that_waits_for_it() {
    let (organization, _) = counted(Installation::shared().await).await;

    let mut tries = 0;
    let ended = loop {
        tries += 1;
        assert!(tries < TRIES, "dry runs are over too soon to be interrupted");
        let ended = interrupted(&organization, &["--dry-run"]).await;
        let run = read(&organization, ended.run).await;
        match run.state {
            RepriceState::Cancelled => break ended,
            // What it told is told still.
            RepriceState::Done => assert_eq!(ended.status.code(), Some(0), "{}", ended.told),
            RepriceState::Running | RepriceState::Failed => panic!("{run:?}, {}", ended.told),
        }
    };

    assert_eq!(ended.status.code(), Some(1), "{}", ended.told);
    assert!(ended.told.contains("CANCELLED: "), "{}", ended.told);
    assert_eq!(cancellations(&organization).await, 1);
}

#[tokio::test]
async fn a_run_goes_on_without_the_command_that_waited_for_it() {
    let (organization, _) = counted(Installation::shared().await).await;

    let mut tries = 0;
    let ended = loop {
        tries += 1;
        assert!(tries < TRIES, "runs are over too soon to be interrupted");
        let ended = interrupted(&organization, &[]).await;
        let run = read(&organization, ended.run).await;
        match run.state {
            RepriceState::Running => break ended,
            RepriceState::Done => {}
            RepriceState::Cancelled | RepriceState::Failed => panic!("{run:?}, {}", ended.told),
        }
    };

    assert_eq!(ended.status.signal(), Some(Signal::INT.as_raw()), "{}", ended.told);
    let page = format!(
        "http://{}/o/{}/repricing?run={}",
        organization.owner.address, organization.slug, ended.run
    );
    assert!(ended.told.contains(&page), "{}", ended.told);
    let run = eventually("the run ends", SOON, async || {
        let run = read(&organization, ended.run).await;
        (run.state != RepriceState::Running).then_some(run)
    })
    .await;
    assert_eq!(run.state, RepriceState::Done, "{run:?}");
    assert_eq!(cancellations(&organization).await, 0);
}

#[tokio::test]
async fn the_command_ends_by_an_interrupt_though_the_control_plane_answers_nothing() {
    let mut installation = Installation::fresh().await;
    let (organization, _) = counted(&installation).await;
    let mut command = waiting(&organization, &["--dry-run"]).await;
    installation.control_node_mut().process.signal(Signal::STOP);

    let status = eventually("it ends", SOON, async || {
        command.process.signal(Signal::INT);
        command.process.status()
    })
    .await;

    installation.control_node_mut().process.signal(Signal::CONT);
    let told = command.process.log();
    assert_eq!(status.code(), Some(1), "{told}");
    assert!(told.contains("it may go on"), "{told}");
}
