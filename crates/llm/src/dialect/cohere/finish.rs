//! Why an answer of Cohere's ended.

use crate::event::Stop;
use crate::{Failure, FailureKind};

/// The reason, or the failure that it stands for. `error` is what the provider said of it.
pub(super) fn read(reason: &str, has_calls: bool, error: Option<&str>) -> Result<Stop, Failure> {
    match reason {
        "ERROR" => Err(Failure::new(
            FailureKind::ErrorEvent,
            error.unwrap_or("the provider broke off the answer"),
        )),
        "TIMEOUT" => Err(Failure::new(
            FailureKind::Timeout,
            error.unwrap_or("the provider took too long to answer"),
        )),
        "MAX_TOKENS" => Ok(Stop::Length),
        "STOP_SEQUENCE" => Ok(Stop::Sequence(None)),
        "TOOL_CALL" => Ok(Stop::ToolCalls),
        "ERROR_TOXIC" => Ok(Stop::Refused),
        _ if has_calls => Ok(Stop::ToolCalls),
        _ => Ok(Stop::End),
    }
}
