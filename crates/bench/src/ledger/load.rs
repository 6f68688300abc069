//! Puts the requests into the database by the store's own ingest, as control nodes do: rows, sums and budgets in one
//! transaction a batch.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use chrono::{DateTime, NaiveDate, Utc};
use futures_util::future::try_join_all;
use gatewright_contract::{Batch, UsageRecord};
use gatewright_store::Db;
use gatewright_types::NodeId;
use serde::Serialize;
use tokio::time::Instant;

use super::Database;
use crate::results::say;

/// A node sends 512 at a time. What is in the tables afterwards is the same, in half of the time.
const BATCH_RECORDS: usize = 4_096;
const TOLD_EVERY: Duration = Duration::from_secs(30);

#[derive(Debug, Serialize)]
pub(crate) struct Loaded {
    database: Database,
    pub(crate) rows: u64,
    seconds: f64,
    rows_per_second: f64,
}

/// A node's journal.
struct Node {
    id: NodeId,
    last: u64,
}

pub(crate) async fn load(
    database: Database,
    db: &Db,
    requests: &mut impl Iterator<Item = UsageRecord>,
    expected: u64,
) -> Result<Loaded> {
    // SQLite has one writer; PostgreSQL has a process for each node's batch.
    let nodes = match database {
        Database::Sqlite => 1,
        Database::Postgres => 2,
    };
    let mut nodes: Vec<_> = (0..nodes)
        .map(|_| Node {
            id: NodeId::mint(),
            last: 0,
        })
        .collect();
    let (start, mut told) = (Instant::now(), Instant::now());
    let (mut rows, mut day) = (0_u64, NaiveDate::MIN);
    loop {
        let batches: Vec<_> = nodes.iter_mut().filter_map(|node| node.batch(requests)).collect();
        let Some(first) = batches.first().and_then(|batch| batch.records.first()) else {
            break;
        };
        if first.started_at.date_naive() > day {
            day = first.started_at.date_naive();
            clean(db, first.started_at).await?;
        }
        let ingested = try_join_all(batches.iter().map(|batch| async move {
            let ingested = db.system().ingest(batch).await?;
            ensure!(
                Some(ingested.acked) == batch.last() && ingested.new == batch.records.len() as u64,
                "a batch of {} was taken for {ingested:?}",
                batch.records.len()
            );
            Ok(ingested.new)
        }));
        rows += ingested.await?.iter().sum::<u64>();
        if told.elapsed() > TOLD_EVERY {
            told = Instant::now();
            say(format_args!(
                "{}: {rows} of {expected} rows, {:.0} a second",
                database.name(),
                rows as f64 / start.elapsed().as_secs_f64()
            ));
        }
    }
    ensure!(rows == expected, "{rows} of {expected} rows went in");
    let seconds = start.elapsed().as_secs_f64();
    Ok(Loaded {
        database,
        rows,
        seconds,
        rows_per_second: rows as f64 / seconds,
    })
}

/// What an installation does by itself as time passes: sums by minute are kept for two weeks.
async fn clean(db: &Db, now: DateTime<Utc>) -> Result<()> {
    let removed = db.system().prune_rollups(now).await;
    removed.map(drop).context("old sums could not be removed")
}

impl Node {
    fn batch(&mut self, requests: &mut impl Iterator<Item = UsageRecord>) -> Option<Batch> {
        let records: Vec<_> = requests.take(BATCH_RECORDS).collect();
        let batch = Batch {
            node: self.id,
            follows: self.last,
            first: self.last + 1,
            records,
        };
        self.last = batch.last()?;
        Some(batch)
    }
}

impl Loaded {
    pub(crate) fn print(&self) {
        say(format_args!(
            "{}: {} rows in {:.0} s, {:.0} a second",
            self.database.name(),
            self.rows,
            self.seconds,
            self.rows_per_second
        ));
    }
}
