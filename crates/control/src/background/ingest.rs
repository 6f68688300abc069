//! Takes batches of usage records off the stream and puts them into the database. Batches may come more than once and
//! in any order: the database keeps each record once, and says up to where a node may forget.

use std::time::Duration;

use gatewright_coord::UsageStream;
use gatewright_store::Db;
use tokio_util::sync::CancellationToken;

use super::Trouble;
use crate::budget_news;
use crate::error::chain;

const WAIT: Duration = Duration::from_secs(2);

/// Ingests until it is told to stop. `consumer` names this process among others that do the same.
pub async fn run(db: Db, stream: UsageStream, consumer: String, stop: CancellationToken) {
    let mut trouble = Trouble::new("ingesting usage");
    loop {
        let received = tokio::select! {
            () = stop.cancelled() => return,
            received = stream.next(&consumer, WAIT) => received,
        };
        let received = match received {
            Ok(Some(received)) => received,
            Ok(None) => {
                trouble.over();
                continue;
            }
            Err(error) => {
                if !trouble.wait(&error, &stop).await {
                    return;
                }
                continue;
            }
        };

        // The same batch again until the database has it; stopping before leaves it to be delivered again.
        let ingested = loop {
            match db.system().ingest(&received.batch).await {
                Ok(ingested) => break ingested,
                Err(error) => {
                    if !trouble.wait(&error, &stop).await {
                        return;
                    }
                }
            }
        };
        // As often as it takes: of the last request in a window there is no next batch.
        while let Err(error) = budget_news::follow(&db, &received.batch.records).await {
            if !trouble.wait(&error, &stop).await {
                return;
            }
        }
        // The next batch has it, too.
        if let Err(error) = db.system().note_key_use(&received.batch.records).await {
            tracing::debug!(error = %chain(&error), "when keys were last used was not noted");
        }
        tracing::debug!(
            node.id = %received.batch.node,
            records = received.batch.records.len(),
            new = ingested.new,
            acked = ingested.acked,
            "usage was ingested",
        );
        let acked = Some(ingested.acked).filter(|acked| *acked > 0);
        match stream.done(&received.token, received.batch.node, acked).await {
            Ok(()) => trouble.over(),
            // Delivered again, the batch changes nothing but this.
            Err(error) => {
                if !trouble.wait(&error, &stop).await {
                    return;
                }
            }
        }
    }
}
