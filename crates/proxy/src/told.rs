//! What a caller's headers and address say of the request besides its body.

use gatewright_llm::dialect::anthropic::betas;
use gatewright_llm::dialect::{Dropped, PathFacts};
use gatewright_llm::{BadRequest, Endpoint};
use gatewright_routing::{Headers, REGION};
use gatewright_types::{DurationError, HumanDuration};
use http::header::{HeaderName, HeaderValue};

use crate::cache::Sent;
use crate::refusal::Refusal;
use crate::speech::Wishes;

const VERSION: HeaderName = HeaderName::from_static("anthropic-version");
const BETA: HeaderName = HeaderName::from_static("anthropic-beta");
/// The version that takes what all others take; newer ones refuse members that translations send.
const PLAIN_VERSION: HeaderValue = HeaderValue::from_static("2023-06-01");

/// Headers that are the provider's to read, when it speaks the caller's dialect.
pub(crate) const PASSED: [HeaderName; 2] = [VERSION, BETA];

#[derive(Debug, Default)]
pub(crate) struct Told {
    /// The model, in dialects whose address names it.
    pub(crate) model: Option<String>,
    pub(crate) stream: bool,
    pub(crate) wishes: Wishes,
    /// For rules of routes.
    pub(crate) headers: Headers,
    /// How long the caller waits, where it says so.
    pub(crate) timeout: Option<Result<HumanDuration, DurationError>>,
    /// Those of [`PASSED`] that were sent, in their order.
    pub(crate) passed: Vec<(HeaderName, HeaderValue)>,
    /// Beta features that the provider refused, as they are told to the caller.
    pub(crate) refused_betas: Dropped,
    pub(crate) cache: Sent,
    /// What is to go wrong on purpose.
    pub(crate) fault: Option<Box<str>>,
}

impl Told {
    pub(crate) fn path(&self) -> PathFacts<'_> {
        PathFacts {
            model: self.model.as_deref(),
            stream: self.stream,
        }
    }

    /// What of it shapes the answer: a name, a value, and an end that neither can hold.
    pub(crate) fn shaping(&self) -> Vec<u8> {
        let mut shaping = vec![u8::from(self.wishes.strict)];
        // Who is bound to a region gets no answer from elsewhere.
        if let Some(region) = self.headers.get(REGION) {
            shaping.extend_from_slice(region.as_bytes());
        }
        shaping.push(b'\n');
        for (name, value) in &self.passed {
            shaping.extend_from_slice(name.as_str().as_bytes());
            shaping.push(b':');
            shaping.extend_from_slice(value.as_bytes());
            shaping.push(b'\n');
        }
        shaping
    }

    /// The beta features that the caller wants of Anthropic's dialect, but for those that the provider refused.
    pub(crate) fn betas(&self) -> impl Iterator<Item = &str> {
        let refused = |name: &&str| {
            !self
                .refused_betas
                .iter()
                .any(|refused| refused == betas::told(name).as_str())
        };
        self.asked_betas().filter(refused)
    }

    fn asked_betas(&self) -> impl Iterator<Item = &str> {
        let lists = self.passed.iter().filter(|(name, _)| *name == BETA);
        let lists = lists.filter_map(|(_, list)| list.to_str().ok());
        lists
            .flat_map(|list| list.split(','))
            .map(str::trim)
            .filter(|name| !name.is_empty())
    }

    /// How long the caller waits, where it says so.
    pub(crate) fn timeout(&self) -> Result<Option<HumanDuration>, Refusal> {
        match self.timeout {
            None => Ok(None),
            Some(Ok(timeout)) if !timeout.get().is_zero() => Ok(Some(timeout)),
            Some(Ok(_) | Err(_)) => Err(Refusal::BadRequest(BadRequest::new(
                "the header `x-gw-timeout` must be a duration longer than nothing, such as 20s or 1500ms",
            ))),
        }
    }

    /// The headers for a provider's endpoint. `betas` are those that a cloud takes of them.
    pub(crate) fn headers_for(
        &self,
        endpoint: Endpoint,
        same_dialect: bool,
        betas: &[&str],
    ) -> Vec<(HeaderName, HeaderValue)> {
        if endpoint == Endpoint::RawPredict {
            let value = HeaderValue::from_str(&betas.join(",")).ok();
            return value
                .filter(|value| !value.is_empty())
                .map(|value| (BETA, value))
                .into_iter()
                .collect();
        }
        if !matches!(endpoint, Endpoint::Messages | Endpoint::CountMessages) {
            return Vec::new();
        }
        let mut headers = if same_dialect { self.passed_on() } else { Vec::new() };
        if !headers.iter().any(|(name, _)| *name == VERSION) {
            headers.push((VERSION, PLAIN_VERSION));
        }
        headers
    }

    /// As the caller wrote them, unless the provider refused some of them.
    fn passed_on(&self) -> Vec<(HeaderName, HeaderValue)> {
        if self.refused_betas.is_empty() {
            return self.passed.clone();
        }
        let others = self.passed.iter().filter(|(name, _)| *name != BETA).cloned();
        let left: Vec<_> = self.betas().collect();
        let left = HeaderValue::from_str(&left.join(","))
            .ok()
            .filter(|left| !left.is_empty());
        others.chain(left.map(|left| (BETA, left))).collect()
    }
}
