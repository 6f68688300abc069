//! How a catalogue is fetched from an address: by whoever has an HTTP client. The control plane has none, so the server
//! hands it this function.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use url::Url;

type Fetched = BoxFuture<'static, Result<Bytes, String>>;

/// Fetches within limits of size and time, from addresses that are allowed. A failure is a sentence about the address.
#[derive(Clone)]
pub struct CatalogFetcher(Arc<dyn Fn(Url) -> Fetched + Send + Sync>);

impl CatalogFetcher {
    pub fn new(fetch: impl Fn(Url) -> Fetched + Send + Sync + 'static) -> Self {
        Self(Arc::new(fetch))
    }

    pub(super) async fn fetch(&self, url: Url) -> Result<Bytes, String> {
        (self.0)(url).await
    }
}

impl fmt::Debug for CatalogFetcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CatalogFetcher")
    }
}
