use std::fs::OpenOptions;
use std::io::Write as _;

use chrono::{DateTime, Utc};
use gatewright_contract::{Batch, Upstream};
use gatewright_coord::{LocalUsageStream, UsageStream};
use gatewright_types::api::{CacheStatus, Dialect, LineItem, Outcome};
use gatewright_types::{KeyId, Nanos, OrganizationId, ProviderId, RequestId, TeamId, UsageUnit};
use tempfile::TempDir;
use tokio::sync::watch;
use tokio::time::Instant;

use super::frame::Frame;
use super::*;

fn record() -> UsageRecord {
    UsageRecord {
        id: RequestId::mint(),
        organization: OrganizationId::mint(),
        key: KeyId::mint(),
        team: None,
        started_at: Utc::now(),
        dialect: Dialect::OpenaiChat,
        model: Some("fast".to_owned()),
        model_id: None,
        upstream: None,
        stream: false,
        outcome: Outcome::Complete,
        status: 200,
        code: None,
        attempts: 1,
        cache: CacheStatus::Off,
        saved: None,
        lines: Vec::new(),
        estimated: false,
        served: None,
        charge: None,
        cost: None,
        duration_us: 1,
        first_token_us: None,
        overhead_us: 1,
        trace: None,
        canaries: Vec::new(),
        owner: None,
        end_user: None,
        tags: std::collections::BTreeMap::new(),
        budgets: Vec::new(),
        downgraded_to: None,
        over: None,
    }
}

fn open(directory: &TempDir) -> (Journal, Vec<Damage>) {
    let node = node_id(directory.path()).expect("a node id");
    let place = JournalPlace {
        directory: directory.path().join("journal"),
        node,
        backlog_limit_bytes: 1 << 30,
    };
    Journal::open(place).expect("the journal opens")
}

fn append(journal: &Journal, count: usize) -> Vec<RequestId> {
    let records: Vec<_> = std::iter::repeat_with(record).take(count).collect();
    let ids = records.iter().map(|record| record.id).collect();
    for record in records {
        journal.append(record);
    }
    ids
}

/// What a database would have after these batches: it takes over a batch's numbers only when nothing is missing before.
#[derive(Default)]
struct Ledger {
    ids: Vec<RequestId>,
    acked: Option<u64>,
}

impl Ledger {
    fn take(&mut self, batch: &Batch) {
        self.ids.extend(batch.records.iter().map(|record| record.id));
        if batch.follows <= self.acked.unwrap_or(0) {
            self.acked = self.acked.max(batch.last());
        }
    }
}

/// Ships everything into a ledger, losing the first batches on the way if told to.
async fn ship(journal: &Journal, ledger: &mut Ledger, lost: usize) {
    let stream = UsageStream::Local(LocalUsageStream::new(Duration::from_secs(3_600)));
    let (stop, stopped) = watch::channel(false);
    let shipper = Shipper::new(journal.clone(), stream.clone());
    let running = async {
        let mut left = lost;
        while ledger.acked.unwrap_or(0) < journal.shared.last.load(Ordering::Acquire) {
            let Ok(Some(received)) = stream.next("test", Duration::from_secs(60)).await else {
                continue;
            };
            let node = received.batch.node;
            if left > 0 {
                left -= 1;
                stream
                    .done(&received.token, node, None)
                    .await
                    .expect("a local stream takes it");
                continue;
            }
            ledger.take(&received.batch);
            stream
                .done(&received.token, node, ledger.acked)
                .await
                .expect("a local stream takes it");
        }
        stop.send(true).expect("the shipper still listens");
    };
    tokio::join!(shipper.run(stopped, Duration::from_secs(60)), running);
}

