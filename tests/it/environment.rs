//! What the server does with a wrong environment: it tells everything that is wrong, and does nothing.

use std::process::{Command, Output, Stdio};
use std::time::Duration;

use harness::environment::Topology;
use harness::installation::{Installation, MASTER_KEY, command};
use harness::postgres;
use harness::process::{Process, directory, free_port};

fn serve(environment: &[(&str, &str)]) -> Output {
    let environment: Vec<_> = environment
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    let directory = directory("environment");
    let mut command = command(&["serve"], &environment);
    command
        .current_dir(&directory)
        .stdin(Stdio::null())
        .output()
        .expect("the binary runs")
}

fn told(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn every_mistake_is_told_on_its_own_line_and_the_exit_code_is_64() {
    let wrong = [
        ("GATEWRIGHT_LISTEN", "everywhere"),
        ("GATEWRIGHT_ADMIN_LISTEN", "127.0.0.1:99999"),
        ("GATEWRIGHT_DATABASE_URL", "mysql://x"),
        ("GATEWRIGHT_REDIS_URL", "http://x"),
        ("GATEWRIGHT_MASTER_KEY", "short"),
        ("GATEWRIGHT_PUBLIC_URL", "gateway"),
        ("GATEWRIGHT_LOG", "=,=verbose="),
        ("GATEWRIGHT_KEEPALIVE", "soon"),
        ("GATEWRIGHT_KEEPALIV", "10s"),
        ("GATEWRIGHT_EGRESS_HOSTS", "https://api.openai.com/v1,*.example.com"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "collector"),
    ];

    let output = serve(&wrong);

    assert_eq!(output.status.code(), Some(64), "{}", told(&output));
    let told = told(&output);
    for (name, _) in wrong {
        let lines: Vec<_> = told
            .lines()
            .filter(|line| line.split_whitespace().next() == Some(name))
            .collect();
        assert_eq!(lines.len(), 1, "{name}: {told}");
    }
    assert!(told.contains("did you mean GATEWRIGHT_KEEPALIVE?"), "{told}");
    assert!(!told.contains("short"), "a master key is never repeated: {told}");
}

#[test]
fn a_cluster_needs_its_database_and_its_master_key() {
    let (redis, key, database) = (
        ("GATEWRIGHT_REDIS_URL", "redis://127.0.0.1:1/"),
        ("GATEWRIGHT_MASTER_KEY", MASTER_KEY),
        ("GATEWRIGHT_DATABASE_URL", "postgres://127.0.0.1:1/x"),
    );
    let role = |role| ("GATEWRIGHT_ROLE", role);

    for (environment, names) in [
        (vec![redis], vec!["GATEWRIGHT_MASTER_KEY", "GATEWRIGHT_DATABASE_URL"]),
        (vec![redis, key], vec!["GATEWRIGHT_DATABASE_URL"]),
        (vec![redis, database], vec!["GATEWRIGHT_MASTER_KEY"]),
        (vec![redis, role("control"), key], vec!["GATEWRIGHT_DATABASE_URL"]),
        (vec![redis, role("proxy")], vec!["GATEWRIGHT_MASTER_KEY"]),
        (
            vec![redis, role("proxy"), key, database],
            vec!["GATEWRIGHT_DATABASE_URL"],
        ),
        (vec![role("proxy"), key], vec!["GATEWRIGHT_ROLE"]),
        (vec![role("everything")], vec!["GATEWRIGHT_ROLE"]),
    ] {
        let output = serve(&environment);
        assert_eq!(output.status.code(), Some(64), "{environment:?}: {}", told(&output));
        let told = told(&output);
        let mut found: Vec<_> = told.lines().filter_map(|line| line.split_whitespace().next()).collect();
        found.sort_unstable();
        let mut names = names;
        names.sort_unstable();
        assert_eq!(found, names, "{environment:?}: {told}");
    }
}

#[test]
fn wrong_arguments_are_told_from_failures() {
    for arguments in [
        &["nonsense"][..],
        &["serve", "--listne", "x"],
        &["apply"],
        &["plan", "-f"],
    ] {
        let output = command(arguments, &[]).output().expect("the binary runs");
        assert_eq!(output.status.code(), Some(64), "{arguments:?}");
    }
    for arguments in [&["--help"][..], &["--version"], &["serve", "--help"]] {
        let output = command(arguments, &[]).output().expect("the binary runs");
        assert_eq!(output.status.code(), Some(0), "{arguments:?}");
    }
}

#[tokio::test]
async fn a_port_that_is_taken_is_told_by_its_address() {
    let installation = Installation::shared().await;
    let taken = installation.control().to_string();
    let admin = format!("127.0.0.1:{}", free_port());

    let output = serve(&[("GATEWRIGHT_LISTEN", &taken), ("GATEWRIGHT_ADMIN_LISTEN", &admin)]);

    assert_eq!(output.status.code(), Some(1));
    assert!(told(&output).contains(&taken), "{}", told(&output));
}

#[tokio::test]
async fn one_data_directory_serves_one_process() {
    let installation = Installation::shared().await;
    let data = installation.control_node().data.display().to_string();
    let (listen, admin) = (
        format!("127.0.0.1:{}", free_port()),
        format!("127.0.0.1:{}", free_port()),
    );

    let output = serve(&[
        ("GATEWRIGHT_DATA_DIR", &data),
        ("GATEWRIGHT_LISTEN", &listen),
        ("GATEWRIGHT_ADMIN_LISTEN", &admin),
    ]);

    assert_eq!(output.status.code(), Some(1));
    assert!(told(&output).contains(&data), "{}", told(&output));
}

#[tokio::test]
async fn a_database_that_is_newer_than_the_binary_is_left_alone() {
    let mut installation = Installation::fresh().await;
    let node = installation.control_node_mut();
    node.terminate().await;
    let statement = "insert into seaql_migrations (version, applied_at) values ('m29991231_235959_from_the_future', 1)";
    match &installation.database {
        Some(database) => drop(postgres::query(database, statement)),
        None => sqlite(&installation.control_node().data.clone(), statement),
    }

    let node = installation.control_node_mut();
    node.start_again();
    let status = node.process.exit(Duration::from_secs(30)).await;

    assert_eq!(status.code(), Some(1));
    let log = node.process.log();
    let last = log.lines().last().unwrap_or_default();
    assert!(last.contains("newer"), "{last}");
    assert!(last.len() < 400, "a sentence, not a trace: {last}");
}

#[tokio::test]
async fn a_wrong_master_key_is_noticed_at_the_start() {
    if Topology::of_this_run() == Topology::Solo {
        let mut installation = Installation::fresh().await;
        let node = installation.control_node_mut();
        node.terminate().await;
        let mode = std::fs::metadata(key_file(&node.data))
            .expect("a generated key is kept")
            .permissions();
        assert_eq!(std::os::unix::fs::PermissionsExt::mode(&mode) & 0o777, 0o600);
        std::fs::write(key_file(&node.data), "nonsense").expect("the file is ours");

        node.start_again();

        assert_eq!(node.process.exit(Duration::from_secs(30)).await.code(), Some(1));
        return;
    }
    let output = serve(&[
        ("GATEWRIGHT_REDIS_URL", "redis://127.0.0.1:1/"),
        ("GATEWRIGHT_ROLE", "proxy"),
        ("GATEWRIGHT_MASTER_KEY", "AAECAwQFBgcICQoLDA0ODw=="),
    ]);
    assert_eq!(output.status.code(), Some(64));
    assert!(!told(&output).contains("AAECAwQF"), "{}", told(&output));
}

fn key_file(data: &std::path::Path) -> std::path::PathBuf {
    let entries = std::fs::read_dir(data).expect("the data directory is there").flatten();
    let key = entries
        .map(|entry| entry.path())
        .find(|path| path.to_string_lossy().contains("key"));
    key.expect("the generated master key is in the data directory")
}

/// Runs a statement on the SQLite file of a node that is not running.
fn sqlite(data: &std::path::Path, statement: &str) {
    let entries = std::fs::read_dir(data).expect("the data directory is there").flatten();
    let is_database = |path: &std::path::PathBuf| {
        path.extension()
            .is_some_and(|ending| ending == "db" || ending == "sqlite")
    };
    let file = entries
        .map(|entry| entry.path())
        .find(is_database)
        .expect("the database file is there");
    let script = "import sqlite3, sys; db = sqlite3.connect(sys.argv[1]); db.execute(sys.argv[2]); db.commit()";
    let mut python = Command::new("python3");
    python.args(["-c", script]).arg(file).arg(statement);
    assert!(python.status().expect("python3 runs").success(), "{statement}");
}

#[tokio::test]
async fn migrating_is_a_command_of_its_own() {
    let directory = directory("migrate");
    let data = directory.path().display().to_string();
    let database = match Topology::of_this_run() {
        Topology::Solo => None,
        Topology::Cluster => Some(postgres::fresh_database()),
    };
    let mut environment = vec![("GATEWRIGHT_DATA_DIR".to_owned(), data)];
    environment.extend(database.map(|url| ("GATEWRIGHT_DATABASE_URL".to_owned(), url)));

    for _ in 0..2 {
        let log = directory.path().join("log");
        let mut process = Process::start(&mut command(&["migrate"], &environment), &log);
        let status = process.exit(Duration::from_secs(60)).await;
        assert_eq!(status.code(), Some(0), "{}", process.log());
    }
}
