//! What a failure is to retries and fallbacks, in whichever words its provider tells it.

use gatewright_types::api::FailureClass;

use super::{Failure, FailureKind};

/// Codes and types that are only told of a conversation that is too long.
const TOO_LONG_CODES: [&str; 2] = ["context_length_exceeded", "request_too_large"];
/// What messages say of one, by OpenAI and servers like it, Anthropic, Google, Amazon, Mistral, Cohere and xAI.
const TOO_LONG: [&str; 9] = [
    "maximum context length",
    "prompt is too long",
    "exceed context limit",
    "exceeds the maximum number of tokens",
    "input is too long",
    "too many input tokens",
    "too many tokens",
    "maximum prompt length",
    "context window",
];
const POLICY_CODES: [&str; 5] = [
    "content_filter",
    "content_policy_violation",
    "responsibleaipolicyviolation",
    "prohibited_content",
    "safety",
];
const POLICY: [&str; 5] = [
    "content management policy",
    "content filtering policy",
    "content policy",
    "usage policies",
    "safety system",
];

impl Failure {
    /// Absent where the request is at fault in a way that it would be anywhere: nothing stands in for that.
    pub fn class(&self) -> Option<FailureClass> {
        match self.kind {
            FailureKind::RateLimited => Some(FailureClass::RateLimit),
            FailureKind::Timeout => Some(FailureClass::Timeout),
            FailureKind::Credential
            | FailureKind::NotFound
            | FailureKind::Overloaded
            | FailureKind::Server
            | FailureKind::Connection
            | FailureKind::Malformed => Some(FailureClass::Error),
            FailureKind::BadRequest => self.class_of_refused(),
            FailureKind::ErrorEvent => self.class_of_event(),
        }
    }

    /// Whether it is about the credential that was used, so that another one of the provider's may do better.
    pub fn is_about_credential(&self) -> bool {
        self.kind == FailureKind::Credential || self.class() == Some(FailureClass::RateLimit)
    }

    fn class_of_refused(&self) -> Option<FailureClass> {
        let message = self.message.to_ascii_lowercase();
        let code = self.code.as_deref().unwrap_or_default().to_ascii_lowercase();
        let says = |phrases: &[&str]| phrases.iter().any(|phrase| message.contains(phrase));
        if self.status == Some(413) || TOO_LONG_CODES.contains(&&*code) || says(&TOO_LONG) {
            return Some(FailureClass::ContextLength);
        }
        (POLICY_CODES.contains(&&*code) || says(&POLICY)).then_some(FailureClass::ContentPolicy)
    }

    /// Of an error that came under status 200: its code says what the status would have.
    fn class_of_event(&self) -> Option<FailureClass> {
        let code = self.code.as_deref().unwrap_or_default().to_ascii_lowercase();
        match (self.status, &*code) {
            (Some(429), _)
            | (_, "rate_limit_error" | "rate_limit_exceeded" | "too_many_requests" | "resource_exhausted") => {
                Some(FailureClass::RateLimit)
            }
            (Some(408 | 504), _) | (_, "timeout_error" | "deadline_exceeded") => Some(FailureClass::Timeout),
            (Some(400 | 413 | 422), _) | (_, "invalid_request_error" | "invalid_argument") => self.class_of_refused(),
            _ => self.class_of_refused().or(Some(FailureClass::Error)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failure(kind: FailureKind, status: Option<u16>, code: &str, message: &str) -> Failure {
        Failure {
            status,
            code: Some(code.to_owned()).filter(|code| !code.is_empty()),
            ..Failure::new(kind, message)
        }
    }

    #[test]
    fn a_conversation_that_is_too_long_is_told_apart_in_every_providers_words() {
        for message in [
            "This model's maximum context length is 8192 tokens. However, your messages resulted in 9001 tokens.",
            "prompt is too long: 210000 tokens > 200000 maximum",
            "input length and `max_tokens` exceed context limit: 190000 + 20000 > 200000",
            "The input token count (1200000) exceeds the maximum number of tokens allowed (1048576).",
            "Input is too long for requested model.",
            "Prompt contains 40000 tokens and 0 draft tokens, too large for model with 32768 maximum context length",
            "too many tokens: total number of tokens in the prompt cannot exceed 4081",
            "This model's maximum prompt length is 131072 but the request contains 140000 tokens.",
        ] {
            let refused = failure(FailureKind::BadRequest, Some(400), "invalid_request_error", message);
            let event = failure(FailureKind::ErrorEvent, None, "", message);
            assert_eq!(refused.class(), Some(FailureClass::ContextLength), "{message}");
            assert_eq!(event.class(), Some(FailureClass::ContextLength), "{message}");
        }
        let coded = failure(FailureKind::BadRequest, Some(400), "context_length_exceeded", "no");
        assert_eq!(coded.class(), Some(FailureClass::ContextLength));
        let large = failure(FailureKind::BadRequest, Some(413), "request_too_large", "no");
        assert_eq!(large.class(), Some(FailureClass::ContextLength));
    }

    #[test]
    fn a_policy_that_refuses_is_told_apart_from_a_request_that_is_wrong() {
        let filtered = failure(
            FailureKind::BadRequest,
            Some(400),
            "content_filter",
            "The response was filtered due to the prompt triggering Azure OpenAI's content management policy.",
        );
        let images = failure(FailureKind::BadRequest, Some(400), "content_policy_violation", "no");
        let anthropic = failure(
            FailureKind::BadRequest,
            Some(400),
            "invalid_request_error",
            "Output blocked by content filtering policy",
        );
        let wrong = failure(
            FailureKind::BadRequest,
            Some(400),
            "invalid_request_error",
            "temperature is too high",
        );

        for refused in [filtered, images, anthropic] {
            assert_eq!(refused.class(), Some(FailureClass::ContentPolicy), "{refused:?}");
        }
        assert_eq!(wrong.class(), None);
    }

    #[test]
    fn an_error_under_status_200_is_what_its_code_says() {
        let check = |status, code: &str, expected| {
            assert_eq!(
                failure(FailureKind::ErrorEvent, status, code, "no").class(),
                expected,
                "{status:?} {code}"
            );
        };

        check(None, "", Some(FailureClass::Error));
        check(None, "overloaded_error", Some(FailureClass::Error));
        check(Some(502), "502", Some(FailureClass::Error));
        check(Some(429), "429", Some(FailureClass::RateLimit));
        check(None, "rate_limit_exceeded", Some(FailureClass::RateLimit));
        check(Some(429), "RESOURCE_EXHAUSTED", Some(FailureClass::RateLimit));
        check(None, "timeout_error", Some(FailureClass::Timeout));
        check(None, "invalid_request_error", None);
        check(Some(400), "400", None);
    }
}
