//! Which of Bedrock's models is meant, as far as requests have to differ: told from the model's identifier. The
//! identifier of an application's own inference profile does not tell, and counts as some other model.

/// A family of models.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Family {
    Claude(Claude),
    Nova,
    Nova2,
    /// OpenAI's open models.
    GptOss,
    /// OpenAI's own.
    Gpt,
    Kimi,
    Llama,
    Other,
}

/// A model of Anthropic's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Claude {
    /// Of `claude-opus-4-6`, 4 and 6.
    version: (u32, u32),
    pub(super) thinks: Thinks,
}

/// When a model of Anthropic's thinks, and how it is told to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Thinks {
    Never,
    /// When it is given a number of tokens for it.
    WithBudget,
    /// When it is asked to, as much as it finds right.
    WhenAsked,
    /// Unless it is asked not to.
    UnlessForbidden,
    Always,
}

impl Family {
    pub(super) fn of(model: &str) -> Self {
        if model.contains("anthropic.") {
            return Self::Claude(Claude::of(model));
        }
        let known = [
            ("amazon.nova-2", Self::Nova2),
            ("amazon.nova-", Self::Nova),
            ("openai.gpt-oss", Self::GptOss),
            ("openai.gpt-", Self::Gpt),
            ("moonshot.", Self::Kimi),
            ("moonshotai.", Self::Kimi),
            ("meta.llama", Self::Llama),
        ];
        let found = known.into_iter().find(|(name, _)| model.contains(name));
        found.map_or(Self::Other, |(_, family)| family)
    }

    /// Cache points in the instructions and messages.
    pub(super) fn takes_cache_points(self) -> bool {
        match self {
            Self::Claude(claude) => claude.version >= (3, 5),
            Self::Nova | Self::Nova2 => true,
            Self::GptOss | Self::Gpt | Self::Kimi | Self::Llama | Self::Other => false,
        }
    }

    pub(super) fn takes_cache_points_after_tools(self) -> bool {
        matches!(self, Self::Claude(_)) && self.takes_cache_points()
    }

    pub(super) fn caches_for_an_hour(self) -> bool {
        matches!(self, Self::Claude(claude) if claude.version >= (4, 5))
    }

    /// Whether the model can be held to a schema, in its answer and in its calls. Of the others Bedrock says so itself.
    pub(super) fn keeps_to_schemas(self) -> bool {
        match self {
            Self::Claude(claude) => claude.version >= (4, 5),
            Self::Nova | Self::Nova2 | Self::Llama => false,
            Self::GptOss | Self::Gpt | Self::Kimi | Self::Other => true,
        }
    }

    /// Whether a tool's result may be marked as an error.
    pub(super) fn takes_failed_results(self) -> bool {
        match self {
            Self::Claude(_) | Self::Nova | Self::Nova2 => true,
            Self::GptOss | Self::Gpt | Self::Kimi | Self::Llama | Self::Other => false,
        }
    }
}

impl Claude {
    fn of(model: &str) -> Self {
        // Names without a number are those of previews, and newer than what has one.
        let version = version(model).unwrap_or((u32::MAX, 0));
        let thinks = match version {
            _ if model.contains("claude-fable") || model.contains("claude-mythos") => Thinks::Always,
            version if version < (3, 7) => Thinks::Never,
            version if version < (4, 6) => Thinks::WithBudget,
            version if version < (5, 0) => Thinks::WhenAsked,
            version if version < (5, 5) => Thinks::UnlessForbidden,
            _ => Thinks::Always,
        };
        Self { version, thinks }
    }

    /// Whether it takes `temperature`, `top_p` and `top_k`.
    pub(super) fn takes_sampling(self) -> bool {
        self.version < (4, 7)
    }

    /// Whether it takes `temperature` and `top_p` together.
    pub(super) fn takes_both_samplings(self) -> bool {
        self.version < (4, 1)
    }
}

/// The numbers in `claude-3-5-sonnet-20240620-v1:0`, `claude-opus-4-6-v1`, `claude-v2:1`: a date is none of them.
fn version(model: &str) -> Option<(u32, u32)> {
    let (_, name) = model.split_once("claude-")?;
    let mut words = name.split(['-', ':']);
    let major = words.find_map(|word| short_number(word.strip_prefix('v').unwrap_or(word)))?;
    Some((major, words.next().and_then(short_number).unwrap_or_default()))
}

fn short_number(word: &str) -> Option<u32> {
    word.parse().ok().filter(|_| word.len() <= 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn claudes_are_told_apart_by_their_numbers() {
        let check = |model: &str, version: (u32, u32), thinks: Thinks| {
            let Family::Claude(claude) = Family::of(model) else {
                panic!("{model} is a Claude");
            };
            assert_eq!((claude.version, claude.thinks), (version, thinks), "{model}");
        };

        check("anthropic.claude-v2:1", (2, 1), Thinks::Never);
        check("anthropic.claude-instant-v1", (1, 0), Thinks::Never);
        check("anthropic.claude-3-5-sonnet-20241022-v2:0", (3, 5), Thinks::Never);
        check(
            "us.anthropic.claude-3-7-sonnet-20250219-v1:0",
            (3, 7),
            Thinks::WithBudget,
        );
        check(
            "apac.anthropic.claude-sonnet-4-20250514-v1:0",
            (4, 0),
            Thinks::WithBudget,
        );
        check(
            "arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.anthropic.claude-opus-4-5-20251101-v1:0",
            (4, 5),
            Thinks::WithBudget,
        );
        check("anthropic.claude-opus-4-6-v1", (4, 6), Thinks::WhenAsked);
        check("anthropic.claude-opus-4-8", (4, 8), Thinks::WhenAsked);
        check("global.anthropic.claude-sonnet-5", (5, 0), Thinks::UnlessForbidden);
        check("anthropic.claude-opus-5-5", (5, 5), Thinks::Always);
        check("anthropic.claude-fable-5", (5, 0), Thinks::Always);
        check("anthropic.claude-mythos-preview", (u32::MAX, 0), Thinks::Always);
    }

    #[test]
    fn other_families_are_known_by_name() {
        let check = |model: &str, family: Family| assert_eq!(Family::of(model), family, "{model}");

        check("us.amazon.nova-2-lite-v1:0", Family::Nova2);
        check("amazon.nova-pro-v1:0", Family::Nova);
        check("openai.gpt-oss-120b-1:0", Family::GptOss);
        check("us.openai.gpt-5.6-sol", Family::Gpt);
        check("moonshot.kimi-k2-thinking", Family::Kimi);
        check("meta.llama3-3-70b-instruct-v1:0", Family::Llama);
        check("mistral.mistral-large-3-675b-instruct", Family::Other);
        check(
            "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/a1b2",
            Family::Other,
        );
    }
}
