//! The few calls of the control API that a benchmark makes, and the question to a node whether it knows a key.

use std::time::Duration;

use actix_web::web::Bytes;
use anyhow::{Context, Result, ensure};
use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use gatewright_types::KeyId;
use gatewright_types::api::{MintedKey, Totals, UsageSeries};
use reqwest::{Client, RequestBuilder};
use serde::de::DeserializeOwned;
use serde_json::json;

/// Some questions read millions of rows.
const LONGEST_READ: Duration = Duration::from_secs(30 * 60);

#[derive(Debug, Clone)]
pub(crate) struct ControlApi {
    client: Client,
    organization: String,
    token: &'static str,
    started: DateTime<Utc>,
}

/// A key that the control plane minted.
#[derive(Debug)]
pub(crate) struct Minted {
    pub(crate) id: KeyId,
    pub(crate) secret: String,
}

impl ControlApi {
    pub(crate) fn new(client: Client, address: &str, token: &'static str) -> Self {
        let organization = format!("http://{address}/api/v1/organizations/bench");
        Self {
            client,
            organization,
            token,
            started: crate::clock::now(),
        }
    }

    pub(crate) async fn create_key(&self, name: &str) -> Result<Minted> {
        let request = self
            .client
            .post(format!("{}/keys", self.organization))
            .json(&json!({"name": name}));
        let minted: MintedKey = self.call(request).await.context("a key could not be made")?;
        Ok(Minted {
            id: minted.key.id,
            secret: minted.secret.context("a minted key has a secret")?,
        })
    }

    pub(crate) async fn revoke_key(&self, id: KeyId) -> Result<()> {
        let request = self.client.delete(format!("{}/keys/{id}", self.organization));
        self.call::<serde_json::Value>(request)
            .await
            .map(drop)
            .context("a key could not be revoked")
    }

    /// What has been recorded since the installation started.
    pub(crate) async fn recorded(&self) -> Result<Totals> {
        let hour = |time: DateTime<Utc>| time.to_rfc3339_opts(SecondsFormat::Secs, true);
        let (from, to) = (
            hour(self.started - TimeDelta::hours(1)),
            hour(self.started + TimeDelta::hours(4)),
        );
        let request = self
            .client
            .get(format!("{}/usage/series?from={from}&to={to}", self.organization));
        let series: UsageSeries = self.call(request).await.context("usage could not be read")?;
        Ok(series.totals)
    }

    /// The status a node gives to a caller with this key.
    pub(crate) async fn status_of_key(&self, node: &str, secret: &str) -> Result<u16> {
        let request = self.client.get(format!("http://{node}/v1/models")).bearer_auth(secret);
        let answer = request.send().await?;
        let status = answer.status().as_u16();
        // A connection whose answer was read is used again.
        answer.bytes().await?;
        Ok(status)
    }

    /// What the organization has below a path.
    pub(crate) async fn read<T: DeserializeOwned>(&self, path: &str) -> Result<T> {
        serde_json::from_slice(&self.answer(path).await?).with_context(|| format!("{path} is not understood"))
    }

    /// The same as it came, however long it takes.
    pub(crate) async fn answer(&self, path: &str) -> Result<Bytes> {
        let request = self.client.get(format!("{}{path}", self.organization));
        self.answered(request.timeout(LONGEST_READ)).await
    }

    async fn call<T: DeserializeOwned>(&self, request: RequestBuilder) -> Result<T> {
        let body = self.answered(request).await?;
        serde_json::from_slice(&body).context("the control API's answer is not understood")
    }

    async fn answered(&self, request: RequestBuilder) -> Result<Bytes> {
        let answer = request.bearer_auth(self.token).send().await?;
        let status = answer.status();
        let body = answer.bytes().await?;
        ensure!(
            status.is_success(),
            "the control API says {status}: {}",
            String::from_utf8_lossy(&body)
        );
        Ok(body)
    }
}
