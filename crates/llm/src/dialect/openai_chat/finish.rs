//! Why an answer ended: `finish_reason` and what compatible servers have made of it.

use crate::event::Stop;

/// What a provider's `finish_reason` says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Finish {
    Stop(Stop),
    /// The answer broke off, though the stream goes on to its end.
    Failed,
}

/// What an answer held, as far as it matters to why it ended.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Held {
    pub(super) tool_calls: bool,
    pub(super) refusal: bool,
}

/// The member in which aggregators tell the maker's own reason; it tells apart what OpenAI's reasons do not.
pub(super) const PAUSED: &str = "pause_turn";

pub(super) fn read(reason: &str, native: Option<&str>, held: Held) -> Finish {
    let stop = match reason {
        "length" => Stop::Length,
        "model_length" => Stop::Context,
        "content_filter" | "refusal" => Stop::Refused,
        "error" | "abort" | "insufficient_system_resource" => return Finish::Failed,
        "tool_calls" | "function_call" => Stop::ToolCalls,
        // Some servers say `stop` though tools are to be called.
        _ if held.tool_calls => Stop::ToolCalls,
        _ if held.refusal => Stop::Refused,
        _ if native == Some(PAUSED) => Stop::Paused,
        _ => Stop::End,
    };
    Finish::Stop(stop)
}

pub(super) fn write(stop: &Stop, held: Held) -> &'static str {
    match stop {
        // OpenAI has a member for refusals and ends such answers like others.
        Stop::Refused | Stop::Blocked if held.refusal => "stop",
        Stop::Refused | Stop::Blocked => "content_filter",
        Stop::End | Stop::Sequence(_) | Stop::Paused => "stop",
        Stop::Length | Stop::Context => "length",
        Stop::ToolCalls => "tool_calls",
    }
}

/// In old completions, which know neither tools nor a member for refusals.
pub(super) fn write_text(stop: &Stop) -> &'static str {
    match stop {
        Stop::End | Stop::Sequence(_) | Stop::Paused | Stop::ToolCalls => "stop",
        Stop::Length | Stop::Context => "length",
        Stop::Refused | Stop::Blocked => "content_filter",
    }
}

/// `native_finish_reason`, where it says more.
pub(super) fn native(stop: &Stop) -> Option<&'static str> {
    match stop {
        Stop::Paused => Some(PAUSED),
        Stop::End
        | Stop::Sequence(_)
        | Stop::Length
        | Stop::Context
        | Stop::ToolCalls
        | Stop::Refused
        | Stop::Blocked => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_come_back_as_what_they_were() {
        let refusal = Held {
            refusal: true,
            ..Held::default()
        };
        let calls = Held {
            tool_calls: true,
            ..Held::default()
        };
        for (stop, held) in [
            (Stop::End, Held::default()),
            (Stop::Length, Held::default()),
            (Stop::ToolCalls, calls),
            (Stop::Refused, Held::default()),
            (Stop::Refused, refusal),
            (Stop::Paused, Held::default()),
        ] {
            let read = read(write(&stop, held), native(&stop), held);

            assert_eq!(read, Finish::Stop(stop));
        }
    }

    #[test]
    fn old_completions_end_for_reasons_that_they_know() {
        assert_eq!(write_text(&Stop::ToolCalls), "stop");
        assert_eq!(write_text(&Stop::Refused), "content_filter");
    }

    #[test]
    fn a_stop_after_tool_calls_is_for_the_tools() {
        let calls = Held {
            tool_calls: true,
            ..Held::default()
        };

        assert_eq!(read("stop", None, calls), Finish::Stop(Stop::ToolCalls));
        assert_eq!(read("error", None, calls), Finish::Failed);
    }
}
