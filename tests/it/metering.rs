//! Usage is counted once for each request, whatever is killed: what clients received is compared with the rows.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use gatewright_types::UsageUnit;
use gatewright_types::api::{Outcome, UsageRow, UsageSeries};
use harness::chat::{Chat, request_id, sandbox};
use harness::environment::Topology;
use harness::installation::{Installation, Options};
use harness::organization::{Key, Organization};
use harness::postgres::Postgres;
use harness::sse;
use harness::wait::{SOON, eventually};
use serde_json::Value;
use tokio::task::JoinSet;
use tokio::time::sleep;

const COUNTED: Duration = Duration::from_secs(60);
const CALLERS: usize = 150;

/// Callers who ask again and again until they are told to stop.
pub(crate) struct Load {
    stop: Arc<AtomicBool>,
    callers: JoinSet<Vec<String>>,
}

impl Load {
    pub(crate) fn begin(organization: &Organization, key: &Key) -> Self {
        let stop = Arc::<AtomicBool>::default();
        let mut callers = JoinSet::new();
        for number in 0..CALLERS {
            let chat = organization.chat_at(number % organization.nodes.len(), key);
            callers.spawn(call_until(stop.clone(), chat, number));
        }
        Self { stop, callers }
    }

    /// The requests whose whole answer reached its caller.
    pub(crate) async fn end(self) -> Vec<String> {
        self.stop.store(true, Ordering::Relaxed);
        let complete: Vec<_> = self.callers.join_all().await.into_iter().flatten().collect();
        assert!(
            complete.len() >= CALLERS,
            "only {} requests got through",
            complete.len()
        );
        complete
    }
}

async fn call_until(stop: Arc<AtomicBool>, chat: Chat, number: usize) -> Vec<String> {
    let mut complete = Vec::new();
    let mut turn = number;
    while !stop.load(Ordering::Relaxed) {
        turn += 1;
        let mut body = sandbox("echo", "delay=150ms chunks=5 chunk_delay=80ms");
        let stream = turn.is_multiple_of(2);
        body.as_object_mut()
            .expect("an object")
            .insert("stream".to_owned(), Value::Bool(stream));
        match chat.try_send(&body).await {
            Ok(answer) if answer.status == 200 && (!stream || sse::is_done(&answer.body)) => {
                complete.push(request_id(&answer));
            }
            Ok(_) => {}
            // The node is away: not all callers have to knock all the time.
            Err(_) => sleep(Duration::from_millis(50)).await,
        }
    }
    complete
}

/// Waits until every request is counted, then checks that none is counted twice and that the sums are right.
pub(crate) async fn reconcile(organization: &Organization, complete: &[String]) -> Vec<UsageRow> {
    let rows = eventually("all requests are counted", COUNTED, async || {
        let rows = organization.rows().await;
        let counted: HashMap<String, &UsageRow> = rows.iter().map(|row| (row.id.to_string(), row)).collect();
        complete
            .iter()
            .all(|request| counted.contains_key(request))
            .then_some(rows)
    })
    .await;
    let mut times = HashMap::<String, usize>::new();
    for row in &rows {
        *times.entry(row.id.to_string()).or_default() += 1;
    }
    assert!(times.values().all(|count| *count == 1), "a request is counted twice");
    for row in rows.iter().filter(|row| complete.contains(&row.id.to_string())) {
        assert_eq!(row.outcome, Outcome::Complete, "{row:?}");
    }
    sums_equal_rows(organization).await;
    rows
}

async fn sums_equal_rows(organization: &Organization) {
    let to = chrono::Utc::now() + Duration::from_secs(3_600);
    let from = to - Duration::from_secs(2 * 3_600);
    let time = |time: chrono::DateTime<chrono::Utc>| time.to_rfc3339_opts(chrono::SecondsFormat::Secs, true);
    let path = organization.path(&format!("/usage/series?from={}&to={}&by=none", time(from), time(to)));
    let tokens = |row: &UsageRow, units: &[UsageUnit]| -> u64 {
        row.lines
            .iter()
            .filter(|line| units.contains(&line.unit))
            .map(|line| line.quantity)
            .sum()
    };
    let (series, rows) = eventually("the sums follow the rows", SOON, async || {
        let before = organization.rows().await;
        let series: UsageSeries = organization.owner.get(&path).await.expect(200).read();
        let after = organization.rows().await;
        (before.len() == after.len() && series.totals.requests == after.len() as u64).then_some((series, after))
    })
    .await;
    let sum = |units: &[UsageUnit]| rows.iter().map(|row| tokens(row, units)).sum::<u64>();
    let cost: i64 = rows
        .iter()
        .filter_map(|row| row.cost)
        .map(|cost| cost.amount.get())
        .sum();
    let failed = |row: &&UsageRow| matches!(row.outcome, Outcome::Refused | Outcome::Failed | Outcome::Cut);
    assert_eq!(series.totals.input_tokens, sum(UsageUnit::INPUT));
    assert_eq!(series.totals.output_tokens, sum(UsageUnit::OUTPUT));
    assert_eq!(series.totals.cost.get(), cost);
    assert_eq!(series.totals.errors, rows.iter().filter(failed).count() as u64);
    assert_eq!(
        series.totals.unpriced,
        rows.iter().filter(|row| row.cost.is_none()).count() as u64
    );
    let buckets: u64 = series.buckets.iter().map(|bucket| bucket.totals.requests).sum();
    assert_eq!(buckets, rows.len() as u64);
}

