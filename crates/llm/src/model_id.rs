//! Writes a model's identifier into an address, as one segment of its path and nothing more: administrators choose
//! identifiers freely, and callers may do so where a route passes them on.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

const ENCODED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~')
    .remove(b':')
    .remove(b'@');

/// Percent-encodes an identifier. `:` and `@` stay, as providers' own clients send them; `/` becomes `%2F`.
///
/// The names `.` and `..` mean a place, even percent-encoded, to whatever reads an address. They are encoded twice and
/// so mean a model that no provider has.
pub fn path_segment(model: &str) -> String {
    if matches!(model, "." | "..") {
        return model.replace('.', "%252E");
    }
    utf8_percent_encode(model, ENCODED).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_become_one_segment() {
        let check = |model: &str, segment: &str| assert_eq!(path_segment(model), segment);

        check("gemini-2.5-pro", "gemini-2.5-pro");
        check(
            "us.anthropic.claude-sonnet-4-5-20250929-v1:0",
            "us.anthropic.claude-sonnet-4-5-20250929-v1:0",
        );
        check(
            "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/a1b2",
            "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile%2Fa1b2",
        );
        check("claude-sonnet-4@20250514", "claude-sonnet-4@20250514");
        check("a b?c#d%2Fe\\f\r\n\0", "a%20b%3Fc%23d%252Fe%5Cf%0D%0A%00");
        check("mödel", "m%C3%B6del");
        check("", "");
    }

    #[test]
    fn no_identifier_leads_out_of_its_segment() {
        let check = |model: &str, segment: &str| assert_eq!(path_segment(model), segment);

        check("../../admin", "..%2F..%2Fadmin");
        check("a/../b", "a%2F..%2Fb");
        check("..", "%252E%252E");
        check(".", "%252E");
        check("%2e%2e", "%252e%252e");
        check("...", "...");
    }
}
