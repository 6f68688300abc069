//! What models think before they answer: how much is asked for, and what has to be given back to them unchanged.

use std::borrow::Cow;

/// How much thinking is asked for. Dialects measure it in words or in tokens; each can be made from the other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reasoning {
    pub amount: Amount,
    /// Whether the caller wants to read the thoughts; the dialect's own habit when absent.
    pub shown: Option<bool>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Amount {
    Off,
    /// As much as the model finds right.
    Adaptive,
    Effort(Effort),
    /// At most this many tokens.
    Budget(u64),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Effort {
    Minimal,
    Low,
    Medium,
    High,
    /// `xhigh` of OpenAI, `max` of Anthropic.
    Most,
}

/// One stretch of thinking.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Thinking {
    /// What may be read of it; empty when all of it is sealed.
    pub text: Box<str>,
    /// Proves to its maker that the thinking is its own, or holds all of it sealed.
    pub signature: Option<Signature>,
}

/// Opaque text that only its maker understands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signature {
    pub maker: Maker,
    pub text: Box<str>,
}

/// Whose signature it is: another provider could not read it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Maker {
    /// The signature of a `thinking` block.
    Anthropic,
    /// The data of a `redacted_thinking` block.
    AnthropicRedacted,
    Gemini,
    /// Encrypted reasoning of the Responses API.
    Openai,
    /// Bedrock's own models.
    Bedrock,
}

impl Effort {
    pub const ALL: [Self; 5] = [Self::Minimal, Self::Low, Self::Medium, Self::High, Self::Most];

    /// As OpenAI writes it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Minimal => "minimal",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Most => "xhigh",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "max" => Some(Self::Most),
            other => Self::ALL.into_iter().find(|effort| effort.as_str() == other),
        }
    }

    /// The budget that Google gives for the same words; Anthropic takes no fewer than 1,024.
    pub const fn budget(self) -> u64 {
        match self {
            Self::Minimal | Self::Low => 1_024,
            Self::Medium => 8_192,
            Self::High => 24_576,
            Self::Most => 32_768,
        }
    }

    /// The smallest effort whose budget covers this many tokens.
    pub fn covering(budget: u64) -> Self {
        let mut efforts = Self::ALL.into_iter().skip(1);
        efforts.find(|effort| effort.budget() >= budget).unwrap_or(Self::Most)
    }
}

impl Maker {
    const ALL: [Self; 5] = [
        Self::Anthropic,
        Self::AnthropicRedacted,
        Self::Gemini,
        Self::Openai,
        Self::Bedrock,
    ];

    /// The name used in the `format` of a `reasoning_details` entry.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Anthropic => "anthropic-claude-v1",
            Self::AnthropicRedacted => "anthropic-redacted-v1",
            Self::Gemini => "google-gemini-v1",
            Self::Openai => "openai-responses-v1",
            Self::Bedrock => "bedrock-v1",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|maker| maker.as_str() == text)
    }
}

impl Signature {
    /// For a dialect whose own signatures are `native` and that has room for one opaque text only: others carry their
    /// maker in front, so that they come back as what they were.
    pub fn tagged(&self, native: Maker) -> Cow<'_, str> {
        if self.maker == native {
            return Cow::Borrowed(&self.text);
        }
        Cow::Owned(format!("{}:{}", self.maker.as_str(), self.text))
    }

    /// The opposite of [`Signature::tagged`].
    pub fn untagged(text: &str, native: Maker) -> Self {
        let tagged = text
            .split_once(':')
            .and_then(|(maker, rest)| Some((Maker::parse(maker)?, rest)));
        let (maker, text) = tagged.unwrap_or((native, text));
        Self {
            maker,
            text: text.into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_keeps_its_maker_in_a_foreign_dialect() {
        for maker in Maker::ALL {
            let signature = Signature {
                maker,
                text: "a:b==".into(),
            };

            let there_and_back = Signature::untagged(&signature.tagged(Maker::Anthropic), Maker::Anthropic);

            assert_eq!(there_and_back, signature);
        }
    }

    #[test]
    fn efforts_and_budgets_are_made_from_each_other() {
        for effort in [Effort::Low, Effort::Medium, Effort::High, Effort::Most] {
            assert_eq!(Effort::covering(effort.budget()), effort);
        }
        assert_eq!(Effort::covering(1), Effort::Low);
        assert_eq!(Effort::covering(u64::MAX), Effort::Most);
    }
}
