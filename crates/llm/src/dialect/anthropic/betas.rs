//! Anthropic's beta features where others serve Claude: those refuse a whole request for one that they do not know, and
//! clients name theirs in every request.

use super::Envelope;
use crate::dialect::Dropped;

/// One beta, by the name that a cloud knows it by, and who takes it.
struct Beta {
    name: &'static str,
    on_vertex: bool,
    on_bedrock: bool,
}

const fn beta(name: &'static str, on_vertex: bool, on_bedrock: bool) -> Beta {
    Beta {
        name,
        on_vertex,
        on_bedrock,
    }
}

const KNOWN: [Beta; 15] = [
    beta("compact-2026-01-12", true, true),
    beta("computer-use-2025-01-24", true, true),
    beta("computer-use-2025-11-24", true, true),
    beta("context-1m-2025-08-07", true, true),
    beta("context-management-2025-06-27", true, true),
    beta("dangerous-tool-use-2026-09-03", true, true),
    beta("effort-2025-11-24", false, true),
    beta("fine-grained-tool-streaming-2025-05-14", false, true),
    beta("interleaved-thinking-2025-05-14", true, true),
    beta("mid-conversation-output-config-2026-07-01", false, true),
    beta("mid-conversation-tool-changes-2026-07-01", false, true),
    beta("thinking-binding-controls-2026-08-01", true, true),
    beta("thinking-display-updates-2026-08-18", true, true),
    beta(TOOL_SEARCH, true, true),
    beta("web-search-2025-03-05", true, false),
];

const TOOL_SEARCH: &str = "tool-search-tool-2025-10-19";
/// What Anthropic itself calls it, with more that is elsewhere not to be had.
const TOOL_SEARCH_AT_ANTHROPIC: &str = "advanced-tool-use-2025-11-20";

/// Those of the betas that the envelope takes, once each; the others are dropped.
pub fn taken<'a>(
    envelope: Envelope,
    asked: impl IntoIterator<Item = &'a str>,
    dropped: &mut Dropped,
) -> Vec<&'static str> {
    let mut taken = Vec::new();
    for name in asked {
        let there = if name == TOOL_SEARCH_AT_ANTHROPIC {
            TOOL_SEARCH
        } else {
            name
        };
        let known = KNOWN.iter().find(|beta| beta.name == there && beta.is_for(envelope));
        match known {
            Some(beta) if taken.contains(&beta.name) => {}
            Some(beta) => taken.push(beta.name),
            None => dropped.add(&told(name)),
        }
    }
    taken
}

/// What providers say of betas that they do not know, in one case.
const REFUSALS: [&str; 2] = ["invalid beta flag", "for the `anthropic-beta` header"];

/// How one that is left out is told to the caller.
pub fn told(name: &str) -> String {
    format!("anthropic-beta={name}")
}

/// Those of the betas, as they are told, that a provider refuses with this message: all of them where it names none.
/// None where it is about something else.
pub fn refused<'a>(message: &str, asked: impl IntoIterator<Item = &'a str>) -> Dropped {
    let message = message.to_ascii_lowercase();
    let mut refused = Dropped::default();
    if !REFUSALS.iter().any(|words| message.contains(words)) {
        return refused;
    }
    let asked: Vec<_> = asked.into_iter().collect();
    let is_named = |name: &&&str| message.contains(&name.to_ascii_lowercase());
    let named: Vec<_> = asked.iter().filter(is_named).collect();
    let all = asked.iter().filter(|_| named.is_empty());
    for name in named.iter().copied().chain(all) {
        refused.add(&told(name));
    }
    refused
}

/// A body for the envelope that asks for these where its bodies do that; elsewhere a header does.
pub fn named_in(body: Vec<u8>, envelope: Envelope, betas: &[&str]) -> Vec<u8> {
    let members = body.strip_prefix(b"{").filter(|_| !betas.is_empty());
    match (envelope, members) {
        (Envelope::Bedrock, Some(members)) => [b"{", member(betas).as_bytes(), b",", members].concat(),
        (Envelope::Bedrock | Envelope::Direct | Envelope::Vertex, _) => body,
    }
}

/// The member of a body on Bedrock that asks for them.
pub(crate) fn member(betas: &[&str]) -> String {
    let betas = serde_json::to_string(betas).expect("texts can always be written as JSON");
    format!(r#""anthropic_beta":{betas}"#)
}

impl Beta {
    const fn is_for(&self, envelope: Envelope) -> bool {
        match envelope {
            Envelope::Direct => true,
            Envelope::Vertex => self.on_vertex,
            Envelope::Bedrock => self.on_bedrock,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_cloud_does_not_know_is_dropped_by_name() {
        let check = |envelope, expected: &[&str], dropped_names: &str| {
            let asked = [
                "effort-2025-11-24",
                "advanced-tool-use-2025-11-20",
                TOOL_SEARCH,
                "files-api-2025-04-14",
            ];
            let mut dropped = Dropped::default();
            assert_eq!(taken(envelope, asked, &mut dropped), expected);
            assert_eq!(dropped.to_string(), dropped_names);
        };

        check(
            Envelope::Bedrock,
            &["effort-2025-11-24", TOOL_SEARCH],
            "anthropic-beta=files-api-2025-04-14",
        );
        check(
            Envelope::Vertex,
            &[TOOL_SEARCH],
            "anthropic-beta=effort-2025-11-24, anthropic-beta=files-api-2025-04-14",
        );
    }

    #[test]
    fn betas_that_a_provider_refuses_are_those_it_names_or_all() {
        let check = |message, expected: &str| {
            assert_eq!(
                refused(message, ["a-2025-01-01", "b-2025-01-01"]).to_string(),
                expected,
                "{message}"
            );
        };

        check(
            "Unexpected value(s) `b-2025-01-01` for the `anthropic-beta` header. Please consult our documentation.",
            "anthropic-beta=b-2025-01-01",
        );
        check(
            "The model returned the following errors: invalid beta flag",
            "anthropic-beta=a-2025-01-01, anthropic-beta=b-2025-01-01",
        );
        check("max_tokens: too many for b-2025-01-01", "");
    }
}
