//! The connection to Redis: opened when first needed, again after a loss, and never waited for without an end.

use std::fmt;
use std::time::Duration;

use redis::aio::{ConnectionManager, ConnectionManagerConfig};
use redis::{Client, Cmd, FromRedisValue, ScriptInvocation};

use crate::CoordError;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);
const ANSWER_TIMEOUT: Duration = Duration::from_secs(5);
/// Covers a reconnect and the answer after it.
const CALL_TIMEOUT: Duration = Duration::from_secs(7);
const LONGEST_PAUSE: Duration = Duration::from_millis(500);

/// One Redis as all shared things of a node use it. Clones share the connection.
#[derive(Clone)]
pub struct Redis {
    client: Client,
    manager: ConnectionManager,
}

impl Redis {
    /// Reads the address; connects only when something is asked. Needs a running Tokio runtime.
    pub fn open(url: &str) -> Result<Self, CoordError> {
        let client = Client::open(url)?;
        let manager = manager(client.clone())?;
        Ok(Self { client, manager })
    }

    /// Whether Redis answers.
    pub async fn ping(&self) -> Result<(), CoordError> {
        self.call(&redis::cmd("PING")).await
    }

    /// The same Redis by a connection of its own, for calls that block it.
    pub(crate) fn separate(&self) -> Result<Self, CoordError> {
        Ok(Self {
            client: self.client.clone(),
            manager: manager(self.client.clone())?,
        })
    }

    pub(crate) fn database(&self) -> i64 {
        self.client.get_connection_info().redis_settings().db()
    }

    pub(crate) const fn client(&self) -> &Client {
        &self.client
    }

    pub(crate) async fn call<T: FromRedisValue>(&self, command: &Cmd) -> Result<T, CoordError> {
        let mut manager = self.manager.clone();
        within(CALL_TIMEOUT, command.query_async(&mut manager)).await
    }

    pub(crate) async fn run<T: FromRedisValue>(&self, script: &ScriptInvocation<'_>) -> Result<T, CoordError> {
        let mut manager = self.manager.clone();
        within(CALL_TIMEOUT, script.invoke_async(&mut manager)).await
    }
}

/// Gives up on a call to Redis after a while.
pub(crate) async fn within<T>(
    limit: Duration,
    call: impl Future<Output = redis::RedisResult<T>>,
) -> Result<T, CoordError> {
    match tokio::time::timeout(limit, call).await {
        Ok(answer) => answer.map_err(CoordError::Unavailable),
        Err(_) => Err(CoordError::TimedOut(limit)),
    }
}

fn manager(client: Client) -> Result<ConnectionManager, CoordError> {
    let config = ConnectionManagerConfig::new()
        .set_connection_timeout(Some(CONNECT_TIMEOUT))
        .set_response_timeout(Some(ANSWER_TIMEOUT))
        .set_number_of_retries(1)
        .set_max_delay(LONGEST_PAUSE);
    Ok(ConnectionManager::new_lazy_with_config(client, config)?)
}

impl fmt::Debug for Redis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Not the address: it may hold a password.
        f.write_str("Redis")
    }
}
