//! Comments in a route's text. The tree has none, and neither has the server.

/// Whether a text that can be read has a comment.
pub(crate) fn has_comments(text: &str) -> bool {
    crate::yaml::read(text).is_ok_and(|read| read.has_comments)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_are_told_from_what_only_looks_like_one() {
        let check = |text: &str, expected: bool| assert_eq!(has_comments(text), expected, "{text}");
        check("# The old one.\ntarget: a/m\n", true);
        check("target: a/m # cheap\n", true);
        check("fallback:\n- target: a/m\n  # Since the outage.\n- target: b/m\n", true);
        check("target: a/m", false);
        check("target: a/m#2\n", false);
        check(
            "when:\n- if: 'key.name == \"a # b\"'\n  route:\n    target: a/m\n",
            false,
        );
        check(
            "target:\n  provider: a\n  model: m\n  prompt: |-\n    # Rules\n    Be brief.\n",
            false,
        );
        check("target: [\n# not to be read\n", false);
        check("", false);
    }
}
