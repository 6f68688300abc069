//! Checked texts that become parts of addresses and heads of calls, most of them to providers: none of them can lead a
//! call somewhere else, or say another thing than it seems to.

use crate::name::{NameError, names};

names! {
    /// A cloud's region: a part of a host's name.
    Region(check_region, 40);
    /// A Google Cloud project: a segment of a path.
    Project(check_project, 100);
    /// An `api-version` of Azure.
    ApiVersion(check_api_version, 40);
    /// The name of a deployment in an Azure resource: a segment of a path.
    Deployment(check_deployment, 64);
    /// The name of a header that a call to a provider may carry besides the gateway's own.
    HeaderName(check_header_name, 128);
    /// The value of a header.
    HeaderText(check_header_text, 4096);
    /// A part of a cache that callers keep apart: the value of a header.
    CacheNamespace(check_cache_namespace, 64);
    /// The name of a tag that requests have: a part of a header's value.
    TagName(check_tag_name, 40);
    /// Names of tools, `*` standing for any characters.
    ToolPattern(check_tool_pattern, 128);
    /// Where cost is charged to, as its own accounting names it: `CC-1200`.
    CostCentre(check_cost_centre, 40);
    /// A time zone as the IANA names it: `Europe/Berlin`, `UTC`. Whether it exists is found out when it is looked up.
    ZoneName(check_zone_name, 64);
}

/// What the gateway sends itself: who calls, what the body is, how the connection is used, and traces.
const OWN_HEADERS: [&str; 26] = [
    "accept",
    "accept-encoding",
    "api-key",
    "authorization",
    "connection",
    "content-encoding",
    "content-length",
    "content-type",
    "cookie",
    "expect",
    "forwarded",
    "host",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "set-cookie",
    "te",
    "traceparent",
    "tracestate",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "via",
    "x-api-key",
    "x-goog-api-key",
];

impl ZoneName {
    pub fn utc() -> Self {
        UTC.parse().expect("it is well formed")
    }

    pub fn is_utc(&self) -> bool {
        self.as_str() == UTC
    }
}

impl ToolPattern {
    pub fn matches(&self, name: &str) -> bool {
        let mut parts = self.as_str().split('*');
        let first = parts.next().unwrap_or_default();
        let Some(mut rest) = name.strip_prefix(first) else {
            return false;
        };
        let Some(last) = parts.next_back() else {
            return rest.is_empty();
        };
        for part in parts {
            match rest.split_once(part) {
                Some((_, behind)) => rest = behind,
                None => return false,
            }
        }
        rest.ends_with(last)
    }
}

impl Default for ZoneName {
    fn default() -> Self {
        Self::utc()
    }
}

const UTC: &str = "UTC";

fn check_tag_name(text: &str) -> Result<(), NameError> {
    bounded(text, 40)?;
    let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"_-.".contains(&b);
    match text.bytes().all(allowed) {
        true => Ok(()),
        false => Err(NameError::new("may hold only lower-case letters, digits and _ - .")),
    }
}

fn check_cost_centre(text: &str) -> Result<(), NameError> {
    bounded(text, 40)?;
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b"._-/".contains(&b);
    match text.bytes().all(allowed) && text.starts_with(|c: char| c.is_ascii_alphanumeric()) {
        true => Ok(()),
        false => Err(NameError::new(
            "must be like CC-1200: letters, digits and . _ - /, beginning with a letter or digit",
        )),
    }
}

fn check_zone_name(text: &str) -> Result<(), NameError> {
    bounded(text, 64)?;
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b"_-+/:".contains(&b);
    match text.bytes().all(allowed) {
        true => Ok(()),
        false => Err(NameError::new("must be a time zone like Europe/Berlin or UTC")),
    }
}

fn check_tool_pattern(text: &str) -> Result<(), NameError> {
    bounded(text, 128)?;
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b"_-.:/*".contains(&b);
    match text.bytes().all(allowed) {
        true => Ok(()),
        false => Err(NameError::new("may hold only letters, digits and _ - . : / *")),
    }
}

fn bounded(text: &str, longest: usize) -> Result<(), NameError> {
    if text.is_empty() || text.len() > longest {
        return Err(NameError::new("is empty or too long"));
    }
    Ok(())
}

fn check_region(text: &str) -> Result<(), NameError> {
    bounded(text, 40)?;
    let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    if !text.bytes().all(allowed) || text.starts_with('-') || text.ends_with('-') {
        return Err(NameError::new("must be a region's name, such as eu-central-1"));
    }
    Ok(())
}