fn newest_journal(data: &Path) -> PathBuf {
    let mut segments = Vec::new();
    let mut directories = vec![data.to_owned()];
    while let Some(directory) = directories.pop() {
        for entry in std::fs::read_dir(directory)
            .expect("the data directory is there")
            .flatten()
        {
            let (path, name) = (entry.path(), entry.file_name().to_string_lossy().into_owned());
            if path.is_dir() {
                directories.push(path);
            } else if name.starts_with("journal-") && name.ends_with(".log") {
                segments.push(path);
            }
        }
    }
    segments.sort();
    segments.pop().expect("a node that served something has a journal")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killing_a_data_plane_under_load_loses_no_finished_request_and_counts_none_twice() {
    let mut installation = Installation::fresh().await;
    let (organization, key) = Organization::with_sandbox(&installation).await;

    let load = Load::begin(&organization, &key);
    for _ in 0..3 {
        sleep(Duration::from_millis(1_200)).await;
        installation.first_data_plane_mut().restart().await;
    }
    sleep(Duration::from_millis(500)).await;
    let complete = load.end().await;

    reconcile(&organization, &complete).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killing_the_control_plane_under_load_loses_no_finished_request() {
    let mut installation = Installation::fresh().await;
    let (organization, key) = Organization::with_sandbox(&installation).await;

    let load = Load::begin(&organization, &key);
    for _ in 0..2 {
        sleep(Duration::from_millis(1_200)).await;
        installation.control_node_mut().kill();
        sleep(Duration::from_millis(500)).await;
        installation.control_node_mut().restart().await;
    }
    sleep(Duration::from_millis(500)).await;
    let complete = load.end().await;

    reconcile(&organization, &complete).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_redis_that_comes_back_empty_loses_no_finished_request() {
    if Topology::of_this_run() == Topology::Solo {
        return;
    }
    let mut installation = Installation::fresh().await;
    let (organization, key) = Organization::with_sandbox(&installation).await;

    let load = Load::begin(&organization, &key);
    for _ in 0..2 {
        sleep(Duration::from_millis(1_000)).await;
        installation.redis.as_mut().expect("a cluster has one").kill();
        sleep(Duration::from_millis(1_000)).await;
        installation.redis.as_mut().expect("a cluster has one").restart().await;
    }
    sleep(Duration::from_millis(500)).await;
    let complete = load.end().await;

    reconcile(&organization, &complete).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_outage_stops_no_request_and_loses_none() {
    if Topology::of_this_run() == Topology::Solo {
        return;
    }
    let mut postgres = Postgres::start().await;
    let options = Options {
        postgres: Some(postgres.url()),
        ..Options::default()
    };
    let installation = Installation::start(options).await;
    let (organization, key) = Organization::with_sandbox(&installation).await;

    let load = Load::begin(&organization, &key);
    sleep(Duration::from_millis(1_000)).await;
    postgres.stop().await;
    for node in 0..2 {
        organization.chat_at(node, &key).ask("echo").await.expect(200);
    }
    sleep(Duration::from_millis(1_000)).await;
    postgres.start_again().await;
    sleep(Duration::from_millis(500)).await;
    let complete = load.end().await;

    reconcile(&organization, &complete).await;
}

#[tokio::test]
async fn a_damaged_end_of_the_journal_is_reported_and_passed_over() {
    let mut installation = Installation::fresh().await;
    let (organization, key) = Organization::with_sandbox(&installation).await;
    let first = installation.first_data_plane();
    if let Some(redis) = &mut installation.redis {
        // Nothing is shipped meanwhile, so that the records are in the journal and nowhere else.
        redis.kill();
    }
    let mut requests = Vec::new();
    for _ in 0..20 {
        requests.push(request_id(&organization.chat(&key).ask("echo").await.expect(200)));
    }

    let node = installation.nodes.get_mut(first).expect("there is a data plane");
    node.kill();
    let journal = newest_journal(&node.data);
    let mut bytes = std::fs::read(&journal).expect("the journal can be read");
    bytes.extend_from_slice(b"\x40\0\0\0\x01\x02\x03\x04{\"id\":\"req_half a record that never got to its e");
    std::fs::write(&journal, bytes).expect("the journal can be written");
    if let Some(redis) = &mut installation.redis {
        redis.restart().await;
    }
    let node = installation.nodes.get_mut(first).expect("there is a data plane");
    node.restart().await;
    requests.push(request_id(&organization.chat(&key).ask("echo").await.expect(200)));

    reconcile(&organization, &requests).await;
    let node = installation.nodes.get(first).expect("there is a data plane");
    let log = node.process.log();
    let name = journal
        .file_name()
        .expect("a file has a name")
        .to_string_lossy()
        .into_owned();
    assert!(
        log.lines().any(|line| line.contains(&name) && line.contains("\"WARN\"")
            || line.contains(&name) && line.contains("\"ERROR\"")),
        "{log}"
    );
    let kept = journal.with_extension("damaged");
    assert!(kept.is_file(), "what was cut off is kept beside the journal");
}

#[tokio::test]
async fn callers_who_hang_up_are_counted_once_too() {
    let (organization, key) = Organization::with_sandbox(Installation::shared().await).await;
    let mut body = sandbox("echo", "chunks=100 chunk_delay=50ms");
    body.as_object_mut()
        .expect("an object")
        .insert("stream".to_owned(), Value::Bool(true));

    for number in 0..20 {
        let mut stream = organization
            .chat_at(number % organization.nodes.len(), &key)
            .begin(&body)
            .await;
        stream.until("content").await;
    }

    let rows = eventually("all are counted", SOON, async || {
        let rows = organization.rows().await;
        (rows.len() >= 20).then_some(rows)
    })
    .await;
    assert_eq!(rows.len(), 20);
    assert!(rows.iter().all(|row| row.outcome == Outcome::ClientGone), "{rows:?}");
    sums_equal_rows(&organization).await;
}

#[tokio::test]
async fn usage_can_be_narrowed_and_split() {
    let (organization, key) = Organization::with_sandbox(Installation::shared().await).await;
    organization
        .model("second", "sandbox/sandbox-large", &serde_json::json!({}))
        .await;
    let other = organization.key("other").await;
    organization.settled(&other, &["echo", "second"]).await;
    for (key, model) in [(&key, "echo"), (&key, "second"), (&other, "echo"), (&other, "echo")] {
        organization.chat(key).ask(model).await.expect(200);
    }
    organization.chat(&key).ask("nope").await.expect(404);
    eventually("all are counted", SOON, async || {
        (organization.rows().await.len() == 5).then_some(())
    })
    .await;

    let count = async |query: String| {
        let page: gatewright_types::Page<UsageRow> = organization
            .owner
            .get(&organization.path(&format!("/usage?{query}")))
            .await
            .expect(200)
            .read();
        page.items.len()
    };
    assert_eq!(count(format!("key={}", other.id)).await, 2);
    assert_eq!(count("model=second".to_owned()).await, 1);
    assert_eq!(count("outcome=refused".to_owned()).await, 1);
    assert_eq!(
        count("from=2020-01-01T00:00:00Z&to=2021-01-01T00:00:00Z".to_owned()).await,
        0
    );

    let to = chrono::Utc::now() + Duration::from_secs(60);
    let from = to - Duration::from_secs(600);
    let time = |time: chrono::DateTime<chrono::Utc>| time.to_rfc3339_opts(chrono::SecondsFormat::Secs, true);
    let series = eventually("the sums follow", SOON, async || {
        let path = organization.path(&format!("/usage/series?from={}&to={}&by=key", time(from), time(to)));
        let series: UsageSeries = organization.owner.get(&path).await.expect(200).read();
        (series.totals.requests == 5).then_some(series)
    })
    .await;
    let of = |id: &str| -> u64 {
        let mine = series
            .buckets
            .iter()
            .filter(|bucket| bucket.group.as_deref().is_some_and(|group| group.contains(id)));
        mine.map(|bucket| bucket.totals.requests).sum()
    };
    assert_eq!((of(&key.id), of(&other.id)), (3, 2), "{series:?}");
}
