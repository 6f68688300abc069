//! One log line for each request that had a key. It names what was asked and what became of it, never what was said.

use gatewright_contract::UsageRecord;
use gatewright_types::UsageUnit;

/// The target of access lines: the server formats it on a fast path of its own.
const TARGET: &str = "gatewright::access";

pub(crate) fn write(usage: &UsageRecord) {
    let upstream = usage.upstream.as_ref();
    let tokens = |unit: UsageUnit| {
        usage
            .lines
            .iter()
            .find(|line| line.unit == unit)
            .map_or(0, |line| line.quantity)
    };
    tracing::info!(
        target: TARGET,
        {
        request.id = usage.id.written().as_str(),
        organization.id = usage.organization.written().as_str(),
        key.id = usage.key.written().as_str(),
        model = usage.model.as_deref(),
        upstream.provider = upstream.map(|upstream| upstream.name.as_str()),
        upstream.model = upstream.and_then(|upstream| upstream.model.as_ref()).map(|model| model.as_str()),
        outcome = outcome(usage),
        status = usage.status,
        code = usage.code.as_deref(),
        stream = usage.stream,
        attempts = usage.attempts,
        tokens.input_uncached = tokens(UsageUnit::InputUncached),
        tokens.input_cache_read = tokens(UsageUnit::InputCacheRead),
        tokens.output_text = tokens(UsageUnit::OutputText),
        tokens.output_reasoning = tokens(UsageUnit::OutputReasoning),
        cost_nanos = usage.cost.map(gatewright_types::Nanos::get),
        duration_us = usage.duration_us,
        first_token_us = usage.first_token_us,
        overhead_us = usage.overhead_us,
        },
        "request served",
    );
}

fn outcome(usage: &UsageRecord) -> &'static str {
    usage.outcome.as_str()
}
