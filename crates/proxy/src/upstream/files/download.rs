//! Reads one file from the web. Each address on the way to it is checked, those that others redirect to as well.

use std::error::Error;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use gatewright_contract::{AddressPolicy, DestinationError};
use http::HeaderMap;
use http::header::{ACCEPT, HeaderValue, LOCATION, USER_AGENT};
use url::Url;

use crate::refusal::FileProblem;
use crate::upstream::AGENT;
use crate::upstream::address::{CheckedResolver, Unresolved};

/// Providers take no larger ones in a request.
pub(super) const LARGEST_BYTES: usize = 20 << 20;
const MOST_REDIRECTS: usize = 3;
const LONGEST_ADDRESS: usize = 8 << 10;
const CONNECT: Duration = Duration::from_secs(5);
const ANYTHING: HeaderValue = HeaderValue::from_static("*/*");

#[derive(Debug)]
pub(super) struct Downloads {
    client: reqwest::Client,
    policy: AddressPolicy,
    largest_bytes: usize,
}

impl Downloads {
    /// With connections of its own: those to providers carry secrets.
    pub(super) fn new(policy: AddressPolicy, resolver: CheckedResolver, largest_bytes: usize) -> reqwest::Result<Self> {
        let client = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .dns_resolver(resolver)
            .connect_timeout(CONNECT)
            .pool_idle_timeout(Duration::from_secs(15))
            .pool_max_idle_per_host(4)
            .no_proxy()
            .build()?;
        Ok(Self {
            client,
            policy,
            largest_bytes,
        })
    }

    /// `grown` is told the size so far, and may refuse more.
    pub(super) async fn download(
        &self,
        address: &str,
        grown: impl FnMut(usize) -> Result<(), FileProblem>,
    ) -> Result<Bytes, FileProblem> {
        let mut url = self.checked(address, None)?;
        for _ in 0..=MOST_REDIRECTS {
            let request = self.client.get(url.clone());
            let request = request.header(USER_AGENT, AGENT).header(ACCEPT, ANYTHING);
            let response = request.send().await.map_err(|error| problem(&error))?;
            match response.status().as_u16() {
                200 => return self.read(response, grown).await,
                301 | 302 | 303 | 307 | 308 => {
                    let next = location(response.headers()).ok_or(FileProblem::NotAnAddress)?;
                    url = self.checked(next, Some(&url))?;
                }
                status => return Err(FileProblem::Status(status)),
            }
        }
        Err(FileProblem::Redirects(MOST_REDIRECTS))
    }

    async fn read(
        &self,
        mut response: reqwest::Response,
        mut grown: impl FnMut(usize) -> Result<(), FileProblem>,
    ) -> Result<Bytes, FileProblem> {
        let too_large = || FileProblem::TooLarge {
            limit_bytes: self.largest_bytes,
        };
        let announced = response.content_length().unwrap_or_default();
        if usize::try_from(announced).map_or(true, |announced| announced > self.largest_bytes) {
            return Err(too_large());
        }
        let mut file = BytesMut::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| problem(&error))? {
            let size_bytes = file.len() + chunk.len();
            if size_bytes > self.largest_bytes {
                return Err(too_large());
            }
            grown(size_bytes)?;
            file.extend_from_slice(&chunk);
        }
        Ok(file.freeze())
    }

    /// Relative to where it was found, if anywhere.
    fn checked(&self, address: &str, at: Option<&Url>) -> Result<Url, FileProblem> {
        if address.len() > LONGEST_ADDRESS {
            return Err(FileProblem::NotAnAddress);
        }
        let url = Url::options().base_url(at).parse(address);
        let url = url.map_err(|_| FileProblem::NotAnAddress)?;
        self.policy.check_file(&url).map_err(|error| refused(&error))?;
        Ok(url)
    }
}

fn location(headers: &HeaderMap) -> Option<&str> {
    headers.get(LOCATION)?.to_str().ok()
}

const fn refused(error: &DestinationError) -> FileProblem {
    match error {
        DestinationError::NotHttp => FileProblem::NotAnAddress,
        DestinationError::Extras => FileProblem::Extras,
        DestinationError::PlainHttp => FileProblem::PlainHttp,
        // What a name resolves to is nobody's business.
        DestinationError::Forbidden(_) | DestinationError::Private | DestinationError::NotListed(_) => {
            FileProblem::Forbidden
        }
    }
}

fn problem(error: &reqwest::Error) -> FileProblem {
    let mut source: Option<&(dyn Error + 'static)> = Some(error);
    while let Some(cause) = source {
        if let Some(destination) = cause.downcast_ref::<DestinationError>() {
            return refused(destination);
        }
        if cause.is::<Unresolved>() {
            return FileProblem::UnknownHost;
        }
        source = cause.source();
    }
    match error.is_timeout() {
        true => FileProblem::Late(CONNECT),
        false => FileProblem::Unreachable,
    }
}
