//! The tier in which a provider says it served a request, where it says so in a header: an answer of Bedrock's Invoke API
//! has no place for it in its body.

use gatewright_llm::served_tier;
use gatewright_types::api::{ProviderKind, ServedTier};
use http::HeaderMap;

pub(crate) fn told_tier(kind: ProviderKind, headers: &HeaderMap) -> Option<ServedTier> {
    let name = match kind {
        ProviderKind::Bedrock => "x-amzn-bedrock-service-tier",
        ProviderKind::Gemini => "x-gemini-service-tier",
        _ => return None,
    };
    served_tier(headers.get(name)?.to_str().ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_provider_is_believed_by_its_own_header_only() {
        let mut headers = HeaderMap::new();
        headers.insert("x-gemini-service-tier", "priority".parse().expect("a value"));

        assert_eq!(told_tier(ProviderKind::Gemini, &headers), Some(ServedTier::Priority));
        assert_eq!(told_tier(ProviderKind::Bedrock, &headers), None);
        assert_eq!(told_tier(ProviderKind::Openai, &headers), None);
    }
}
