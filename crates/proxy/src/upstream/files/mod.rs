//! Files that callers name by their addresses, for providers that want the bytes. They are read under rules: only what
//! anybody could read from the web, of bounded number, size and time, and what a name was resolved to when it was checked
//! is what is connected to. A conversation's next request finds them still here.

mod download;
mod kept;
mod room;

use std::collections::HashMap;
use std::time::Duration;

use bytes::Bytes;
use futures_util::{StreamExt as _, TryStreamExt as _};
use gatewright_contract::AddressPolicy;
use gatewright_llm::Wanted;
use gatewright_types::OrganizationId;
use tokio::time::{Instant, timeout_at};

use self::download::Downloads;
use self::kept::Kept;
use self::room::{Held, Room};
use super::address::CheckedResolver;
use crate::refusal::{FileProblem, FileRefusal};

/// For all files of a request together.
const PATIENCE: Duration = Duration::from_secs(20);
/// Files of one request that are read at the same time.
const AT_ONCE: usize = 8;

/// The way to files in the web.
#[derive(Debug)]
pub(crate) struct Files {
    downloads: Downloads,
    kept: Kept,
    /// For what all requests are reading.
    room: Room,
}

/// The files of one request, by their addresses.
#[derive(Debug)]
pub(crate) struct Fetched {
    files: HashMap<Box<str>, Bytes>,
    /// As long as they are in memory for nothing but this.
    _held: Vec<Held>,
}

impl Files {
    pub(super) fn new(policy: AddressPolicy) -> reqwest::Result<Self> {
        Self::through(policy, CheckedResolver::new(policy), download::LARGEST_BYTES)
    }

    fn through(policy: AddressPolicy, resolver: CheckedResolver, largest_bytes: usize) -> reqwest::Result<Self> {
        Ok(Self {
            downloads: Downloads::new(policy, resolver, largest_bytes)?,
            kept: Kept::default(),
            room: Room::default(),
        })
    }

    /// All of the files or, of the first that cannot be had, why. `limit_bytes` is what they may add to the request, as it
    /// is written.
    pub(crate) async fn fetch(
        &self,
        organization: OrganizationId,
        wanted: &[Wanted],
        limit_bytes: usize,
    ) -> Result<Fetched, FileRefusal> {
        let deadline = Instant::now() + PATIENCE;
        let allowance = room::Allowance::new(limit_bytes);
        // A loop and no closure, which could not be told to be `Send`.
        let mut fetching = Vec::with_capacity(wanted.len());
        for wanted in wanted {
            let one = self.one(organization, wanted, &allowance);
            fetching.push(async move {
                let fetched = timeout_at(deadline, one).await;
                let fetched = fetched.unwrap_or(Err(FileProblem::Late(PATIENCE)));
                fetched.map_err(|problem| FileRefusal::new(&wanted.address, problem))
            });
        }
        let fetched: Vec<_> = futures_util::stream::iter(fetching)
            .buffer_unordered(AT_ONCE)
            .try_collect()
            .await?;
        let (files, held): (HashMap<_, _>, Vec<_>) = fetched
            .into_iter()
            .map(|(address, file, held)| ((address, file), held))
            .unzip();
        Ok(Fetched {
            files,
            _held: held.into_iter().flatten().collect(),
        })
    }

    async fn one(
        &self,
        organization: OrganizationId,
        wanted: &Wanted,
        allowance: &room::Allowance,
    ) -> Result<(Box<str>, Bytes, Option<Held>), FileProblem> {
        let address = &wanted.address;
        let mut share = allowance.of(wanted.places);
        if let Some(file) = self.kept.find(organization, address) {
            share.grow(file.len())?;
            return Ok((address.clone(), file, None));
        }
        let mut held = self.room.hold();
        let file = self
            .downloads
            .download(address, |bytes| {
                share.grow(bytes)?;
                held.grow(bytes)
            })
            .await?;
        self.kept.keep(organization, address, &file);
        Ok((address.clone(), file, Some(held)))
    }
}

impl Fetched {
    pub(crate) fn find(&self, address: &str) -> Option<&[u8]> {
        self.files.get(address).map(|file| &**file)
    }
}

#[cfg(test)]
mod tests;
