//! Makes Redis lose notices: every subscription is cut, again and again, while a change is made. The nodes are left to
//! find out by themselves.

use std::time::Duration;

use anyhow::{Context, Result};
use tokio::time::sleep;

use crate::servers::redis_command;

const PAUSE: Duration = Duration::from_millis(2);

#[derive(Debug)]
pub(crate) struct Cutter {
    redis: String,
    /// Subscriptions cut so far.
    pub(crate) cut: u64,
}

impl Cutter {
    pub(crate) fn new(redis: &str) -> Self {
        Self {
            redis: redis.to_owned(),
            cut: 0,
        }
    }

    async fn once(&mut self) -> Result<()> {
        let reply = redis_command(&self.redis, "CLIENT KILL TYPE pubsub").await?;
        let count = reply.strip_prefix(':').and_then(|count| count.parse::<u64>().ok());
        self.cut += count.with_context(|| format!("Redis says {reply:?}"))?;
        Ok(())
    }
}

/// Makes the change, with the subscriptions cut from before it until its answer if there is somebody to cut them.
pub(crate) async fn during<T>(cutter: Option<&mut Cutter>, change: impl Future<Output = Result<T>>) -> Result<T> {
    let Some(cutter) = cutter else { return change.await };
    cutter.once().await?;
    let cutting = async {
        loop {
            cutter.once().await?;
            sleep(PAUSE).await;
        }
    };
    tokio::select! {
        changed = change => changed,
        failed = cutting => failed,
    }
}