#[tokio::test(start_paused = true)]
async fn every_record_arrives_and_its_segment_goes_once_it_is_acknowledged() {
    let directory = TempDir::new().expect("a directory");
    let (journal, _) = open(&directory);
    let before = append(&journal, 1_200);
    drop(journal);
    let (journal, damages) = open(&directory);
    let after = append(&journal, 3);

    let mut ledger = Ledger::default();
    ship(&journal, &mut ledger, 0).await;

    let segments = segment::list(&directory.path().join("journal")).expect("the directory is there");
    assert_eq!(damages, []);
    assert_eq!(ledger.ids, [before, after].concat());
    assert_eq!(
        segments.len(),
        1,
        "only the segment being written is left: {segments:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn what_is_lost_on_the_way_is_sent_again() {
    let directory = TempDir::new().expect("a directory");
    let (journal, _) = open(&directory);
    let sent = append(&journal, 700);

    let mut ledger = Ledger::default();
    ship(&journal, &mut ledger, 1).await;

    let mut arrived = ledger.ids;
    arrived.sort_unstable();
    arrived.dedup();
    let mut expected = sent;
    expected.sort_unstable();
    assert_eq!(arrived, expected);
}

#[tokio::test]
async fn records_larger_than_usual_are_sent_all_at_once() {
    let directory = TempDir::new().expect("a directory");
    let (journal, _) = open(&directory);
    // More than are kept in memory, and more bytes than are read at a time.
    let count = 1_700;
    for _ in 0..count {
        journal.append(UsageRecord {
            code: Some("x".repeat(3_000)),
            ..record()
        });
    }
    let stream = UsageStream::Local(LocalUsageStream::new(Duration::from_secs(3_600)));

    let mut shipper = Shipper::new(journal.clone(), stream.clone());
    let (arrived, ()) = tokio::join!(received(&stream), shipper.turn());

    assert_eq!(arrived.len(), count);
}

#[tokio::test(start_paused = true)]
async fn a_busy_node_sends_far_apart_and_what_follows_a_pause_is_sent_soon() {
    let directory = TempDir::new().expect("a directory");
    let (journal, _) = open(&directory);
    let stream = UsageStream::Local(LocalUsageStream::new(Duration::from_secs(3_600)));
    let (stop, stopped) = watch::channel(false);
    let shipper = Shipper::new(journal.clone(), stream.clone());
    let began = Instant::now();
    let busy = async {
        tokio::time::sleep(Duration::from_secs(10)).await;
        for _ in 0..100 {
            append(&journal, 2);
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        *journal.shared.acked.borrow()
    };
    let arriving = async {
        let mut arrived = Vec::new();
        while arrived.iter().map(|(_, records)| records).sum::<usize>() < 200 {
            let received = stream.next("test", Duration::from_secs(60)).await;
            let received = received.expect("it answers").expect("a batch");
            arrived.push((began.elapsed(), received.batch.records.len()));
            let acked = received.batch.last();
            let node = received.batch.node;
            stream.done(&received.token, node, acked).await.expect("it takes it");
        }
        stop.send(true).expect("the shipper still listens");
        arrived
    };

    let (_, acked_meanwhile, arrived) = tokio::join!(shipper.run(stopped, Duration::from_secs(60)), busy, arriving);

    let times: Vec<_> = arrived.iter().map(|(at, _)| at.as_millis() - 10_000).collect();
    assert!(times.first().is_some_and(|first| *first <= 120), "{times:?}");
    let apart = times.windows(2).map(|pair| pair[1] - pair[0]);
    assert!(apart.clone().all(|apart| (500..=620).contains(&apart)), "{times:?}");
    assert!((4..=6).contains(&times.len()), "{times:?}");
    assert!(
        acked_meanwhile > 0,
        "what was sent before is not known to be acknowledged"
    );
    assert_eq!(
        *journal.shared.acked.borrow(),
        journal.shared.last.load(Ordering::Acquire)
    );
    let again = received(&stream).await;
    assert!(again.is_empty(), "{again:?} was sent again");
}

async fn received(stream: &UsageStream) -> Vec<RequestId> {
    let mut ids = Vec::new();
    while let Some(received) = stream.next("test", Duration::from_secs(1)).await.expect("it answers") {
        ids.extend(received.batch.records.iter().map(|record| record.id));
        let done = stream.done(&received.token, received.batch.node, None).await;
        done.expect("it makes room");
    }
    ids
}

#[tokio::test(start_paused = true)]
async fn what_was_just_written_is_shipped_without_reading_the_file() {
    let directory = TempDir::new().expect("a directory");
    let (journal, _) = open(&directory);
    let stream = UsageStream::Local(LocalUsageStream::new(Duration::from_secs(3_600)));
    let mut shipper = Shipper::new(journal.clone(), stream.clone());
    let found_its_place = append(&journal, 1);
    shipper.turn().await;

    let sent = append(&journal, 5);
    let segments = segment::list(&directory.path().join("journal")).expect("the directory is there");
    for segment in segments {
        let file = OpenOptions::new()
            .write(true)
            .open(segment.path)
            .expect("the segment opens");
        file.set_len(0).expect("it is cut");
    }
    shipper.turn().await;

    assert_eq!(received(&stream).await, [found_its_place, sent].concat());
}

#[tokio::test(start_paused = true)]
async fn what_no_longer_fits_into_memory_is_shipped_from_the_file_in_order() {
    let directory = TempDir::new().expect("a directory");
    let (journal, _) = open(&directory);
    let stream = UsageStream::Local(LocalUsageStream::new(Duration::from_secs(3_600)));
    let mut shipper = Shipper::new(journal.clone(), stream.clone());
    let mut sent = append(&journal, 1);
    shipper.turn().await;

    sent.extend(append(&journal, 1_700));
    shipper.turn().await;
    let mut arrived = received(&stream).await;
    sent.extend(append(&journal, 3));
    shipper.turn().await;
    shipper.turn().await;
    arrived.extend(received(&stream).await);

    assert_eq!(arrived, sent);
}

#[tokio::test(start_paused = true)]
async fn records_that_end_in_one_turn_are_written_together_before_any_answer_leaves() {
    let directory = TempDir::new().expect("a directory");
    let (journal, _) = open(&directory);
    let written = || journal.shared.writer().size;
    let ending = || async {
        let before = written();
        journal.add(record());
        assert_eq!(written(), before, "nobody writes before the others have ended as well");
        journal.written().await;
        written()
    };

    let sizes = tokio::join!(ending(), ending(), ending());

    let whole = written();
    assert!(whole > 0);
    assert_eq!(sizes, (whole, whole, whole));
    assert!(journal.shared.writer().recent.take(0).is_none(), "they have numbers");
    let mut ledger = Ledger::default();
    ship(&journal, &mut ledger, 0).await;
    assert_eq!(ledger.ids.len(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_record_whose_caller_hung_up_before_it_was_written_is_not_lost() {
    let directory = TempDir::new().expect("a directory");
    let (journal, _) = open(&directory);

    journal.add(record());
    journal.shared.sync();

    let mut ledger = Ledger::default();
    ship(&journal, &mut ledger, 0).await;
    assert_eq!(ledger.ids.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn what_the_disk_refuses_is_kept_and_written_in_order_once_it_takes_it() {
    let directory = TempDir::new().expect("a directory");
    let (journal, _) = open(&directory);
    let mut sent = append(&journal, 2);
    let path = segment::list(&directory.path().join("journal"))
        .expect("the directory is there")
        .remove(0)
        .path;
    let only_read = File::open(path).expect("the segment opens");
    let working = std::mem::replace(&mut journal.shared.writer().file, only_read);

    sent.extend(append(&journal, 2));
    let room_meanwhile = journal.has_room();
    journal.shared.writer().file = working;
    sent.extend(append(&journal, 1));
    journal.shared.sync();
    let room_after = journal.has_room();
    sent.extend(append(&journal, 2));

    assert_eq!((room_meanwhile, room_after), (false, true));
    let mut ledger = Ledger::default();
    ship(&journal, &mut ledger, 0).await;
    assert_eq!(ledger.ids, sent);
}

#[test]
fn a_record_is_read_as_it_was_written_and_as_earlier_releases_wrote_it() {
    let price = "0.15".parse().expect("a price");
    let record = UsageRecord {
        team: Some(TeamId::mint()),
        started_at: DateTime::from_timestamp_micros(1_800_000_000_123_456).expect("a time"),
        upstream: Some(Upstream {
            provider: ProviderId::mint(),
            name: "main".parse().expect("a name"),
            model: Some("gpt".parse().expect("a model")),
            credential: None,
        }),
        lines: vec![LineItem {
            unit: UsageUnit::InputCacheWrite5m,
            quantity: 7,
            price: Some(price),
            price_version: None,
        }],
        cost: Some(Nanos::new(-5)),
        ..record()
    };

    let mut frame = Vec::new();
    frame::encode(&record, &mut frame);

    let Frame::Whole { payload, rest: [] } = frame::decode(&frame) else {
        panic!("a frame is whole")
    };
    assert_eq!(frame::record(payload).expect("a record"), record);
    let json = serde_json::to_vec(&record).expect("JSON");
    assert_eq!(frame::record(&json).expect("a record"), record);
    assert!(
        payload.len() < json.len() * 2 / 3,
        "{} of {}",
        payload.len(),
        json.len()
    );
}

#[tokio::test(start_paused = true)]
async fn a_record_written_after_a_long_silence_is_sent_once() {
    let directory = TempDir::new().expect("a directory");
    let (journal, _) = open(&directory);
    let stream = UsageStream::Local(LocalUsageStream::new(Duration::from_secs(3_600)));
    let mut shipper = Shipper::new(journal.clone(), stream.clone());

    tokio::time::advance(Duration::from_secs(600)).await;
    let sent = append(&journal, 1);
    shipper.turn().await;
    shipper.turn().await;

    let received = stream
        .next("test", Duration::from_secs(1))
        .await
        .expect("the stream is there")
        .expect("a batch");
    let ids: Vec<_> = received.batch.records.iter().map(|record| record.id).collect();
    assert_eq!(ids, sent);
    assert!(
        stream
            .next("test", Duration::from_secs(1))
            .await
            .expect("the stream is there")
            .is_none()
    );
}

#[tokio::test(start_paused = true)]
async fn a_damaged_tail_is_reported_cut_off_and_survived() {
    let directory = TempDir::new().expect("a directory");
    let (journal, _) = open(&directory);
    let before = append(&journal, 5);
    journal.close();
    drop(journal);
    let path = segment::list(&directory.path().join("journal"))
        .expect("the directory is there")
        .remove(0)
        .path;
    let mut file = OpenOptions::new().append(true).open(&path).expect("the segment opens");
    file.write_all(&[200, 0, 0, 0, 1, 2, 3, 4, b'{'])
        .expect("the damage is done");

    let (journal, damages) = open(&directory);
    let after = append(&journal, 2);
    let mut ledger = Ledger::default();
    ship(&journal, &mut ledger, 0).await;

    let lost: Vec<_> = damages.iter().map(|damage| damage.lost_bytes).collect();
    assert_eq!(lost, [9]);
    assert_eq!(ledger.ids, [before, after].concat());
    assert!(path.with_extension("damaged").exists());
}

#[test]
fn numbers_are_never_used_twice_even_when_the_disk_forgot_the_newest_records() {
    let directory = TempDir::new().expect("a directory");
    let (journal, _) = open(&directory);
    append(&journal, 10);
    let newest = journal.shared.last.load(Ordering::Acquire);
    drop(journal);
    let path = segment::list(&directory.path().join("journal"))
        .expect("the directory is there")
        .remove(0)
        .path;
    let file = OpenOptions::new().write(true).open(path).expect("the segment opens");
    file.set_len(0).expect("the file is cut");

    let (journal, _) = open(&directory);
    append(&journal, 1);

    assert!(journal.shared.last.load(Ordering::Acquire) > newest);
}

#[test]
fn a_full_journal_has_no_room() {
    let directory = TempDir::new().expect("a directory");
    let node = node_id(directory.path()).expect("a node id");
    let place = JournalPlace {
        directory: directory.path().join("journal"),
        node,
        backlog_limit_bytes: 500,
    };
    let (journal, _) = Journal::open(place).expect("the journal opens");

    let room_before = journal.has_room();
    append(&journal, 5);

    assert!(room_before);
    assert!(!journal.has_room());
}

#[test]
fn a_node_keeps_its_identity() {
    let directory = TempDir::new().expect("a directory");

    let first = node_id(directory.path()).expect("a node id");
    let again = node_id(directory.path()).expect("the same node id");

    assert_eq!(first, again);
}
