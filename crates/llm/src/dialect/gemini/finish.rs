//! Why an answer ended, in Google's words and in ours.

use crate::event::Stop;
use crate::{Failure, FailureKind};

/// `called` tells whether the answer has a call of a tool: Google says `STOP` then, too. An answer that went wrong is a
/// failure: what there is of it is of no use, and another attempt may do better.
pub(super) fn read(reason: &str, called: bool) -> Result<Stop, Failure> {
    match reason {
        // `CONTINUATION`: the limit of one request was reached, and only Google's own token leads on.
        "MAX_TOKENS" | "CONTINUATION" => Ok(Stop::Length),
        // `OTHER`: by Google's documentation, terms of service that may have been violated.
        "SAFETY"
        | "RECITATION"
        | "LANGUAGE"
        | "BLOCKLIST"
        | "PROHIBITED_CONTENT"
        | "SPII"
        | "OTHER"
        | "IMAGE_SAFETY"
        | "IMAGE_PROHIBITED_CONTENT"
        | "IMAGE_RECITATION"
        | "MODEL_ARMOR"
        | "ESCALATION"
        | "PUP_LIMITED_DISABLED" => Ok(Stop::Refused),
        "MALFORMED_FUNCTION_CALL"
        | "UNEXPECTED_TOOL_CALL"
        | "TOO_MANY_TOOL_CALLS"
        | "MISSING_THOUGHT_SIGNATURE"
        | "MALFORMED_RESPONSE" => Err(Failure::new(
            FailureKind::Malformed,
            &format!("the provider's model wrote no proper answer: {reason}"),
        )),
        _ if called => Ok(Stop::ToolCalls),
        _ => Ok(Stop::End),
    }
}

pub(super) const fn write(stop: &Stop) -> &'static str {
    match stop {
        Stop::End | Stop::Sequence(_) | Stop::ToolCalls => "STOP",
        Stop::Length | Stop::Context => "MAX_TOKENS",
        Stop::Refused | Stop::Blocked => "SAFETY",
        Stop::Paused => "OTHER",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn googles_words_are_sorted_by_what_they_mean() {
        assert_eq!(read("STOP", false), Ok(Stop::End));
        assert_eq!(read("STOP", true), Ok(Stop::ToolCalls));
        assert_eq!(read("MAX_TOKENS", true), Ok(Stop::Length));
        assert_eq!(read("PROHIBITED_CONTENT", false), Ok(Stop::Refused));
        assert_eq!(read("A_REASON_OF_NEXT_YEAR", false), Ok(Stop::End));
        let failure = read("MALFORMED_FUNCTION_CALL", false).expect_err("a failure");
        assert_eq!(failure.kind, FailureKind::Malformed);
        assert!(failure.message.ends_with("MALFORMED_FUNCTION_CALL"), "{failure:?}");
    }
}
