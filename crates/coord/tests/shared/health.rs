//! The board of how providers do.

use std::time::Duration;

use gatewright_coord::{Claim, HealthBoard, Heard, LocalHealthBoard, RedisHealthBoard, Tiding, Tidings};
use gatewright_types::NodeId;

use crate::{PATIENCE, redis};

async fn boards(database: u8) -> Vec<HealthBoard> {
    let local = HealthBoard::Local(LocalHealthBoard::new());
    let shared = redis(database)
        .await
        .map(|(_, redis)| HealthBoard::Redis(RedisHealthBoard::new(redis)));
    std::iter::once(local).chain(shared).collect()
}

fn tiding(subject: &str, text: &str, stands: bool) -> Tiding {
    Tiding {
        subject: subject.to_owned(),
        text: text.to_owned(),
        stands,
    }
}

async fn next(tidings: &mut Tidings) -> Heard {
    tidings.next(PATIENCE).await
}

#[tokio::test]
async fn what_is_told_is_heard_by_all_and_stands_until_it_is_taken_back() {
    for board in boards(16).await {
        let mut one = board.tidings();
        let mut other = board.tidings();
        assert_eq!(
            (next(&mut one).await, next(&mut other).await),
            (Heard::Missed, Heard::Missed)
        );

        board.tell(&tiding("a", "a is open", true)).await.expect("told");
        board.tell(&tiding("b", "b is open", true)).await.expect("told");
        board.tell(&tiding("a", "a is closed", false)).await.expect("told");

        for listener in [&mut one, &mut other] {
            for text in ["a is open", "b is open", "a is closed"] {
                assert_eq!(next(listener).await, Heard::Tiding(text.to_owned()));
            }
        }
        assert_eq!(board.standing().await.expect("it answers"), ["b is open"]);
        assert_eq!(one.next(Duration::from_millis(20)).await, Heard::Nothing);
    }
}

#[tokio::test]
async fn the_latest_report_of_each_node_counts() {
    for board in boards(17).await {
        let (one, other) = (NodeId::mint(), NodeId::mint());
        for (node, report) in [(one, "1"), (other, "2"), (one, "3")] {
            board.report(node, report.to_owned()).await.expect("reported");
        }

        let mut reports = board.reports().await.expect("it answers");
        reports.sort_unstable();
        assert_eq!(reports, ["2", "3"]);
    }
}

#[tokio::test]
async fn what_one_node_claims_is_no_others_for_a_while() {
    const LASTS: Duration = Duration::from_millis(120);
    for board in boards(18).await {
        assert_eq!(board.claim("a", LASTS).await.expect("it answers"), Claim::Made);
        let Claim::Taken { free_in } = board.claim("a", LASTS).await.expect("it answers") else {
            panic!("it is taken");
        };
        assert!(!free_in.is_zero() && free_in <= LASTS, "{free_in:?}");
        assert_eq!(board.claim("b", LASTS).await.expect("it answers"), Claim::Made);

        let again = async {
            while board.claim("a", LASTS).await.expect("it answers") != Claim::Made {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(PATIENCE, again).await.expect("it is free again");
    }
}
