//! Whom a caller answers, by a name that fits wherever names of people are kept and shown.

use gatewright_contract::Digest;
use gatewright_types::DisplayName;

/// In front of a name that stands for one that could not be kept as it is.
const DIGEST_MARK: &str = "sha256:";

/// As the request names them. What is too long for a name, or cannot be shown, is kept by its digest: cut off, two of
/// them could be one. `None` of nobody.
pub(super) fn end_user(named: &str) -> Option<DisplayName> {
    let named = named.trim();
    if named.is_empty() {
        return None;
    }
    let digest = || format!("{DIGEST_MARK}{}", Digest::of(named.as_bytes())).parse();
    named.parse().or_else(|_| digest()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_does_not_fit_is_still_one_of_its_own() {
        let named = |text: &str| end_user(text).map(|name| name.to_string());
        let long = "u".repeat(81);

        assert_eq!(named(" ada ").as_deref(), Some("ada"));
        assert_eq!(named("  "), None);
        assert_eq!(named(&long).as_deref().map(str::len), Some(71));
        assert_ne!(named(&long), named(&format!("{long}v")));
        assert!(named("a\u{7}b").is_some_and(|name| name.starts_with(DIGEST_MARK)));
    }
}
