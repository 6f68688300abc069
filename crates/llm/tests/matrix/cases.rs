//! The conversations: which request is sent, and what the provider answers.

/// One conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Case {
    Basic,
    Stream,
    Tools,
    ParallelTools,
    ForcedTool,
    Image,
    Document,
    System,
    Structured,
    Reasoning,
    Cached,
    Refusal,
    Length,
    ErrorBefore,
    ErrorMidstream,
    Stall,
    Cut,
}

/// What the provider answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reply {
    /// Whole, and as a stream, from the fixtures of this name.
    Both(&'static str),
    Stream(&'static str),
    /// An error instead of an answer.
    Error,
    /// A stream that says itself that it failed, or ends before its time.
    Broken(&'static str),
    /// A stream of which nothing more comes.
    Stalled(&'static str),
}

impl Case {
    pub(crate) const ALL: [Self; 17] = [
        Self::Basic,
        Self::Stream,
        Self::Tools,
        Self::ParallelTools,
        Self::ForcedTool,
        Self::Image,
        Self::Document,
        Self::System,
        Self::Structured,
        Self::Reasoning,
        Self::Cached,
        Self::Refusal,
        Self::Length,
        Self::ErrorBefore,
        Self::ErrorMidstream,
        Self::Stall,
        Self::Cut,
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Basic => "basic",
            Self::Stream => "stream",
            Self::Tools => "tools",
            Self::ParallelTools => "parallel-tools",
            Self::ForcedTool => "forced-tool",
            Self::Image => "image",
            Self::Document => "document",
            Self::System => "system",
            Self::Structured => "structured",
            Self::Reasoning => "reasoning",
            Self::Cached => "cached",
            Self::Refusal => "refusal",
            Self::Length => "length",
            Self::ErrorBefore => "error-before",
            Self::ErrorMidstream => "error-midstream",
            Self::Stall => "stall",
            Self::Cut => "cut",
        }
    }

    /// The fixture that asks.
    pub(crate) fn request(self) -> &'static str {
        match self {
            Self::Basic
            | Self::Tools
            | Self::ParallelTools
            | Self::ForcedTool
            | Self::Image
            | Self::Document
            | Self::System
            | Self::Structured
            | Self::Reasoning
            | Self::Cached
            | Self::Stream => self.name(),
            Self::Refusal | Self::Length | Self::ErrorBefore => "basic",
            Self::ErrorMidstream | Self::Stall | Self::Cut => "stream",
        }
    }

    pub(crate) fn reply(self) -> Reply {
        match self {
            Self::Basic | Self::Image | Self::Document | Self::System => Reply::Both("basic"),
            Self::Tools | Self::ForcedTool => Reply::Both("tools"),
            Self::ParallelTools | Self::Structured | Self::Reasoning | Self::Cached | Self::Refusal | Self::Length => {
                Reply::Both(self.name())
            }
            Self::Stream => Reply::Stream("basic"),
            Self::ErrorBefore => Reply::Error,
            Self::ErrorMidstream | Self::Cut => Reply::Broken(self.name()),
            Self::Stall => Reply::Stalled(self.name()),
        }
    }

    pub(crate) fn is_of_text_only(self) -> bool {
        match self {
            Self::Basic
            | Self::Stream
            | Self::Reasoning
            | Self::Cached
            | Self::Refusal
            | Self::Length
            | Self::ErrorBefore
            | Self::ErrorMidstream
            | Self::Stall
            | Self::Cut => true,
            Self::Tools
            | Self::ParallelTools
            | Self::ForcedTool
            | Self::Image
            | Self::Document
            | Self::System
            | Self::Structured => false,
        }
    }
}
