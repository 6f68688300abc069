//! What a request is expected to cost at a deployment, and how long an answer is expected to be.

use chrono::{DateTime, Utc};
use gatewright_contract::UpstreamTarget;
use gatewright_llm::{Catalog, Terms, Tokens};
use gatewright_types::{Nanos, UsageUnit};

use crate::facts::Facts;
use crate::health::Vitals;

/// Tokens of an answer, where nothing is known of answers.
const ANSWER: u64 = 500;

/// What is asked, as far as it says what it costs.
#[derive(Debug, Clone, Copy, Default)]
pub struct Size {
    /// About how many tokens.
    pub input: u64,
    /// Tokens of the longest answer that is taken.
    pub longest: Option<u64>,
    /// Vectors are all the answer.
    pub embeds: bool,
    /// Stands for how its conversation begins.
    pub conversation: Option<u64>,
}

/// In nano-dollars; `None` without a price. What the provider has of the conversation in its prompt cache is counted at
/// the price of reading it there.
pub fn expected_cost(
    size: Size,
    target: &UpstreamTarget,
    vitals: Option<&Vitals>,
    catalog: &Catalog,
    now: DateTime<Utc>,
) -> Option<Nanos> {
    let price = target.price(catalog, now)?;
    let has_cache = price.rates().cache_read.is_some();
    let conversation = size.conversation.filter(|_| has_cache);
    let warm = vitals
        .zip(conversation)
        .map_or(0, |(vitals, conversation)| vitals.habits().kept(conversation, now));
    let warm = warm.min(size.input);

    let mut tokens = Tokens::default();
    tokens.set(UsageUnit::InputUncached, size.input - warm);
    tokens.set(UsageUnit::InputCacheRead, warm);
    tokens.set(UsageUnit::OutputText, expected_answer(size, vitals));
    price.bill(&tokens, Terms::default()).cost
}

/// Tokens of the answer, by what is usual at a deployment.
pub fn expected_answer(size: Size, vitals: Option<&Vitals>) -> u64 {
    if size.embeds {
        return 0;
    }
    let usual = vitals.and_then(|vitals| vitals.habits().usual_answer());
    usual.unwrap_or(ANSWER).min(size.longest.unwrap_or(u64::MAX))
}

pub(crate) fn expected(facts: &Facts<'_>, target: &UpstreamTarget, vitals: Option<&Vitals>) -> Option<u64> {
    let situation = facts.situation;
    let needs = facts.needs();
    let size = Size {
        input: needs.map_or(0, |needs| needs.input_tokens()),
        longest: needs.and_then(|needs| needs.max_tokens),
        embeds: situation
            .asked
            .request
            .is_some_and(|request| request.dialect().embeds()),
        conversation: facts.beginning(),
    };
    let cost = expected_cost(size, target, vitals, situation.catalog, situation.now)?;
    u64::try_from(cost.get()).ok()
}
