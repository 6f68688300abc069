//! `serve` and `migrate`.

use std::io;
use std::path::PathBuf;

use gatewright_store::Db;
use tokio::runtime::Builder;
use tokio::signal::unix::{SignalKind, signal};

use super::arguments::{Migrate, Serve};
use super::{Ending, complain, complain_of_environment, say};
use crate::env::{self, Settings, Strings};
use crate::running::Running;
use crate::telemetry::Telemetry;
use crate::welcome::{self, Welcome};

/// Threads for everything but requests, which have workers of their own.
const BACKGROUND_THREADS: usize = 2;
/// How much those give way to the threads that answer requests, where both want the same core: enough not to be waited
/// for, little enough to get the fifth of a core that storing usage can take on a saturated node.
const BACKGROUND_NICENESS: i32 = 5;

pub(super) fn run(serve: &Serve, environment: Strings) -> Ending {
    let settings = match env::read(&serve.over(environment)) {
        Ok(settings) => settings,
        Err(mistakes) => return complain_of_environment(&mistakes),
    };
    let runtime = Builder::new_multi_thread()
        .worker_threads(BACKGROUND_THREADS)
        .on_thread_start(|| {
            // A system that refuses works all the same.
            let _niceness = rustix::process::nice(BACKGROUND_NICENESS);
        })
        .enable_all()
        .build();
    let runtime = match runtime {
        Ok(runtime) => runtime,
        Err(error) => return complain(&error),
    };
    let telemetry = match Telemetry::install(&settings) {
        Ok(telemetry) => telemetry,
        Err(error) => return complain(&error),
    };
    let ending = runtime.block_on(serve_until_signal(settings, &telemetry, serve.welcome()));
    telemetry.flush();
    ending
}

async fn serve_until_signal(settings: Settings, telemetry: &Telemetry, welcome: Welcome) -> Ending {
    let role = settings.topology.name();
    // Before anything is started, so that no signal finds the process unprepared.
    let (mut terminate, mut interrupt) = match (signal(SignalKind::terminate()), signal(SignalKind::interrupt())) {
        (Ok(terminate), Ok(interrupt)) => (terminate, interrupt),
        (Err(error), _) | (_, Err(error)) => return complain(&error),
    };
    let start = Box::pin(crate::start(settings, telemetry.tracing(), welcome));
    let mut running = tokio::select! {
        started = start => match started {
            Ok(running) => running,
            Err(error) => return complain(&error),
        },
        _ = terminate.recv() => return Ending::Done,
        _ = interrupt.recv() => return Ending::Done,
    };
    greet(&running, role, welcome);

    let ending = tokio::select! {
        error = running.failed() => complain(&error),
        _ = terminate.recv() => Ending::Done,
        _ = interrupt.recv() => Ending::Done,
    };
    running.stop().await;
    ending
}

fn greet(running: &Running, role: &str, welcome: Welcome) {
    tracing::info!(role, listen = %running.public_address, admin_listen = %running.admin_address, "serving");
    match welcome {
        // A reader that went away is no reason to fail.
        Welcome::Playground => drop(welcome::print(running, &mut io::stdout().lock())),
        Welcome::Nothing => {
            if let Some(link) = &running.setup_link {
                say(format_args!("Nobody has an account yet. Set up, once: {link}"));
            }
        }
    }
}

pub(super) fn migrate(arguments: &Migrate, environment: Strings) -> Ending {
    let mut strings = environment;
    for (name, value) in [
        ("GATEWRIGHT_DATABASE_URL", &arguments.database_url),
        ("GATEWRIGHT_DATA_DIR", &arguments.data_dir),
    ] {
        if let Some(value) = value {
            strings = strings.with(name, value.clone());
        }
    }
    let (database, data_directory) = match env::read_database(&strings) {
        Ok(found) => found,
        Err(mistakes) => return complain_of_environment(&mistakes),
    };
    let runtime = match Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return complain(&error),
    };
    match runtime.block_on(Box::pin(bring_up_to_date(&database, data_directory))) {
        Ok(()) => {
            say("the database is up to date");
            Ending::Done
        }
        Err(error) => complain(&*error),
    }
}

async fn bring_up_to_date(
    database: &gatewright_store::DatabaseUrl,
    data_directory: PathBuf,
) -> Result<(), Box<dyn std::error::Error>> {
    std::fs::create_dir_all(data_directory)?;
    Db::open(database).await?.migrate().await?;
    Ok(())
}
