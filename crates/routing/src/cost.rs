//! What a request is expected to cost at a deployment.

use gatewright_contract::UpstreamTarget;
use gatewright_llm::Tokens;
use gatewright_types::UsageUnit;

use crate::facts::Facts;
use crate::health::Vitals;

/// Tokens of an answer, where nothing is known of answers.
const ANSWER: u64 = 500;

/// In nano-dollars; `None` without a price. What the provider has of the conversation in its prompt cache is counted at
/// the price of reading it there.
pub(crate) fn expected(facts: &Facts<'_>, target: &UpstreamTarget, vitals: Option<&Vitals>) -> Option<u64> {
    let situation = facts.situation;
    let price = target.price(situation.catalog, situation.now)?;
    let needs = facts.needs();
    let input = needs.map_or(0, |needs| needs.input_tokens());
    let has_cache = price.rates().cache_read.is_some();
    let conversation = facts.beginning().filter(|_| has_cache);
    let kept = vitals.zip(conversation);
    let warm = kept.map_or(0, |(vitals, conversation)| {
        vitals.habits().kept(conversation, situation.now)
    });
    let warm = warm.min(input);

    let usual = vitals.and_then(|vitals| vitals.habits().usual_answer());
    let longest = needs.and_then(|needs| needs.max_tokens);
    let answer = usual.unwrap_or(ANSWER).min(longest.unwrap_or(u64::MAX));

    let mut tokens = Tokens::default();
    tokens.set(UsageUnit::InputUncached, input - warm);
    tokens.set(UsageUnit::InputCacheRead, warm);
    tokens.set(UsageUnit::OutputText, answer);
    let cost = price.bill(&tokens, None).cost?;
    u64::try_from(cost.get()).ok()
}