fn check_project(text: &str) -> Result<(), NameError> {
    bounded(text, 100)?;
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b".:-_".contains(&b);
    if !text.bytes().all(allowed) || text.starts_with('.') {
        return Err(NameError::new("must be a project's id, such as my-project-123"));
    }
    Ok(())
}

fn check_cache_namespace(text: &str) -> Result<(), NameError> {
    bounded(text, 64)?;
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b"._:-".contains(&b);
    if !text.bytes().all(allowed) {
        return Err(NameError::new("may hold only letters, digits and . _ : -"));
    }
    Ok(())
}

fn check_api_version(text: &str) -> Result<(), NameError> {
    bounded(text, 40)?;
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b".-_".contains(&b);
    if !text.bytes().all(allowed) {
        return Err(NameError::new("must be a version, such as 2024-10-21"));
    }
    Ok(())
}

fn check_deployment(text: &str) -> Result<(), NameError> {
    bounded(text, 64)?;
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b"._-".contains(&b);
    if !text.bytes().all(allowed) || text.starts_with('.') {
        return Err(NameError::new(
            "may hold only letters, digits and . _ - and must not start with a dot",
        ));
    }
    Ok(())
}

fn check_header_name(text: &str) -> Result<(), NameError> {
    bounded(text, 128)?;
    let token = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"!#$%&'*+-.^_`|~".contains(&b);
    if !text.bytes().all(token) {
        return Err(NameError::new("must be a header's name in lower case"));
    }
    if OWN_HEADERS.contains(&text) || text.starts_with("x-amz-") {
        return Err(NameError::new("is a header that the gateway sends itself: remove it"));
    }
    Ok(())
}

fn check_header_text(text: &str) -> Result<(), NameError> {
    bounded(text, 4096)?;
    if !text.bytes().all(|b| b == b' ' || b.is_ascii_graphic()) || text.trim_matches(' ') != text {
        return Err(NameError::new(
            "may hold only visible ASCII characters, and spaces between them",
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::str::FromStr;

    use super::*;

    fn refused<T: FromStr>(texts: &[&str]) {
        for text in texts {
            assert!(text.parse::<T>().is_err(), "{text:?}");
        }
    }

    fn taken<T: FromStr>(texts: &[&str]) {
        for text in texts {
            assert!(text.parse::<T>().is_ok(), "{text:?}");
        }
    }

    #[test]
    fn no_setting_leads_a_call_to_another_place() {
        refused::<Region>(&["", "evil.com/", "eu central", "EU", "a@b", "-eu", "x.y"]);
        refused::<Project>(&["", "a/b", "..", "p?x", "p%2f"]);
        refused::<ApiVersion>(&["", "2024&x=1", "a/b", "1 2"]);
        refused::<Deployment>(&["", "../x", "a/b", ".", "a?b", &"d".repeat(65)]);
        taken::<Region>(&["eu-central-1", "us-gov-west-1", "global", "us"]);
        taken::<Project>(&["my-project-123", "example.com:old-project", "123456789"]);
        taken::<ApiVersion>(&["2024-10-21", "2025-04-01-preview", "preview"]);
        taken::<Deployment>(&["gpt-4o", "My_deployment.2"]);
    }

    #[test]
    fn a_star_stands_for_any_characters() {
        for (pattern, name, fits) in [
            ("*", "anything", true),
            ("search", "search", true),
            ("search", "search_web", false),
            ("search_*", "search_web", true),
            ("search_*", "research_web", false),
            ("*_read", "file_read", true),
            ("*_read", "file_read_all", false),
            ("a*b*c", "a-b-b-c", true),
            ("a*b*c", "acb", false),
            ("ab*ba", "aba", false),
            ("ab*ba", "abba", true),
            ("**", "", true),
        ] {
            let pattern: ToolPattern = pattern.parse().expect(pattern);
            assert_eq!(pattern.matches(name), fits, "{name} by {pattern}");
        }
        refused::<ToolPattern>(&["", "a b", "ä", &"t".repeat(129)]);
    }

    #[test]
    fn no_header_takes_the_place_of_the_gateways_own() {
        refused::<HeaderName>(&[
            "",
            "Authorization",
            "authorization",
            "host",
            "content-length",
            "x-api-key",
            "x-amz-date",
            "a b",
            "a:b",
            "a\r\nb",
            "ä",
        ]);
        taken::<HeaderName>(&["anthropic-beta", "openai-organization", "x-title", "http-referer"]);
        refused::<HeaderText>(&["", " a", "a ", "a\r\nx: 1", "a\tb", "ä"]);
        taken::<HeaderText>(&["a", "files-api-2025-04-14, other", "https://example.com/?a=1"]);
    }
}
