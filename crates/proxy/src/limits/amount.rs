//! What a request reserves of a budget: what it usually costs, or the most it can cost.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use gatewright_contract::{AppliedPrice, Catalog, UpstreamTarget};
use gatewright_llm::{BYTES_PER_TOKEN, BadRequest, Boundless, Most, Request, Tokens};
use gatewright_routing::{Health, Size, Vitals, expected_answer, expected_cost};
use gatewright_types::Nanos;

use super::entering::expected_tokens;
use crate::changed::changed;
use crate::refusal::Refusal;

/// What is asked, and of whom it may be.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Purchase<'a> {
    pub(crate) question: Question<'a>,
    /// In the order in which they are asked.
    pub(crate) targets: &'a [&'a UpstreamTarget],
    pub(crate) catalog: &'a Catalog,
    pub(crate) health: &'a Health,
    pub(crate) now: DateTime<Utc>,
}

#[derive(Debug, Clone, Copy)]
pub(crate) enum Question<'a> {
    Read(&'a Request),
    /// Of so many bytes, in words that nobody here reads.
    Unread {
        bytes: usize,
    },
}

impl Purchase<'_> {
    /// By what is usual at the first target; where that costs nothing, at the one where it costs most.
    pub(super) fn usual(&self) -> Nanos {
        let size = self.question.size();
        let mut costs = self.targets.iter().map(|target| self.usual_at(size, target));
        match costs.next() {
            Some(first) if first > Nanos::ZERO => first,
            Some(_) | None => costs.max().unwrap_or_default(),
        }
    }

    /// What is usually used at the first target.
    pub(super) fn usual_tokens(&self) -> Tokens {
        let size = self.question.size();
        let vitals = self.targets.first().and_then(|target| self.vitals(target));
        expected_tokens(size.input, expected_answer(size, vitals.as_deref()))
    }

    fn vitals(&self, target: &UpstreamTarget) -> Option<Arc<Vitals>> {
        self.health.find(target.provider.id, &target.model)
    }

    fn usual_at(&self, size: Size, target: &UpstreamTarget) -> Nanos {
        let vitals = self.vitals(target);
        // Without a price it counts as nothing.
        expected_cost(size, target, vitals.as_deref(), self.catalog, self.now).unwrap_or_default()
    }

    /// The most it can cost, whichever of the targets answers. One without a price is not asked: see `at_target`.
    pub(super) fn most(&self) -> Result<Nanos, Refusal> {
        let mut most = Nanos::ZERO;
        for target in self.targets {
            most = most.max(self.most_at(target)?);
        }
        Ok(most)
    }

    fn most_at(&self, target: &UpstreamTarget) -> Result<Nanos, Refusal> {
        let price = target.price(self.catalog, self.now);
        let Some(price) = price.filter(|price| !is_free(price)) else {
            return Ok(Nanos::ZERO);
        };
        let most = self.most_tokens(target)?.map_err(|boundless| {
            Refusal::BadRequest(BadRequest::new(format!(
                "a strict budget lets through only what it can bound, and at {} this request has no bound: {boundless}",
                target.name()
            )))
        })?;
        Ok(price.at_most(&most).unwrap_or_default())
    }

    fn most_tokens(&self, target: &UpstreamTarget) -> Result<Result<Most, Boundless>, Refusal> {
        let limits = target.limits(self.catalog, self.now);
        Ok(match self.question {
            Question::Read(request) => match changed(request, target)? {
                Some(changed) => changed.needs().most(limits),
                None => request.needs().most(limits),
            },
            Question::Unread { .. } => Most::of_anything(limits),
        })
    }

    /// Whether there is a price for what it uses in any case.
    pub(super) fn is_priced(&self, target: &UpstreamTarget) -> bool {
        let least = Most {
            output: u64::from(!self.question.embeds()),
            ..Most::of_texts(1, 0)
        };
        let price = target.price(self.catalog, self.now);
        price.is_some_and(|price| price.at_most(&least).is_some())
    }
}

impl<'a> Question<'a> {
    pub(super) const fn request(self) -> Option<&'a Request> {
        match self {
            Self::Read(request) => Some(request),
            Self::Unread { .. } => None,
        }
    }

    fn size(&self) -> Size {
        match self {
            Self::Read(request) => {
                let needs = request.needs();
                Size {
                    input: needs.input_tokens(),
                    longest: needs.max_tokens,
                    embeds: request.dialect().embeds(),
                    conversation: request.beginning(),
                }
            }
            Self::Unread { bytes } => Size {
                input: (*bytes as u64).div_ceil(BYTES_PER_TOKEN),
                ..Size::default()
            },
        }
    }

    fn embeds(&self) -> bool {
        match self {
            Self::Read(request) => request.dialect().embeds(),
            Self::Unread { .. } => false,
        }
    }
}

/// Whatever is used of it.
fn is_free(price: &AppliedPrice<'_>) -> bool {
    let much = Most {
        pictures: true,
        sounds: true,
        speaks: true,
        ..Most::of_texts(1_000_000_000, 1_000_000_000)
    };
    price.at_most(&much) == Some(Nanos::ZERO)
}
