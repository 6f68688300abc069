//! A node that is asked for more than it can carry: who gets in, who is told to come back, and how.

use std::time::Duration;

use harness::chat::{self, Stream, streaming};
use harness::installation::{Installation, Options};
use harness::organization::{Key, Organization};
use harness::sse::content;
use harness::upstream::{Script, Upstream};
use harness::wait::eventually;

/// One node's places; all requests here go to the first node.
const PLACES: usize = 8;

async fn small() -> Installation {
    Installation::start(Options {
        environment: vec![("GATEWRIGHT_MAX_REQUESTS", PLACES.to_string())],
        ..Options::default()
    })
    .await
}

/// Streams that are under way for as long as they are held.
async fn hold(organization: &Organization, key: &Key, count: usize) -> Vec<Stream> {
    let mut held = Vec::new();
    for _ in 0..count {
        let mut stream = organization.chat_at(0, key).begin(&streaming("m")).await;
        stream.until("\"a\"").await;
        held.push(stream);
    }
    held
}

#[tokio::test]
async fn a_full_node_refuses_whoever_has_most_and_lets_others_in() {
    let installation = small().await;
    let upstream = Upstream::start().await;
    upstream.on("m", Script::stream([content("a")]).stall());
    let (loud, loud_key) = Organization::with_upstream(&installation, &upstream, &["m"]).await;
    let (quiet, quiet_key) = Organization::with_upstream(&installation, &upstream, &["m"]).await;

    let held = hold(&loud, &loud_key, PLACES).await;
    let refused = loud.chat_at(0, &loud_key).ask_stream("m").await;
    let let_in = hold(&quiet, &quiet_key, 2).await;
    let beyond_the_reserve = quiet.chat_at(0, &quiet_key).ask_stream("m").await;

    for answer in [&refused, &beyond_the_reserve] {
        chat::refused(answer, 503, "overloaded");
        assert_eq!(answer.headers.need("retry-after"), "1");
    }
    drop((held, let_in));
    eventually("places become free", Duration::from_secs(10), async || {
        let again = loud.chat_at(0, &loud_key).begin(&streaming("m")).await;
        again.head.status().is_ok_and(|status| status == 200).then_some(())
    })
    .await;
}
