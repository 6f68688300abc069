//! Reads what Bedrock tells of the tokens used. Its `inputTokens` leave out what was read from or written to a cache.

use gatewright_types::UsageUnit;
use gatewright_types::api::ServedTier;

use crate::json::Value;
use crate::terms::read_tier;
use crate::tokens::count;
use crate::{Terms, Tokens};

#[derive(Default)]
struct Told {
    input: Option<u64>,
    output: Option<u64>,
    total: Option<u64>,
    cache_read: u64,
    cache_write: Option<u64>,
    written_for_five_minutes: u64,
    written_for_an_hour: u64,
    /// A number was negative.
    impossible: bool,
}

/// Reads a `TokenUsage`; `None` when it is no object or tells nothing.
pub(super) fn read(usage: &Value<'_>) -> Option<Tokens> {
    let mut told = Told::default();
    let mut members = usage.members();
    while let Ok(Some(member)) = members.next_member() {
        let value = &member.value;
        match &*member.key {
            b"inputTokens" => told.input = count(value, &mut told.impossible),
            b"outputTokens" => told.output = count(value, &mut told.impossible),
            b"totalTokens" => told.total = count(value, &mut told.impossible),
            b"cacheReadInputTokens" => told.cache_read = count(value, &mut told.impossible).unwrap_or_default(),
            b"cacheWriteInputTokens" => told.cache_write = count(value, &mut told.impossible),
            b"cacheDetails" => value.elements().for_each(|detail| told.read_detail(&detail)),
            _ => {}
        }
    }
    told.normal_form()
}

/// The terms with what a member beside the usage says of them: the tier, or a faster version of the model.
pub(super) fn terms(name: &[u8], value: &Value<'_>, before: Terms) -> Terms {
    let word = match name {
        b"serviceTier" => value.member("type"),
        b"performanceConfig" => value.member("latency"),
        _ => return before,
    };
    let told = word.and_then(|word| read_tier(&word));
    match before.served {
        // Usual latency takes nothing away from a tier, nor the usual tier from a faster version.
        Some(served) if served != ServedTier::Standard && told == Some(ServedTier::Standard) => before,
        _ => Terms::served(told).or(before),
    }
}

impl Told {
    /// Tokens written to the cache for one length of time.
    fn read_detail(&mut self, detail: &Value<'_>) {
        let mut written = 0;
        let mut is_an_hour = false;
        let mut members = detail.members();
        while let Ok(Some(member)) = members.next_member() {
            match &*member.key {
                b"inputTokens" => written = count(&member.value, &mut self.impossible).unwrap_or_default(),
                b"ttl" => is_an_hour = member.value.string().as_deref() == Some("1h"),
                _ => {}
            }
        }
        let place = if is_an_hour {
            &mut self.written_for_an_hour
        } else {
            &mut self.written_for_five_minutes
        };
        *place = place.saturating_add(written);
    }

    fn normal_form(self) -> Option<Tokens> {
        if self.input.is_none() && self.output.is_none() {
            return None;
        }
        let (input, output) = (self.input.unwrap_or_default(), self.output.unwrap_or_default());
        let detailed = self.written_for_an_hour.saturating_add(self.written_for_five_minutes);
        let written = self.cache_write.unwrap_or(detailed);
        let for_an_hour = self.written_for_an_hour.min(written);

        let without_cache = input.saturating_add(output);
        let with_cache = without_cache.saturating_add(self.cache_read).saturating_add(written);
        // Models differ in whether their total has what was cached.
        let total_fits = self
            .total
            .is_none_or(|total| total == without_cache || total == with_cache);
        let details_fit = detailed == 0 || detailed == written;

        let mut tokens = Tokens::default();
        tokens.conflicting = self.impossible || !total_fits || !details_fit;
        tokens.set(UsageUnit::InputUncached, input);
        tokens.set(UsageUnit::InputCacheRead, self.cache_read);
        tokens.set(UsageUnit::InputCacheWrite1h, for_an_hour);
        // What is not told apart was written for the usual time.
        tokens.set(UsageUnit::InputCacheWrite5m, written - for_an_hour);
        tokens.set(UsageUnit::OutputText, output);
        Some(tokens)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::Members;

    fn usage(text: &str) -> Option<Tokens> {
        let body = format!(r#"{{"usage":{text}}}"#);
        let mut members = Members::of_document(body.as_bytes()).expect("an object");
        let member = members.next_member().expect("JSON").expect("a member");
        read(&member.value)
    }

    /// Uncached, read, written for five minutes, written for an hour, output; and whether they conflict.
    fn check(text: &str, expected: [u64; 5], conflicting: bool) {
        let tokens = usage(text).expect(text);
        let units = [
            UsageUnit::InputUncached,
            UsageUnit::InputCacheRead,
            UsageUnit::InputCacheWrite5m,
            UsageUnit::InputCacheWrite1h,
            UsageUnit::OutputText,
        ];
        assert_eq!(
            (units.map(|unit| tokens.get(unit)), tokens.conflicting),
            (expected, conflicting),
            "{text}"
        );
    }

    #[test]
    fn the_parts_add_up_to_what_was_told() {
        check(
            r#"{"inputTokens":12,"outputTokens":5,"totalTokens":17}"#,
            [12, 0, 0, 0, 5],
            false,
        );
        check(
            r#"{"inputTokens":12,"outputTokens":5,"totalTokens":3017,"cacheReadInputTokens":1000,"cacheWriteInputTokens":2000,
                "cacheDetails":[{"ttl":"1h","inputTokens":1500},{"ttl":"5m","inputTokens":500}]}"#,
            [12, 1000, 500, 1500, 5],
            false,
        );
        check(
            r#"{"inputTokens":12,"outputTokens":5,"totalTokens":17,"cacheWriteInputTokens":2000,"cacheDetails":[]}"#,
            [12, 0, 2000, 0, 5],
            false,
        );
        check(
            r#"{"inputTokens":1,"outputTokens":1,"cacheDetails":[{"ttl":"1h","inputTokens":7}]}"#,
            [1, 0, 0, 7, 1],
            false,
        );
    }

    #[test]
    fn numbers_that_contradict_each_other_are_fitted() {
        check(
            r#"{"inputTokens":12,"outputTokens":5,"totalTokens":99}"#,
            [12, 0, 0, 0, 5],
            true,
        );
        check(
            r#"{"inputTokens":1,"outputTokens":1,"cacheWriteInputTokens":5,"cacheDetails":[{"ttl":"1h","inputTokens":9}]}"#,
            [1, 0, 0, 5, 1],
            true,
        );
        check(r#"{"inputTokens":-3,"outputTokens":1}"#, [0, 0, 0, 0, 1], true);
        assert_eq!(usage(r#"{"totalTokens":"9"}"#), None);
        assert_eq!(usage("null"), None);
    }
}
