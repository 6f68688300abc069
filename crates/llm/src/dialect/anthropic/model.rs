//! What Claude models of different ages accept, told from their names. Each of these is refused with status 400 where it
//! is not accepted, so that no way of asking for thoughts fits all of them. A name that tells nothing, such as an
//! alias, is taken for a model of the time when budgets were the only way.

/// The first that wants effort in place of budgets, and no sampling parameters.
const EFFORT: Version = Version(4, 7);
/// The first that knows adaptive thinking.
const ADAPTIVE: Version = Version(4, 6);
/// The first that thinks unless told otherwise.
const THINKS_UNASKED: Version = Version(5, 0);
/// The first of which only small models can be told not to think.
const HARD_TO_STOP: Version = Version(5, 5);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Model {
    family: Family,
    version: Option<Version>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Version(u32, u32);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Family {
    Opus,
    Sonnet,
    /// Fable and Mythos.
    AlwaysThinking,
    Other,
}

/// How a model is told not to think.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ThinkingOff {
    Disabled,
    /// It still writes short notes between tool calls.
    BetweenTools,
    /// It does not, unless told to.
    Unsaid,
    Impossible,
}

impl Model {
    /// Of a name as Anthropic, Vertex or Bedrock write it.
    pub(super) fn of(name: &str) -> Self {
        let name = name.to_ascii_lowercase();
        let words = name.split_once("claude").map_or("", |(_, words)| words);
        let mut family = Family::Other;
        let mut numbers = Vec::new();
        let mut number_over = false;
        for word in words.split(|c: char| !c.is_ascii_alphanumeric()) {
            match word {
                "opus" => family = Family::Opus,
                "sonnet" => family = Family::Sonnet,
                "fable" | "mythos" => family = Family::AlwaysThinking,
                _ => {}
            }
            // Longer numbers are dates.
            let number = word.parse::<u32>().ok().filter(|_| word.len() <= 2);
            match number {
                Some(number) if !number_over => numbers.push(number),
                _ => number_over |= !numbers.is_empty(),
            }
        }
        let version = numbers
            .first()
            .map(|major| Version(*major, numbers.get(1).copied().unwrap_or(0)));
        Self { family, version }
    }

    pub(super) fn takes_budgets(self) -> bool {
        self.family != Family::AlwaysThinking && self.version.is_none_or(|version| version < EFFORT)
    }

    pub(super) fn takes_sampling(self) -> bool {
        self.takes_budgets()
    }

    pub(super) fn takes_adaptive(self) -> bool {
        self.family == Family::AlwaysThinking || self.version.is_none_or(|version| version >= ADAPTIVE)
    }

    pub(super) fn thinking_off(self) -> ThinkingOff {
        let since = |first| self.version.is_some_and(|version| version >= first);
        match self.family {
            Family::AlwaysThinking => ThinkingOff::Impossible,
            Family::Opus if since(HARD_TO_STOP) => ThinkingOff::Impossible,
            Family::Sonnet if since(HARD_TO_STOP) => ThinkingOff::BetweenTools,
            Family::Opus | Family::Sonnet | Family::Other if since(EFFORT) && !since(THINKS_UNASKED) => {
                ThinkingOff::Unsaid
            }
            Family::Opus | Family::Sonnet | Family::Other => ThinkingOff::Disabled,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_found_in_names_of_all_shapes() {
        let check = |name: &str, version| assert_eq!(Model::of(name).version, version, "{name}");

        check("claude-3-7-sonnet-20250219", Some(Version(3, 7)));
        check("claude-3.5-haiku", Some(Version(3, 5)));
        check("claude-opus-4@20250514", Some(Version(4, 0)));
        check("claude-opus-4-20250514", Some(Version(4, 0)));
        check("anthropic.claude-sonnet-4-5-20250929-v1:0", Some(Version(4, 5)));
        check("us.anthropic.claude-opus-4-6-v1", Some(Version(4, 6)));
        check("claude-opus-4-8@default", Some(Version(4, 8)));
        check("claude-sonnet-5", Some(Version(5, 0)));
        check("claude-mythos-preview", None);
        check("our-alias-4-7", None);
    }

    #[test]
    fn what_models_accept_goes_by_their_age() {
        let check = |name: &str, budgets, adaptive, off| {
            let model = Model::of(name);
            assert_eq!(
                (model.takes_budgets(), model.takes_adaptive(), model.thinking_off()),
                (budgets, adaptive, off),
                "{name}"
            );
        };

        check("claude-haiku-4-5", true, false, ThinkingOff::Disabled);
        check("claude-opus-4-6", true, true, ThinkingOff::Disabled);
        check("claude-opus-4-7", false, true, ThinkingOff::Unsaid);
        check("claude-sonnet-5", false, true, ThinkingOff::Disabled);
        check("claude-sonnet-5-5", false, true, ThinkingOff::BetweenTools);
        check("claude-opus-5-5", false, true, ThinkingOff::Impossible);
        check("claude-haiku-5-5", false, true, ThinkingOff::Disabled);
        check("claude-mythos-preview", false, true, ThinkingOff::Impossible);
        check("our-alias", true, true, ThinkingOff::Disabled);
    }
}
