//! Why an answer ended, in Anthropic's words.

use crate::event::Stop;

/// Reasons that are not known yet count as the end: there is nothing a caller of another dialect could do with them.
pub(super) fn read(reason: &str, sequence: Option<&str>) -> Stop {
    match reason {
        "stop_sequence" => Stop::Sequence(sequence.map(Into::into)),
        "max_tokens" => Stop::Length,
        "model_context_window_exceeded" => Stop::Context,
        "tool_use" => Stop::ToolCalls,
        "refusal" => Stop::Refused,
        "pause_turn" => Stop::Paused,
        _ => Stop::End,
    }
}

/// The reason and, where it is one, the stop sequence.
pub(super) fn write(stop: &Stop, refused: Refused) -> (&'static str, Option<&str>) {
    match (stop, refused) {
        (Stop::End, Refused::InWords) | (Stop::Refused | Stop::Blocked, _) => ("refusal", None),
        (Stop::End, Refused::No) => ("end_turn", None),
        (Stop::Sequence(sequence), _) => ("stop_sequence", sequence.as_deref()),
        (Stop::Length, _) => ("max_tokens", None),
        (Stop::Context, _) => ("model_context_window_exceeded", None),
        (Stop::ToolCalls, _) => ("tool_use", None),
        (Stop::Paused, _) => ("pause_turn", None),
    }
}

/// Whether the answer has a part that is a refusal: Anthropic tells it by the reason alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Refused {
    #[default]
    No,
    InWords,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_are_read_as_they_are_written() {
        let stops = [
            Stop::End,
            Stop::Sequence(Some("###".into())),
            Stop::Sequence(None),
            Stop::Length,
            Stop::Context,
            Stop::ToolCalls,
            Stop::Refused,
            Stop::Paused,
        ];
        for stop in stops {
            let (reason, sequence) = write(&stop, Refused::No);
            assert_eq!(read(reason, sequence), stop);
        }
        assert_eq!(write(&Stop::End, Refused::InWords).0, "refusal");
    }
}
