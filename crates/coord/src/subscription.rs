//! An ear on a channel of Redis: subscribed again whenever the connection was lost, and looked after when it is silent.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use futures_util::{FutureExt as _, StreamExt as _};
use redis::Msg;
use redis::aio::{PubSubSink, PubSubStream};
use tokio::time::{Instant, timeout_at};

use crate::connection::within;
use crate::{CoordError, Redis};

const SUBSCRIBE_TIMEOUT: Duration = Duration::from_secs(2);
const PAUSE_BETWEEN_SUBSCRIPTIONS: Duration = Duration::from_millis(500);

pub(crate) struct Subscription {
    redis: Redis,
    channel: Arc<str>,
    connected: Option<(PubSubSink, PubSubStream)>,
}

#[derive(Debug)]
pub(crate) enum Event {
    /// From here on messages are heard; some may have been missed before.
    Subscribed,
    Message(Msg),
    /// The connection is gone. The next call subscribes again.
    Lost,
    /// Nothing came in time.
    Silence,
}

impl Subscription {
    pub(crate) const fn new(redis: Redis, channel: Arc<str>) -> Self {
        Self {
            redis,
            channel,
            connected: None,
        }
    }

    pub(crate) async fn next(&mut self, deadline: Instant) -> Event {
        match timeout_at(deadline, self.wait()).await {
            Ok(event) => event,
            Err(_) => {
                self.check().await;
                Event::Silence
            }
        }
    }

    /// Passes over all messages that are there already.
    pub(crate) fn skip(&mut self) {
        if let Some((_, messages)) = self.connected.as_mut() {
            while let Some(Some(_)) = messages.next().now_or_never() {}
        }
    }

    async fn wait(&mut self) -> Event {
        loop {
            let Some((_, messages)) = self.connected.as_mut() else {
                match self.subscribe().await {
                    Ok(()) => return Event::Subscribed,
                    Err(error) => {
                        tracing::debug!(%error, channel = &*self.channel, "a channel of redis cannot be heard for now");
                        tokio::time::sleep(PAUSE_BETWEEN_SUBSCRIPTIONS).await;
                        continue;
                    }
                }
            };
            if let Some(message) = messages.next().await {
                return Event::Message(message);
            }
            self.connected = None;
            return Event::Lost;
        }
    }

    async fn subscribe(&mut self) -> Result<(), CoordError> {
        let mut connection = within(SUBSCRIBE_TIMEOUT, self.redis.client().get_async_pubsub()).await?;
        within(SUBSCRIBE_TIMEOUT, connection.subscribe(&*self.channel)).await?;
        self.connected = Some(connection.split());
        Ok(())
    }

    /// A connection that died in silence would never tell anything again.
    async fn check(&mut self) {
        let Some((sink, _)) = self.connected.as_mut() else {
            return;
        };
        if within(SUBSCRIBE_TIMEOUT, sink.ping::<redis::Value>()).await.is_err() {
            self.connected = None;
        }
    }
}

impl fmt::Debug for Subscription {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Subscription")
            .field("connected", &self.connected.is_some())
            .finish_non_exhaustive()
    }
}
