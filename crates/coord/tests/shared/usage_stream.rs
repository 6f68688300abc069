//! The usage stream.

use std::time::Duration;

use gatewright_contract::Batch;
use gatewright_coord::{CoordError, LocalUsageStream, UsageStream};
use gatewright_types::NodeId;

use crate::{CLAIM_AFTER, PATIENCE, usage_streams};

pub(crate) fn batch(node: NodeId, first: u64) -> Batch {
    Batch {
        node,
        follows: 0,
        first,
        records: Vec::new(),
    }
}

#[tokio::test]
async fn batches_arrive_in_order_and_are_gone_when_done() {
    for stream in usage_streams(8).await {
        let node = NodeId::mint();
        stream.send(batch(node, 1)).await.expect("sent");
        stream.send(batch(node, 6)).await.expect("sent");

        let first = stream.next("a", PATIENCE).await.expect("it answers").expect("a batch");
        let second = stream.next("b", PATIENCE).await.expect("it answers").expect("a batch");
        assert_eq!((&*first.batch, &*second.batch), (&batch(node, 1), &batch(node, 6)));

        assert_eq!(stream.acked(node).await.expect("it answers"), None);
        stream.done(&second.token, node, Some(8)).await.expect("done");
        stream.done(&first.token, node, Some(4)).await.expect("done");
        assert_eq!(
            stream.acked(node).await.expect("it answers"),
            Some(8),
            "the number never goes back"
        );
        assert_eq!(stream.acked(NodeId::mint()).await.expect("it answers"), None);
        assert_eq!(stream.send(batch(node, 9)).await.expect("sent"), Some(8));
        assert_eq!(stream.send(batch(NodeId::mint(), 1)).await.expect("sent"), None);
        for _ in 0..2 {
            let last = stream.next("a", PATIENCE).await.expect("it answers").expect("a batch");
            stream.done(&last.token, node, None).await.expect("done");
        }
        let nothing = stream.next("a", CLAIM_AFTER + CLAIM_AFTER).await.expect("it answers");
        assert!(nothing.is_none(), "{nothing:?}");
    }
}

#[tokio::test]
async fn a_batch_whose_consumer_died_is_delivered_again() {
    for stream in usage_streams(9).await {
        let node = NodeId::mint();
        stream.send(batch(node, 1)).await.expect("sent");
        drop(
            stream
                .next("dies", PATIENCE)
                .await
                .expect("it answers")
                .expect("a batch"),
        );

        let deadline = tokio::time::Instant::now() + PATIENCE;
        let again = loop {
            assert!(tokio::time::Instant::now() < deadline, "the batch never came back");
            if let Some(received) = stream
                .next("lives", Duration::from_millis(50))
                .await
                .expect("it answers")
            {
                break received;
            }
        };

        assert_eq!(*again.batch, batch(node, 1));
    }
}

#[tokio::test]
async fn a_waiting_consumer_hears_of_a_batch_at_once() {
    for stream in usage_streams(10).await {
        let node = NodeId::mint();
        let sent_later = async {
            tokio::task::yield_now().await;
            stream.send(batch(node, 1)).await
        };

        let (received, sent) = tokio::join!(stream.next("a", PATIENCE), sent_later);

        sent.expect("sent");
        assert_eq!(
            received.expect("it answers").map(|received| (*received.batch).clone()),
            Some(batch(node, 1))
        );
    }
}

#[tokio::test]
async fn a_full_stream_refuses_instead_of_dropping() {
    let stream = UsageStream::Local(LocalUsageStream::new(CLAIM_AFTER));
    let node = NodeId::mint();
    for first in 0..4 {
        stream.send(batch(node, first)).await.expect("there is room");
    }

    assert!(matches!(stream.send(batch(node, 4)).await, Err(CoordError::Full)));

    let taken = stream.next("a", PATIENCE).await.expect("it answers").expect("a batch");
    stream.done(&taken.token, node, None).await.expect("done");
    stream.send(batch(node, 4)).await.expect("there is room again");
}
